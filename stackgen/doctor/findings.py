"""What was looked for on a machine: what it is called, whether it is there, and what mends it."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from stackgen.errors import StackgenError
from stackgen.run import Command, Outcome, Runner


class State(StrEnum):
    """Whether something is there, and whether it must be."""

    GOOD = "good"
    OPTIONAL = "optional"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked for: what was found, and the command that mends it."""

    name: str
    state: State
    found: str
    remedy: str = ""


def said(run: Runner, program: str, *words: str) -> str:
    """What a program prints, wherever it prints it; nothing where it fails."""
    outcome = asked(run, program, *words)
    return "" if outcome is None or outcome.status else outcome.stdout + outcome.stderr


def asked(run: Runner, program: str, *words: str) -> Outcome | None:
    """How a program of the user's ended; None where it did not in time."""
    kept = {name: os.environ[name] for name in ("PATH", "SLURM_CONF", "HOME") if name in os.environ}
    argv = (shutil.which(program) or program, *words)
    try:
        return run(Command(argv=argv, environment=kept, directory=Path("/"), timeout=10))
    except StackgenError:
        return None


def install(what: str, packages: Mapping[str, str]) -> str:
    """The command that brings something, where this machine has one of the managers of `packages`."""
    commands = {"apt": "apt-get install", "dnf": "dnf install", "zypper": "zypper install"}
    for manager, package in packages.items():
        if shutil.which("apt-get" if manager == "apt" else manager):
            return f"{commands[manager]} {package}"
    return f"install {what}"
