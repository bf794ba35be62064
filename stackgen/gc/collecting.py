"""One run of `stackgen gc`: look at everything, say why it is kept, remove the rest."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from stackgen import files
from stackgen.errors import InputError, WorkError
from stackgen.gc.keeping import PATIENCE, Choice, all_releases, kept, longest_job
from stackgen.gc.removing import remove
from stackgen.gc.running import running
from stackgen.gc.things import Thing, things
from stackgen.progress import Progress
from stackgen.publish import Published, Spider
from stackgen.registered import Registered, registered
from stackgen.run import Runner
from stackgen.store import tree_below
from stackgen.underlying import RECORD


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What was found, in the order of `things`; what has no reason to be kept is gone, unless it was dry."""

    things: tuple[Thing, ...]
    told: tuple[str, ...]
    unseen: int
    """How many processes of others could not be looked at."""
    sizes: Mapping[Path, int]
    """Bytes of what nobody needs."""


def collect(  # noqa: PLR0913 - the stages share the order of their arguments
    prefix: Path,
    choice: Choice,
    run: Runner,
    progress: Progress,
    spider: Spider | None = None,
    *,
    dry: bool = False,
    now: datetime | None = None,
) -> Collected:
    """Find what nobody needs below a prefix, and unless it is `dry` remove it.

    InputError where it is no prefix, or one that was moved; WorkError where it cannot be told what is needed.
    """
    prefix = its_own_name(prefix, all_releases(prefix))
    moment = now or datetime.now(UTC)
    with files.exclusive(prefix, progress):
        found = _found(prefix, choice, moment)
        unneeded = [thing for thing in found.things if not thing.kept]
        found = replace(found, sizes={thing.path: thing.size for thing in unneeded})
        if not dry:
            remove(prefix, unneeded, run, progress, spider)
            _forget(prefix, moment)
    return found


def _found(prefix: Path, choice: Choice, now: datetime) -> Collected:
    known = all_releases(prefix)
    _refuse_unreadable(prefix, known)
    _refuse_headless(prefix, known)
    seen = running(prefix, tree_below(prefix), names=_names(prefix, known))
    entries = tuple(_entries(prefix, now))
    period = longest_job(prefix) if choice.kept_for is None else choice.kept_for
    reasons = kept(prefix, choice.keep, period, now, known=known, running=seen, entries=entries)
    found = things(prefix, known, reasons, now, period)
    return Collected(things=found, told=tuple(reasons.told), unseen=seen.unseen, sizes={})


def its_own_name(prefix: Path, known: tuple[Published, ...]) -> Path:
    """The prefix as its releases name it; InputError where they were built for another place."""
    prefix = prefix.absolute()
    if named := _names(prefix, known):
        return min(named)
    own = [one for one in known if not (prefix / "releases" / one.release.name / RECORD).exists()]
    if others := ", ".join(sorted(map(str, _places(own)))):
        raise InputError.of(f"what is published in {prefix} was built in {others}", "run it there")
    return prefix


def _names(prefix: Path, known: Iterable[Published]) -> set[Path]:
    """All that its releases call a prefix: what a link leads to may have been built by either name."""
    return {other for other in _places(known) if other == prefix or _is_same(other, prefix)}


def _is_same(other: Path, prefix: Path) -> bool:
    try:
        return other.samefile(prefix)
    except OSError:
        return False


def _places(known: Iterable[Published]) -> set[Path]:
    """The prefixes in which frameworks of releases lie."""
    return {Path(framework.place).parents[1] for one in known for framework in one.release.frameworks}


def _refuse_unreadable(prefix: Path, known: tuple[Published, ...]) -> None:
    names = {one.release.name for one in known}
    for place in sorted((prefix / "releases").glob("[!.]*")):
        if place.name not in names:
            what = f"{place} is no release that can be read, so it cannot be told what it needs"
            raise WorkError(what, "nothing is removed; move it out of the prefix")


def _refuse_headless(prefix: Path, known: tuple[Published, ...]) -> None:
    if not any(one.current for one in known):
        what = f"{prefix}/current leads to no release, so it cannot be told what users have"
        raise WorkError(what, f"nothing is removed; run `stackgen rollback {prefix} RELEASE` first")


def _memory(prefix: Path) -> Path:
    return prefix / "releases/.gone.json"


def _entries(prefix: Path, now: datetime) -> Iterator[tuple[Registered, datetime]]:
    """The entries of users, with when their things were first found to be gone."""
    before = _remembered(prefix)
    for one in registered(prefix):
        since = now
        with suppress(KeyError, ValueError):
            since = datetime.fromisoformat(before[one.file.name])
        yield one, since


def _remembered(prefix: Path) -> Mapping[str, str]:
    try:
        said = json.loads(_memory(prefix).read_bytes())
        return {str(name): str(since) for name, since in said.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _forget(prefix: Path, now: datetime) -> None:
    """Remember since when things are gone, and remove the entries of those that have been for long."""
    gone = {one.file: since for one, since in _entries(prefix, now) if one.gone}
    for file in [file for file, since in gone.items() if now - since >= PATIENCE]:
        with suppress(OSError):
            file.unlink()
        del gone[file]
    said = {file.name: since.isoformat(timespec="seconds") for file, since in gone.items()}
    if said != _remembered(prefix):
        files.write(_memory(prefix), json.dumps(said, indent=1, sort_keys=True) + "\n")
