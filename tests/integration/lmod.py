"""Real shells with a real Lmod: scripts of module commands, and what the environment was in between."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from stackgen.progress import Silent
from stackgen.run import Command, LoggedRunner

ROOTS = (os.environ.get("LMOD_PKG", ""), "/usr/share/lmod/lmod", "/opt/apps/lmod/lmod", "/usr/share/lmod")
ROOT = next((Path(root) for root in ROOTS if root and Path(root, "init/bash").exists()), None)

NOISE = ("_", "_ModuleTable", "__LMOD_REF_COUNT_")
"""The last command, and what Lmod keeps count in once it has run at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """A shell by the words that start a script, and how it sets and unsets a variable."""

    name: str
    start: tuple[str, ...]
    init: str
    assign: str
    unset: str

    def set(self, variable: str, value: str) -> str:
        """The line that exports a variable; the value may not hold a quote or an exclamation mark."""
        return self.assign.format(variable, value)

    def forget(self, variable: str) -> str:
        """The line that unsets a variable."""
        return self.unset.format(variable)


_POSIX = {"assign": "export {}='{}'", "unset": "unset {}"}
SHELLS = {
    "bash": Shell(name="bash", start=("bash", "--noprofile", "--norc"), init="bash", **_POSIX),
    "zsh": Shell(name="zsh", start=("zsh", "-f"), init="zsh", **_POSIX),
    "tcsh": Shell(
        name="tcsh", start=("tcsh", "-f"), init="tcsh", assign="setenv {} '{}'", unset="unsetenv {}"
    ),
    "fish": Shell(
        name="fish", start=("fish", "--no-config"), init="fish", assign="set -gx {} '{}'", unset="set -e {}"
    ),
}


def shell(name: str) -> Shell:
    """A shell, or the test is skipped."""
    if ROOT is None:
        pytest.skip("Lmod is not installed")
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    return SHELLS[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a script left: what it printed, and the environments that it noted by name."""

    output: str
    noted: dict[str, dict[str, str]]


def session(chosen: Shell, core: Path, lines: Sequence[str], given: dict[str, str], work: Path) -> Session:
    """Run lines after `module use CORE`; `note NAME` among them keeps the environment of that moment."""
    notes = work / "notes"
    notes.mkdir()
    words = [f"source {ROOT}/init/{chosen.init}", f"module use {core}"]
    words += [f"env -0 > {notes}/{line[5:]}" if line.startswith("note ") else line for line in lines]
    script = work / "script"
    script.write_text("".join(f"{word}\n" for word in words))
    home = {"HOME": str(work), "USER": "user", "TERM": "dumb", "COLUMNS": "80", "LMOD_PAGER": "none"}
    done = LoggedRunner(Silent())(
        Command(
            argv=(*chosen.start, str(script)),
            environment={"PATH": "/usr/bin:/bin", **home, **given},
            directory=work,
            timeout=60,
        )
    )
    noted = {note.name: environment(note) for note in notes.iterdir()}
    return Session(output=done.stdout + done.stderr, noted=noted)


def environment(note: Path) -> dict[str, str]:
    """A noted environment without the noise."""
    pairs = (entry.split("=", 1) for entry in note.read_text(errors="surrogateescape").split("\0") if entry)
    return {name: value for name, value in pairs if name != "_" and not name.startswith(NOISE[1:])}
