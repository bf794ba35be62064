"""What is shown of a run, and where its log lies."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from stackgen.cli.terminal import Live, LogFile, Plain


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LogFile]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with closing(LogFile("build")) as log:
        yield log


@pytest.mark.parametrize(
    ("total", "unit", "shown"),
    [
        (0, "files", "building"),
        (1, "files", "building (1 file)"),
        (2, "frameworks", "building (2 frameworks)"),
        (1_500_000, "bytes", "building (2 MB)"),
    ],
)
def test_a_task_tells_its_amount_where_that_is_known(log, capsys, total: int, unit: str, shown: str):
    with Plain(log).task("building", total, unit=unit) as advance:
        advance(1)
    assert capsys.readouterr().err == f"{shown}\n"


def test_what_a_task_is_at_is_told_where_nothing_else_is(log, capsys, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("stackgen.cli.terminal._TICK", 0.2)
    screen = Plain(log)
    with screen.task("building", 2) as advance:
        screen.now("zlib: configure")
        time.sleep(0.3)
        screen.now("")
        screen.now("zlib: build")
        screen.now("zlib: install")
        advance(1)
    assert capsys.readouterr().err == "building (2 files)\nnow zlib: build\n"


def test_on_a_terminal_what_a_task_is_at_stands_beside_its_bar(log, capsys):
    screen = Live(log)
    screen.now("nothing is shown yet")
    with screen.task("building", 2) as advance:
        advance(1)
        screen.now("zlib: build")
    screen.now("nothing is shown any more")
    assert capsys.readouterr().err.splitlines()[-1].endswith("building (2 files)")


def test_a_line_is_shown_as_it_is_beside_a_bar_too(log, capsys):
    """What makers of software write means other things to what draws the bar."""
    screen = Live(log)
    with screen.task("building", 2):
        screen.say("make: *** [Makefile:100: list.o] Error 1")
    assert "make: *** [Makefile:100: list.o] Error 1\n" in capsys.readouterr().err


def test_the_log_keeps_what_a_screen_has_no_room_for(log, capsys):
    Plain(log, verbose=True).log("short\n" + "x" * 1000)
    first, second = capsys.readouterr().err.splitlines()
    assert (first, len(second), second[-1]) == ("short", 300, "…")
    assert "x" * 1000 in log.path.read_text()


def test_a_log_exists_once_there_is_something_to_note(log, tmp_path: Path):
    assert not (tmp_path / "state").exists()
    log.write("a \udcff surrogate of a file's name")
    assert log.path.parent == tmp_path / "state/stackgen/log"
    assert log.path.read_text().endswith("a \\udcff surrogate of a file's name\n")


def test_a_log_that_cannot_lie_in_its_place_is_put_elsewhere(log, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    log.write("words")
    assert log.path.parent.parent == tmp_path
    assert log.path.read_text().endswith("words\n")
