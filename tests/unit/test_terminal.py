"""What is shown of a run, and where its log lies."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from stackgen.cli.terminal import LogFile, Plain


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
