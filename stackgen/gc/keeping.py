"""Which releases somebody needs, and why each is kept."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from stackgen.config import load_system
from stackgen.errors import InputError
from stackgen.gc.pinned import pins
from stackgen.gc.running import Running, user_name
from stackgen.jobs.offers import seconds
from stackgen.publish import Published, releases
from stackgen.publish.history import History, read_history
from stackgen.registered import Registered

_LEAST, _USUAL, _MOST = timedelta(days=1), timedelta(days=7), timedelta(days=36_500)
"""How long at least, how long where nobody says how long a job may be, and what is as good as for ever."""
PATIENCE = timedelta(days=30)
"""How long an entry counts whose thing has gone: a file system may be away for a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the admin wants kept besides: the newest `keep`, and `kept_for` what was current."""

    keep: int = 0
    kept_for: timedelta | None = None
    """By default as long as the longest job."""


@dataclass(slots=True, kw_only=True)
class Kept:
    """Why each release, and each single thing, is kept; what has no reason is not here."""

    releases: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    things: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """By path: prefixes of frameworks, images, packages of Spack."""
    packages: set[str] = field(default_factory=set)
    """Hashes of packages that registered stacks use beside those of their release."""
    told: list[str] = field(default_factory=list)
    """What the admin is to know of what does not count."""


def longest_job(prefix: Path) -> timedelta:
    """How long a job may be on the systems that the releases are for; a week where nobody says."""
    found = [*_times(prefix)]
    return min(_MOST, max(_LEAST, *found)) if found else _USUAL


def _times(prefix: Path) -> Iterator[timedelta]:
    for file in sorted(prefix.glob("releases/*/environment/**/systems/*.yaml")):
        try:
            partitions = load_system(file).scheduler.partitions.values()
        except InputError:
            continue  # of another stackgen
        yield from (timedelta(seconds=seconds(one.time)) if one.time else _USUAL for one in partitions)


def kept(  # noqa: PLR0913 - each says who may need something
    prefix: Path,
    newest: int,
    period: timedelta,
    now: datetime,
    *,
    known: tuple[Published, ...],
    running: Running,
    entries: Iterable[tuple[Registered, datetime]],
) -> Kept:
    """What of a prefix is kept, and why: of releases the `newest`, and for a `period` what was current.

    `entries` are those of users, with when their things were first seen to be gone.
    """
    found, history = Kept(), read_history(prefix)
    names = [entry.release.name for entry in known]
    _current(found, known, history)
    for name, why in pins(prefix).items():
        if name in names:
            found.releases[name].append(f"pinned: {why}")
    for name in names[-newest:] if newest else ():
        found.releases[name].append(f"one of the newest {newest}")
    _recent(found, names, history, period, now)
    for entry, since in entries:
        _registered(found, entry, since, now, names)
    _used(found, prefix, known, running)
    return found


def _current(found: Kept, known: tuple[Published, ...], history: History) -> None:
    current = next((one.release.name for one in known if one.current), "")
    if not current:
        return
    found.releases[current].append("current")
    whole = {one.release.name for one in known if not one.missing}
    if before := next((name for name in history.before(current) if name in whole), ""):
        found.releases[before].append("where `stackgen rollback` leads")


def _recent(found: Kept, names: list[str], history: History, period: timedelta, now: datetime) -> None:
    """Jobs that began while a release was the current one may run on, on any node."""
    for name in names:
        until = _current_until(history, name, now)
        if until and now - until < period:
            lately = f"current until {until:%Y-%m-%d}, so jobs may use it until {until + period:%Y-%m-%d}"
            found.releases[name].append(lately)


def _current_until(history: History, name: str, now: datetime) -> datetime | None:
    """When a release stopped being the current one; None where it has not.

    One that the history does not know may have been until that begins: it was lost, and began anew.
    """
    switches = history.switches
    ends = [
        after.at for before, after in pairwise(switches) if before.release == name and after.release != name
    ]
    if name not in {one.release for one in switches}:
        ends = [one.at for one in switches[:1]] or [now.isoformat()]
    try:
        return datetime.fromisoformat(ends[-1]).astimezone(UTC) if ends else None
    except ValueError:
        return now


def _registered(found: Kept, one: Registered, since: datetime, now: datetime, names: list[str]) -> None:
    name = one.file.name if one.file.name.isprintable() else repr(one.file.name)
    who = f"the entry {name} of {user_name(one.owner)}"
    if one.entry is None or one.fault:
        found.told.append(f"{who} does not count: {one.fault}")
        return
    what = f"{one.entry.place}, a {one.entry.kind} of {user_name(one.owner)}"
    if one.entry.release not in names:
        found.told.append(f"{what}, stands on release {one.entry.release}, which is not here")
    elif one.gone and now - since >= PATIENCE:
        found.told.append(f"{what}, has gone, and counts no more")
    else:
        gone = f", gone since {since:%Y-%m-%d}" if one.gone else ""
        found.releases[one.entry.release].append(f"{what}{gone}")
        found.packages |= {*one.packages}
        if one.gone:
            until = since + PATIENCE
            found.told.append(f"{what}, has gone; it counts until {until:%Y-%m-%d}")


def _used(found: Kept, prefix: Path, known: tuple[Published, ...], running: Running) -> None:
    """What processes use keeps a release that has it, or itself where none has."""
    for path, users in sorted(running.users.items()):
        name = _release_of(Path(path), known)
        others = f" and {len(users) - 1} more" if len(users) > 1 else ""
        why = f"used by {users[0]}{others}"
        if name and why not in found.releases[name]:
            found.releases[name].append(why)
        if not name or Path(path).parent.name == "publications":
            found.things[path].append(why)


def _release_of(path: Path, known: tuple[Published, ...]) -> str:
    """The newest release that something belongs to; nothing where it is none's."""
    area, name = path.parts[-2:]
    if area in {"releases", "publications"}:
        return name if any(one.release.name == name for one in known) else ""
    for one in reversed(known):
        if local(path) in {local(framework.place) for framework in one.release.frameworks}:
            return one.release.name
    return ""


def local(place: str | Path) -> str:
    """A framework, an image, by what it is called in its prefix, which may have several names."""
    return "/".join(Path(place).parts[-2:])


def all_releases(prefix: Path) -> tuple[Published, ...]:
    """Every release of a prefix, the oldest first; InputError where there is none."""
    found = releases(prefix) if (prefix / "releases").is_dir() else ()
    if not found:
        raise InputError.of(f"nothing is published in {prefix}", "name the prefix of a stack")
    return found


def said(reasons: Mapping[str, Iterable[str]], name: str) -> tuple[str, ...]:
    """Why something is kept, each reason once."""
    return tuple(dict.fromkeys(reasons.get(name, ())))
