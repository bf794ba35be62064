"""From a prefix to what its pages tell."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from stackgen.catalog.framework import Around, framework_page
from stackgen.catalog.measured import tables
from stackgen.catalog.told import Launcher, read_kernels, read_launcher
from stackgen.catalog.values import Catalog, FrameworkPage, Level, ReleasePage
from stackgen.errors import InputError, WorkError
from stackgen.inside.launcher.deprecation import Deprecation
from stackgen.lock import read_lock
from stackgen.progress import Progress
from stackgen.publish import Published, current_release, place_of, releases
from stackgen.recorded import read_recorded
from stackgen.release import LOCK, RELEASE, REPORT, Check, Release, Report
from stackgen.release_changes import changes_between, package_changes

BENCH = "bench"
"""Where a prefix keeps what has been measured of its releases."""


def read_catalog(prefix: Path, benches: Sequence[Path], progress: Progress) -> Catalog:
    """All that the releases of a prefix tell; `benches` are further directories of `stackgen bench -o`.

    InputError where nothing is published, WorkError where something that was published cannot be read.
    """
    known = releases(prefix)
    if not known and not (prefix / "current").is_symlink():
        raise InputError.of(f"nothing is published in {prefix}", "run `stackgen build` on an environment")
    current = current_release(prefix)
    if current is None or current.name not in {entry.release.name for entry in known}:
        names = [entry.release.name for entry in known]
        remedy = f"`stackgen rollback {prefix} {names[-1]}` goes to one that is" if names else ""
        what = f"{prefix / 'current'} leads to no release that is there"
        raise WorkError(what, remedy or "run `stackgen build` on its environment")
    _tell_strangers(prefix, known, progress)
    before: dict[str, Published] = dict(zip((one.release.name for one in known[1:]), known, strict=False))
    places = (prefix / BENCH, *benches)
    said = tuple(one.told for one in current.deprecations)
    pages = tuple(
        _release_page(prefix, entry, before.get(entry.release.name), places, said)
        for entry in reversed(known)
    )
    site = read_launcher(place_of(prefix, current.name)).site
    return Catalog(prefix=str(prefix), site=site, releases=pages)


def _tell_strangers(prefix: Path, known: Iterable[Published], progress: Progress) -> None:
    """Say which directories among the releases get no pages, since nobody can read what they are."""
    names = {entry.release.name for entry in known}
    for path in sorted((prefix / "releases").iterdir()):
        if path.is_dir() and path.name not in names:
            progress.say(f"note: no pages of {path}: its {RELEASE} cannot be read")


def _release_page(
    prefix: Path,
    entry: Published,
    before: Published | None,
    benches: Sequence[Path],
    deprecations: tuple[Deprecation, ...],
) -> ReleasePage:
    release, place = entry.release, place_of(prefix, entry.release.name)
    recorded, changes = read_recorded(place), _changes(prefix, release, before)
    around = Around(
        place=place,
        release=release,
        launcher=read_launcher(place),
        recorded=recorded,
        kernels=read_kernels(place),
        missing=entry.missing,
        deprecations=deprecations,
    )
    return ReleasePage(
        name=release.name,
        environment=release.environment,
        system=release.system,
        namespace=release.namespace,
        published=entry.published.partition("T")[0],
        current=entry.current,
        before=before.release.name if before else "",
        changes=changes,
        machine=recorded.machine if recorded else None,
        decided=recorded.decided if recorded else (),
        frameworks=tuple(_framework_pages(around, changes, benches)),
        levels=levels(place / "modules", release.namespace),
        unsupported=_unsupported(around.launcher, release),
        venvs=around.launcher.wheelhouse is not None,
    )


def _framework_pages(
    around: Around, changes: tuple[str, ...], benches: Sequence[Path]
) -> Iterator[FrameworkPage]:
    checks = _checks(around.place)
    for framework in around.release.frameworks:
        yield framework_page(
            framework,
            around,
            tuple(check for check in checks if check.framework == framework.name),
            tables(benches, around.release, framework.name),
            tuple(line for line in changes if line.startswith(f"{framework.name}: ")),
        )


def _unsupported(launcher: Launcher, release: Release) -> tuple[tuple[str, str], ...]:
    """What is not here; what is said of a framework that is there is told on its own page."""
    here = {name for one in release.frameworks for name in (one.name, one.module)}
    said = sorted(launcher.unsupported.items())
    return tuple((name, why) for name, why in said if name.lower() not in here)


def _checks(place: Path) -> tuple[Check, ...]:
    path = place / REPORT
    try:
        return Report.model_validate_json(path.read_bytes()).checks
    except (OSError, ValidationError) as error:
        raise WorkError(f"{path} cannot be read", "build its environment again", details=str(error)) from None


def _changes(prefix: Path, release: Release, before: Published | None) -> tuple[str, ...]:
    """What differs from the release before."""
    if before is None:
        return ()
    found = changes_between(before.release, release)
    places = [place_of(prefix, name) / LOCK for name in (before.release.name, release.name)]
    try:
        old, new = map(read_lock, places)
    except InputError:  # a lock of another stackgen
        return found
    return (*found, *package_changes(old, new))


def levels(modules: Path, namespace: str) -> tuple[Level, ...]:
    """The hierarchy below a release's `modules`, without its frameworks: Core first, then by name."""
    found: dict[str, list[str]] = {"Core": []}
    for path in sorted(modules.rglob("*.lua")):
        *parts, name, version = path.relative_to(modules).with_suffix("").parts
        if version.startswith(".") or namespace in parts:
            continue
        found.setdefault("/".join(parts), []).append(f"{name}/{version}")
    return tuple(Level(name=name, modules=tuple(ones)) for name, ones in found.items())
