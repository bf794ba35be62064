"""Is all that Spack builds from in the mirror? Told before the first package is built, not after hours."""

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor

from stackgen.errors import WorkError
from stackgen.graph import Node
from stackgen.lock import Lock, LockedSource
from stackgen.mirror import Flaw, Mirror
from stackgen.mirror.flaws import flaw
from stackgen.mirror.layout import SOURCES
from stackgen.mirror.manifest import Entry, read_manifest
from stackgen.store.cache import Cache


def require_sources(lock: Lock, nodes: Collection[Node], mirror: Mirror, cache: Cache | None) -> None:
    """WorkError where a mirror lacks what these packages are built from, or holds another file in its place.

    Every byte is read: Spack would do so too, but stop at the first, and by then have built for hours.
    """
    built = {(node.name, node.version) for node in nodes if not (cache and cache.holds(node))}
    sources = {
        source for one in lock.spack for source in one.sources if (source.package, source.version) in built
    }
    faults = [
        f"\n  {its_flaw.kind}: {_described(source)}" + (f": {its_flaw.detail}" if its_flaw.detail else "")
        for source, its_flaw in sorted(_flaws(mirror, sources), key=lambda found: found[0])
    ]
    if faults:
        what = f"the mirror {mirror.root} does not hold all that is to be built from"
        raise WorkError(f"{what}; {mirror.remedy}:{''.join(faults)}")


def _flaws(mirror: Mirror, sources: Collection[LockedSource]) -> Iterator[tuple[LockedSource, Flaw]]:
    if not sources:
        return
    known = {entry.path: entry for entry in read_manifest(mirror.root).files}

    def examined(source: LockedSource) -> Flaw | None:
        return _flaw(mirror, source, known.get(f"{SOURCES}/{source.path}"))

    with ThreadPoolExecutor() as threads:
        for source, its_flaw in zip(sources, threads.map(examined, sources), strict=True):
            if its_flaw:
                yield source, its_flaw


def _flaw(mirror: Mirror, source: LockedSource, entry: Entry | None) -> Flaw | None:
    """What the lock says of a file counts; of the archive of a commit, what the manifest says."""
    place = mirror.root / SOURCES / source.path
    if not place.is_file():
        return Flaw(kind="missing")
    if not entry and not source.sha256:
        return Flaw(kind="altered", detail="the mirror's manifest does not name it")
    size = entry.size if entry else place.stat().st_size
    return flaw(place, size, source.sha256 or (entry.sha256 if entry else ""))


def _described(source: LockedSource) -> str:
    known = f"sha256 {source.sha256}" if source.sha256 else f"commit {source.commit}"
    return f"{source.package} {source.version}  {source.kind} {source.name} ({known})"
