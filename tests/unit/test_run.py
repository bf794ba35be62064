import sys
from pathlib import Path

import pytest

from stackgen.errors import WorkError
from stackgen.run import Command, LoggedRunner, succeed


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
