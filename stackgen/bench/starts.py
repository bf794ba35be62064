"""How a framework starts from its image, and without: seconds of the import, and files that are asked for."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from stackgen.bench.alternating import Values, measured, median
from stackgen.bench.contained import CONTAINER, PREFIX, Contained, Desk
from stackgen.bench.kernels import LIMIT
from stackgen.bench.lookups import OPTIONS, Lookups, lookups
from stackgen.bench.startup import drop_caches, may_drop
from stackgen.bench.subject import Subject
from stackgen.bench.table import columns, seconds
from stackgen.lock import Json
from stackgen.run import Outcome

_TRACERS = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """How one side starts; seconds and numbers of files."""

    who: str
    warm: float
    cold: float | None
    """Of the first import, with nothing of it in the kernel's caches and no image mounted."""
    opened: int | None
    """Of the prefix's file system, by one start; None where nobody can count them."""
    looked_up: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """What was measured of one framework."""

    title: str
    starts: tuple[Started, ...]
    warm: float
    """The container's over the prefix's, of the medians."""
    cold: float | None
    looked_up: float | None
    notes: tuple[str, ...]
    raw: dict[str, list[Values]]

    @property
    def json(self) -> dict[str, Json]:
        """All of it for machines."""
        return asdict(self)


def starts(both: Contained, rounds: int, desk: Desk) -> Starts:
    """Import the framework on both sides, in turn: warm, and cold where the caches may be emptied."""
    notes: list[str] = []
    framework, progress = both.outside.framework, both.outside.tools.progress
    words = ("python", desk.program("importing.py"), both.outside.imports, "time")
    sides = {name: partial(desk.run, one, words, {}, LIMIT) for name, one in both.sides.items()}
    title = f"imports of {framework.name}"
    for start in sides.values():  # what comes first would be colder than what comes later
        start()
    warm = measured(sides, rounds, "start", title, progress)
    cold: dict[str, list[Values]] = {}
    if may_drop(notes):
        dropped = {name: partial(_cold, desk, both.image, start) for name, start in sides.items()}
        cold = measured(dropped, rounds, "start", f"{title}, cold", progress)
    for start in sides.values():  # the image is mounted again
        start()
    counted = {name: _counted(both, one, desk, words, notes) for name, one in both.sides.items()}
    return Starts(
        title=f"start of {framework.name} {framework.version} from its prefix and from its image",
        starts=tuple(_started(name, warm, cold, counted[name]) for name in sides),
        warm=_ratio(warm, "seconds") or 0.0,
        cold=_ratio(cold, "seconds"),
        looked_up=_fewer(counted),
        notes=tuple(dict.fromkeys(notes)),
        raw={**warm, **{f"{name}, cold": values for name, values in cold.items()}},
    )


def _started(
    who: str,
    warm: Mapping[str, Sequence[Values]],
    cold: Mapping[str, Sequence[Values]],
    found: Lookups | None,
) -> Started:
    return Started(
        who=who,
        warm=median(warm[who], "seconds") or 0.0,
        cold=median(cold.get(who, []), "seconds"),
        opened=found.opened if found else None,
        looked_up=found.looked_up if found else None,
    )


def _ratio(found: Mapping[str, Sequence[Values]], what: str) -> float | None:
    inside, outside = (median(found.get(name, []), what) for name in (CONTAINER, PREFIX))
    return inside / outside if inside and outside else None


def _fewer(counted: Mapping[str, Lookups | None]) -> float | None:
    inside, outside = counted[CONTAINER], counted[PREFIX]
    return inside.looked_up / outside.looked_up if inside and outside and outside.looked_up else None


def _cold(desk: Desk, image: Path, start: Callable[[], Outcome]) -> Outcome:
    """The first start on a machine: nothing mounted, nothing read."""
    desk.unmount(image)
    drop_caches()
    return start()


def _counted(
    both: Contained, subject: Subject, desk: Desk, words: tuple[str, ...], notes: list[str]
) -> Lookups | None:
    """What one start asks of the file system of the prefix, the image being mounted already."""
    if not shutil.which("strace", path=_TRACERS):
        notes.append("files are not counted: strace is not there")
        return None
    trace = desk.home / "trace"
    outcome = desk.run(subject, (*OPTIONS, "-o", str(trace), *words), {}, LIMIT)
    if outcome.status:
        notes.append("files are not counted: strace may not trace here")
        return None
    place = both.outside.project.prefix
    notes.append(f"files asked for below {place}, as strace sees them, the image being mounted already")
    return lookups(trace.read_text(encoding="utf-8", errors="replace"), (place,))


def starts_table(made: Starts) -> str:
    """Both sides below each other, and how they were counted."""
    heads = ("", "warm s", "cold s", "files opened", "looked up")
    lines = [heads, *map(_cells, made.starts)]
    width = max(len(line[0]) for line in lines)
    text = columns([(line[0].ljust(width), *line[1:]) for line in lines])
    ratios = {"warm": made.warm, "cold": made.cold, "looked up": made.looked_up}
    told = ", ".join(f"{name} {value:.4g}" for name, value in ratios.items() if value is not None)
    return "\n".join([made.title, "", text, f"{CONTAINER} / {PREFIX}: {told}", *made.notes])


def _cells(one: Started) -> tuple[str, ...]:
    numbers = ("-" if value is None else str(value) for value in (one.opened, one.looked_up))
    return (one.who, seconds(one.warm), seconds(one.cold), *numbers)
