"""How the stages tell what they do; the command line decides what that looks like."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int], None]
"""Called with how much of a task's total has been done since the last call."""


class Progress(Protocol):
    """Where a stage reports: lines for people, details for the log."""

    def say(self, line: str) -> None:
        """Tell the user one line."""
        ...

    def log(self, text: str) -> None:
        """Note a detail that only the log file shows."""
        ...

    def now(self, text: str) -> None:
        """Show what the running task is at; a new text takes the place of the last."""
        ...

    def task(self, title: str, total: int, *, unit: str = "files") -> AbstractContextManager[Advance]:
        """Show a task of `total` units (`files` or `bytes`; 0: nobody knows) while its block runs."""
        ...


class Silent:
    """A Progress that keeps quiet."""

    def say(self, line: str) -> None:
        """Drop the line."""

    def log(self, text: str) -> None:
        """Drop the detail."""

    def now(self, text: str) -> None:
        """Drop the text."""

    @contextmanager
    def task(self, title: str, total: int, *, unit: str = "files") -> Iterator[Advance]:
        """Show nothing."""
        yield lambda _: None
