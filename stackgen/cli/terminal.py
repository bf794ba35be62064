"""What a run looks like: bars on a terminal, plain lines in a log, every detail in a file."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TextIO

import click

from stackgen.progress import Advance

_TICK = 10.0
"""Seconds between two plain lines of one task."""


class LogFile:
    """The details of a run, in a file that exists only once there is something to note."""

    def __init__(self, command: str) -> None:
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        self.path = Path(state) / "stackgen" / "log" / f"{stamp}-{command}-{os.getpid()}.log"
        self._stream: TextIO | None = None
        self._lock = Lock()
        self.written = False

    def write(self, text: str) -> None:
        """Add a text; a log that cannot be written is no reason to stop."""
        with self._lock, suppress(OSError):
            if self._stream is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._stream = self.path.open("a", encoding="utf-8")
            self._stream.write(f"{datetime.now(UTC):%H:%M:%S} {text}\n")
            self._stream.flush()
            self.written = True


class Plain:
    """Progress as lines on stderr, for logs and for `--verbose`."""

    def __init__(self, log: LogFile, *, verbose: bool = False) -> None:
        self._log = log
        self._verbose = verbose

    def say(self, line: str) -> None:
        """Print and log the line."""
        click.echo(line, err=True)
        self._log.write(line)

    def log(self, text: str) -> None:
        """Log the detail; print it too where the user wants to see everything."""
        self._log.write(text)
        if self._verbose:
            click.echo(click.style(text, dim=True), err=True)

    @contextmanager
    def task(self, title: str, total: int, *, unit: str = "files") -> Iterator[Advance]:
        """Print the task at its start and every few seconds."""
        self.say(f"{title} ({_amount(total, unit)})")
        done, shown = 0, time.monotonic()

        def advance(amount: int) -> None:
            nonlocal done, shown
            done += amount
            if time.monotonic() - shown > _TICK:
                shown = time.monotonic()
                self.say(f"{title}: {_amount(done, unit)} of {_amount(total, unit)}")

        yield advance


class Live(Plain):
    """Progress as a bar on a terminal."""

    @contextmanager
    def task(self, title: str, total: int, *, unit: str = "files") -> Iterator[Advance]:
        """Show a bar that goes when the task is done, and leave one line of it."""
        from rich import progress as bars
        from rich.console import Console

        amount = bars.DownloadColumn() if unit == "bytes" else bars.MofNCompleteColumn()
        columns = (bars.SpinnerColumn(), bars.TextColumn("{task.description}"), bars.BarColumn(), amount)
        with bars.Progress(
            *columns, bars.TimeElapsedColumn(), console=Console(stderr=True), transient=True
        ) as live:
            task = live.add_task(title, total=total or None)
            yield lambda done: live.advance(task, done)
        self.say(f"{title} ({_amount(total, unit)})")


def _amount(number: int, unit: str) -> str:
    if unit != "bytes":
        return f"{number} {unit}"
    size = float(number)
    for name in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {name}"
        size /= 1000
    return f"{size:.1f} GB"


def progress_for(log: LogFile, *, verbose: bool) -> Plain:
    """The way to show progress that suits where stderr goes."""
    kind = Live if sys.stderr.isatty() and not verbose else Plain
    return kind(log, verbose=verbose)
