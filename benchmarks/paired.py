"""Two things timed in turn, so that whatever else the machine does meets both."""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Action = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two: a name, what is timed, and what is done before it, untimed."""

    name: str
    action: Action
    before: Action = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A comparison: medians in seconds, and the goal that the ratio or the time has."""

    title: str
    ours: float
    theirs: float
    goal: str
    met: bool

    @property
    def ratio(self) -> float:
        """Our median over theirs."""
        return self.ours / self.theirs


def medians(sides: Iterable[Side], rounds: int) -> list[float]:
    """The median seconds of each side over alternating rounds."""
    known = list(sides)
    seconds: list[list[float]] = [[] for _ in known]
    for _ in range(rounds):
        for side, taken in zip(known, seconds, strict=True):
            side.before()
            start = time.perf_counter()
            side.action()
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in seconds]


def table(rows: Iterable[Row]) -> str:
    """The rows as text, one a line."""
    lines = [f"{'':<58}{'ours s':>9}{'theirs s':>10}{'ratio':>8}  goal"]
    for row in rows:
        verdict = "met" if row.met else "MISSED"
        lines.append(
            f"{row.title:<58}{row.ours:>9.3f}{row.theirs:>10.3f}{row.ratio:>8.2f}  {row.goal}: {verdict}"
        )
    return "\n".join(lines)
