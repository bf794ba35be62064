import os
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from stackgen.errors import WorkError
from stackgen.run import Command, LoggedRunner, Outcome, TimeLimitError, become, succeed


def python(code: str, directory: Path, **more: str) -> Command:
    return Command(argv=(sys.executable, "-I", "-c", code), environment=more, directory=directory, timeout=20)


def test_nothing_is_inherited(run: LoggedRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PIP_INDEX_URL", "hostile")
    outcome = run(
        python(
            "import os; print(sorted(k for k in os.environ if k != 'LC_CTYPE'), os.getcwd())", tmp_path, A="1"
        )
    )
    assert outcome.stdout == f"['A'] {tmp_path}\n"


def test_a_program_that_is_not_there(run: LoggedRunner, tmp_path: Path):
    with pytest.raises(WorkError) as caught:
        run(Command(argv=("/nowhere/uv",), environment={}, directory=tmp_path))
    assert (
        str(caught.value) == "/nowhere/uv cannot be started: No such file or directory; see `stackgen doctor`"
    )


def test_a_failure_carries_the_last_words(run: LoggedRunner, tmp_path: Path):
    command = python("import sys; sys.exit('first\\nno space left')", tmp_path)
    with pytest.raises(WorkError) as caught:
        succeed(run, command, "installing failed", "free some")
    assert str(caught.value) == "installing failed: no space left; free some"
    assert "first" in caught.value.details


def test_a_program_that_hangs_is_ended(run: LoggedRunner, tmp_path: Path):
    command = Command(
        argv=("sleep", "30"), environment={"PATH": "/usr/bin:/bin"}, directory=tmp_path, timeout=0.2
    )
    with pytest.raises(WorkError) as caught:
        run(command)
    assert str(caught.value) == "`sleep 30` did not end within 0.2 s"


def test_a_directory_that_is_not_there(run: LoggedRunner, tmp_path: Path):
    with pytest.raises(WorkError) as caught:
        run(Command(argv=("true",), environment={"PATH": os.defpath}, directory=tmp_path / "gone"))
    gone = f"the directory {tmp_path}/gone cannot be worked in: No such file or directory"
    assert str(caught.value) == gone


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [("no program", 0o755, "Exec format error"), ("#!/bin/sh", 0o644, "Permission denied")],
)
def test_a_program_that_is_none(run: LoggedRunner, tmp_path: Path, content: str, mode: int, reason: str):
    program = tmp_path / "program"
    program.write_text(content)
    program.chmod(mode)
    with pytest.raises(WorkError) as caught:
        run(Command(argv=(str(program),), environment={}, directory=tmp_path))
    assert str(caught.value) == f"{program} cannot be started: {reason}"


def test_more_words_than_the_kernel_takes(run: LoggedRunner, tmp_path: Path):
    words = ("true", "x" * 2**22)
    with pytest.raises(WorkError) as caught:
        run(Command(argv=words, environment={"PATH": os.defpath}, directory=tmp_path))
    assert str(caught.value) == "true cannot be started: Argument list too long"


def test_a_program_that_ended_just_as_its_time_did(run: LoggedRunner, tmp_path: Path):
    """Its child, in a session of its own, holds the streams open; of its own group nobody is left."""
    code = "import subprocess; subprocess.Popen(['sleep', '5'], start_new_session=True)"
    command = Command(
        argv=(sys.executable, "-c", code), environment={"PATH": os.defpath}, directory=tmp_path, timeout=1
    )
    with pytest.raises(TimeLimitError):
        run(command)


def test_stopping_ends_what_other_threads_run_and_starts_nothing_more(run: LoggedRunner, tmp_path: Path):
    command = Command(argv=("sleep", "60"), environment={"PATH": os.defpath}, directory=tmp_path)
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(run(command)))
    thread.start()
    time.sleep(0.3)
    run.stop()
    thread.join(10)
    assert [outcome.status for outcome in outcomes] == [-9]
    with pytest.raises(WorkError, match=r"^`sleep 60` is not started any more$"):
        run(command)


def test_becoming_what_is_not_there(tmp_path: Path):
    with pytest.raises(WorkError) as caught:
        become((str(tmp_path / "gone"),), {})
    assert str(caught.value) == f"{tmp_path}/gone cannot be started: No such file or directory"
    assert caught.value.exit_status == 127
    assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN  # a message to nobody ends no program


def test_lines_are_heard_as_they_come(run: LoggedRunner, tmp_path: Path):
    """The program goes on only when its first line was heard."""
    code = """if True:
        import os, sys, time
        print("first", flush=True)
        while not os.path.exists("heard"):
            time.sleep(0.01)
        sys.stderr.write("x" * 200_000)
        sys.stdout.write("zw\u00f6lf\\n" * 30_000 + "no end")
    """
    lines: list[str] = []

    def heard(line: str) -> None:
        lines.append(line)
        (tmp_path / "heard").touch()

    command = python(code, tmp_path, PYTHONUTF8="1")
    command = replace(command, argv=(sys.executable, "-c", code), heard=heard, stdin="unread")
    outcome = run(command)
    assert lines == ["first", *["zw\u00f6lf"] * 30_000, "no end"]
    assert outcome == Outcome(status=0, stdout="\n".join(lines), stderr="x" * 200_000)


def test_a_heard_program_that_hangs_is_ended(run: LoggedRunner, tmp_path: Path):
    command = Command(
        argv=("sleep", "30"), environment={"PATH": os.defpath}, directory=tmp_path, timeout=0.2, heard=print
    )
    with pytest.raises(TimeLimitError, match=r"^`sleep 30` did not end within 0\.2 s$"):
        run(command)


def test_what_hearing_raises_ends_the_program(run: LoggedRunner, tmp_path: Path):
    def heard(line: str) -> None:
        raise WorkError(f"{line} cannot be kept")

    command = replace(python("print('it', flush=True); import time; time.sleep(60)", tmp_path), heard=heard)
    started = time.monotonic()
    with pytest.raises(WorkError, match=r"^it cannot be kept$"):
        run(command)
    assert time.monotonic() - started < 30


TIDY = """if True:
    import os, signal, time
    def tidy(number, frame):
        os.write(1, b"tidied\\n")  # the signal may come within a print, which nothing else may print in
        os._exit(3)
    signal.signal(signal.SIGTERM, {answer})
    os.write(1, b"up\\n")
    time.sleep(60)
"""


def test_what_has_patience_tidies_up_when_all_is_stopped(run: LoggedRunner, tmp_path: Path):
    lines: list[str] = []

    def heard(line: str) -> None:
        lines.append(line)
        if line == "up":
            run.stop()

    outcome = run(replace(python(TIDY.format(answer="tidy"), tmp_path), heard=heard, patience=30))
    assert (outcome.status, lines) == (3, ["up", "tidied"])


def test_what_does_not_end_in_time_is_killed(run: LoggedRunner, tmp_path: Path):
    command = python(TIDY.format(answer="signal.SIG_IGN"), tmp_path)
    outcome = run(replace(command, heard=lambda _: run.stop(), patience=0.2))
    assert outcome.status == -signal.SIGKILL


def test_errors_are_noticed_as_they_come(run: LoggedRunner, tmp_path: Path):
    noticed: list[str] = []
    command = python("import sys; sys.stderr.write('one\\ntwo\\n')", tmp_path)
    outcome = run(replace(command, heard=print, noticed=noticed.append))
    assert (noticed, outcome.stderr) == (["one", "two"], "one\ntwo\n")
