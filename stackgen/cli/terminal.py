"""What a run looks like: bars on a terminal, plain lines in a log, every detail in a file."""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TextIO

import click

from stackgen.progress import Advance

if TYPE_CHECKING:
    from rich.console import Console

_TICK = 10.0
"""Seconds between two plain lines of one task."""
_WIDEST = 300
"""Characters of a detail's line that a screen shows; the log has all."""


class LogFile:
    """The details of a run, in a file that exists only once there is something to note."""

    def __init__(self, command: str) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        self.path = Path(f"{stamp}-{command}-{os.getpid()}.log")
        """Where the file is, once something is written; until then, its name."""
        self._stream: TextIO | None = None
        self._lock = Lock()

    def write(self, text: str) -> None:
        """Add a text; a log that cannot be written is no reason to stop."""
        with self._lock, suppress(OSError):
            self._stream = self._stream or self._opened()
            self._stream.write(f"{datetime.now(UTC):%H:%M:%S} {text}\n")
            self._stream.flush()

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._stream:
            self._stream.close()
            self._stream = None

    def _opened(self) -> TextIO:
        try:
            directory = _state_directory() / "stackgen" / "log"
            directory.mkdir(parents=True, exist_ok=True)
            return self._open_in(directory)
        except (OSError, RuntimeError):  # there is no home, or none to write to
            return self._open_in(Path(tempfile.mkdtemp(prefix="stackgen-")))

    def _open_in(self, directory: Path) -> TextIO:
        stream = (directory / self.path.name).open("a", encoding="utf-8", errors="backslashreplace")
        self.path = directory / self.path.name
        return stream


def _state_directory() -> Path:
    """As XDG has it; RuntimeError where the user has no home."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state").absolute()


class Plain:
    """Progress as lines on stderr, for logs and for `--verbose`."""

    def __init__(self, log: LogFile, *, verbose: bool = False) -> None:
        self._log = log
        self._verbose = verbose
        self._shown = time.monotonic()

    def say(self, line: str) -> None:
        """Print and log the line; a screen that is gone is no reason to stop."""
        self._shown = time.monotonic()
        with suppress(OSError):
            self._show(line)
        self._log.write(line)

    def _show(self, line: str) -> None:
        click.echo(line, err=True)

    def log(self, text: str) -> None:
        """Log the detail; print it too where the user wants to see everything."""
        self._log.write(text)
        if self._verbose:
            shown = "\n".join(map(_cut, text.splitlines()))
            with suppress(OSError):
                click.echo(click.style(shown, dim=True), err=True)

    def now(self, text: str) -> None:
        """Print what the task is at, where nothing was printed for a while."""
        if text and time.monotonic() - self._shown > _TICK:
            self.say(f"now {text}")

    @contextmanager
    def task(self, title: str, total: int, *, unit: str = "files") -> Iterator[Advance]:
        """Print the task at its start and every few seconds."""
        self.say(_headline(title, total, unit))
        done = 0

        def advance(amount: int) -> None:
            nonlocal done
            done += amount
            if time.monotonic() - self._shown > _TICK and (not total or done < total):
                self.say(f"{title}: {_share(done, total, unit)}" if total else title)

        yield advance


class Live(Plain):
    """Progress as a bar on a terminal, or as a clock where no total is known."""

    _console: "Console | None" = None
    """Where a bar is just shown: lines go above it."""
    _describe: Callable[[str], None] = staticmethod(lambda _: None)
    """Puts a text beside the bar that is just shown."""

    def now(self, text: str) -> None:
        """Show it beside the bar."""
        self._describe(text)

    def _show(self, line: str) -> None:
        if self._console:
            self._console.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)
        else:
            super()._show(line)

    @contextmanager
    def task(self, title: str, total: int, *, unit: str = "files") -> Iterator[Advance]:
        """Show a bar that goes when the task is done, and leave one line of it."""
        from rich import progress as bars
        from rich.console import Console
        from rich.table import Column

        amount = bars.DownloadColumn() if unit == "bytes" else bars.MofNCompleteColumn()
        columns = (
            *(bars.SpinnerColumn(), bars.TextColumn("{task.description}", markup=False)),
            *((bars.BarColumn(), amount) if total else ()),
            bars.TimeElapsedColumn(),
            bars.TextColumn("{task.fields[now]}", markup=False, table_column=Column(no_wrap=True)),
        )
        with bars.Progress(*columns, console=Console(stderr=True), transient=True) as live:
            self._console = live.console
            try:
                task = live.add_task(title, total=total or None, now="")
                self._describe = lambda text: live.update(task, now=text)
                yield lambda done: live.advance(task, done)
            finally:
                self._console = None
                del self._describe
        self.say(_headline(title, total, unit))


def _cut(line: str) -> str:
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…"


def _headline(title: str, total: int, unit: str) -> str:
    return f"{title} ({_amount(total, unit)})" if total else title


def _share(done: int, total: int, unit: str) -> str:
    return f"{_amount(done, unit) if unit == 'bytes' else done} of {_amount(total, unit)}"


def _amount(number: int, unit: str) -> str:
    if unit != "bytes":
        return f"{number} {unit.removesuffix('s') if number == 1 else unit}"
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
