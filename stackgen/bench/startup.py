"""`stackgen bench startup`: how long an import takes, cold and warm, and how many files it opens."""

import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from stackgen.bench.alternating import Values, measured, median, paired, result
from stackgen.bench.kernels import LIMIT, OURS, PIP
from stackgen.bench.peers import Peer
from stackgen.bench.subject import Subject
from stackgen.bench.table import columns, seconds
from stackgen.lock import Json
from stackgen.run import Outcome

_CACHES = Path("/proc/sys/vm/drop_caches")
Starter = Callable[..., Outcome]
"""Takes words, of which `python` is the side's own."""
Counts = tuple[int, int | None]
"""Files opened, and looked up where that can be counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How a Python with the framework starts; seconds and numbers of files."""

    who: str
    warm: float | None
    cold: float | None
    opened: int | None
    looked_up: int | None
    """Files asked for, whether they are there or not; None where nobody can count them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Startup:
    """What was measured of one framework."""

    title: str
    starts: tuple[Start, ...]
    ratio: float | None
    """Of the warm imports, delivered over pip."""
    notes: tuple[str, ...]
    raw: dict[str, list[Values]]

    @property
    def json(self) -> dict[str, Json]:
        """All of it for machines."""
        return asdict(self)


def startup(subject: Subject, other: Peer | str, rounds: int) -> Startup:
    """Import the framework as delivered and as pip installs it, in turn."""
    notes = [other] if isinstance(other, str) else []
    starters: dict[str, Starter] = {OURS: lambda *words: subject.run(words, {}, LIMIT)}
    if isinstance(other, Peer):
        starters[PIP] = lambda *words: other.run(words, {}, LIMIT)
    words = ("python", str(subject.program("importing.py")), subject.imports)
    for start in starters.values():  # what comes first would be colder than what comes later
        start(*words, "time")
    title, progress = f"imports of {subject.framework.name}", subject.tools.progress
    timed = {name: partial(start, *words, "time") for name, start in starters.items()}
    warm = measured(timed, rounds, "start", title, progress)
    cold: dict[str, list[Values]] = {}
    if may_drop(notes):
        dropped = {name: partial(_cold, start) for name, start in timed.items()}
        cold = measured(dropped, rounds, "start", f"{title}, cold", progress)
    counts = {name: _files(start, name, words, notes) for name, start in starters.items()}
    return Startup(
        title=f"start of {subject.framework.name} {subject.framework.version}",
        starts=tuple(_start(name, warm, cold, counts[name]) for name in warm),
        ratio=paired(warm[OURS], warm.get(PIP, []), "seconds"),
        notes=tuple(dict.fromkeys(notes)),
        raw={**warm, **{f"{name}, cold": values for name, values in cold.items()}},
    )


def _start(
    who: str, warm: Mapping[str, Sequence[Values]], cold: Mapping[str, Sequence[Values]], files: Counts
) -> Start:
    opened, looked_up = files
    return Start(
        who=who,
        warm=median(warm[who], "seconds"),
        cold=median(cold.get(who, []), "seconds"),
        opened=opened,
        looked_up=looked_up,
    )


def may_drop(notes: list[str]) -> bool:
    """Whether the kernel's caches may be emptied, which is root's alone; noted where not."""
    try:
        with _CACHES.open("w", encoding="ascii") as stream:
            stream.write("1")
    except OSError as error:
        notes.append(f"no cold imports: the kernel's caches cannot be emptied ({error.strerror})")
        return False
    return True


def drop_caches() -> None:
    """Have the kernel forget pages, directory entries and inodes."""
    os.sync()
    with _CACHES.open("w", encoding="ascii") as stream:
        stream.write("3")


def _cold(start: Callable[[], Outcome]) -> Outcome:
    drop_caches()
    return start()


def _files(start: Starter, who: str, words: tuple[str, ...], notes: list[str]) -> Counts:
    """Counted by strace where it is there, else by Python's audit hook, which sees what Python opens."""
    if not shutil.which("strace", path="/usr/local/bin:/usr/bin:/bin"):
        notes.append("opened files as Python's audit hook sees them: strace is not there to count all")
        return int(result(start(*words, "count"), who)["start"]["opened"]), None
    with TemporaryDirectory(prefix="stackgen-strace-") as place:
        traced = Path(place) / "calls"
        outcome = start("strace", "-f", "-o", str(traced), "-e", "trace=%file", *words, "time")
        if outcome.status == 0:
            notes.append("files as strace sees them")
            return counted(traced.read_text(encoding="utf-8", errors="replace"))
    notes.append("opened files as Python's audit hook sees them: strace may not trace here")
    return int(result(start(*words, "count"), who)["start"]["opened"]), None


def counted(calls: str) -> Counts:
    """How many files a trace of strace's opens, and how many it asks for at all, each as often as it does."""
    asked = [line for line in calls.splitlines() if re.search(r"\) += ", line)]
    opened = [line for line in asked if re.search(r"\bopen(at2?)?\(.*\) += \d", line)]
    return len(opened), len(asked)


def startup_table(made: Startup) -> str:
    """The table, and how it was counted."""
    heads = ("", "warm s", "cold s", "files opened", "looked up")
    lines = [heads, *(_cells(one) for one in made.starts)]
    width = max(len(line[0]) for line in lines)
    text = columns([(line[0].ljust(width), *line[1:]) for line in lines])
    ratio = [f"delivered / pip, warm: {made.ratio:.3f}"] if made.ratio else []
    return "\n".join([made.title, "", text, *ratio, *made.notes])


def _cells(one: Start) -> tuple[str, ...]:
    numbers = ("-" if value is None else str(value) for value in (one.opened, one.looked_up))
    return (one.who, seconds(one.warm), seconds(one.cold), *numbers)
