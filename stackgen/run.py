"""The only starter of processes."""

import os
import shlex
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stackgen.errors import WorkError
from stackgen.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program to start: its words, its whole environment, its working directory; nothing is inherited."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    stdin: str = ""
    timeout: float | None = None
    """Seconds."""

    def __str__(self) -> str:
        return shlex.join(self.argv)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a finished program left: exit status (negative: a signal's number) and its two streams."""

    status: int
    stdout: str
    stderr: str


class TimeLimitError(WorkError):
    """A command did not end within its time; it and all that it started are gone."""


class Runner(Protocol):
    """What starts commands; the one thing that tests may replace."""

    def __call__(self, command: Command) -> Outcome:
        """Run to the end and return the outcome, whatever the status; WorkError where it cannot start."""
        ...


class LoggedRunner:
    """Starts real processes and notes each, its status and its streams in the log."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __call__(self, command: Command) -> Outcome:
        """Run to the end; a program that is missing or runs out of time is a WorkError."""
        self._progress.log(f"$ cd {command.directory} && {command}")
        try:
            outcome = _run(command)
        except FileNotFoundError as error:
            raise WorkError(
                f"{command.argv[0]} cannot be started: {error.strerror}", "see `stackgen doctor`"
            ) from None
        except PermissionError as error:
            raise WorkError(f"{command.argv[0]} cannot be started: {error.strerror}") from None
        except subprocess.TimeoutExpired:
            raise TimeLimitError(f"`{command}` did not end within {command.timeout:g} s") from None
        self._progress.log(f"[{outcome.status}]\n{outcome.stdout}{outcome.stderr}".rstrip())
        return outcome


def _run(command: Command) -> Outcome:
    """Run in a session of its own, so that nothing it started outlives a time limit or an interrupt."""
    with subprocess.Popen(
        command.argv,
        env=dict(command.environment),
        cwd=command.directory,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            stdout, stderr = process.communicate(command.stdin, command.timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return Outcome(status=process.returncode, stdout=stdout, stderr=stderr)


def succeed(run: Runner, command: Command, failure: str, remedy: str = "") -> Outcome:
    """The outcome of a command that must end with 0; otherwise WorkError with its last words."""
    outcome = run(command)
    if outcome.status == 0:
        return outcome
    words = (outcome.stderr.strip() or outcome.stdout.strip()).splitlines()
    raise WorkError(
        f"{failure}: {words[-1] if words else f'exit status {outcome.status}'}",
        remedy,
        details=f"$ {command}\n{outcome.stdout}{outcome.stderr}",
    )
