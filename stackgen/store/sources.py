"""Is all that Spack builds from in the mirror? Told before the first package is built, not after hours."""

from collections.abc import Collection, Iterator
from pathlib import Path

from stackgen import files
from stackgen.errors import WorkError
from stackgen.graph import Node
from stackgen.lock import Lock, LockedSource
from stackgen.mirror import Mirror
from stackgen.mirror.layout import SOURCES
from stackgen.mirror.manifest import read_manifest
from stackgen.store.cache import Cache


def require_sources(lock: Lock, nodes: Collection[Node], mirror: Mirror, cache: Cache | None) -> None:
    """WorkError where a mirror lacks what these packages are built from, or holds another file in its place.

    Spack checks each file against its SHA-256 as it takes it. Archives of commits have none in a recipe, so
    they are checked here, by what the mirror's manifest says.
    """
    built = {(node.name, node.version) for node in nodes if not (cache and cache.holds(node))}
    sources = {
        source for one in lock.spack for source in one.sources if (source.package, source.version) in built
    }
    missing = sorted(source for source in sources if not _place(mirror, source).is_file())
    if missing:
        listed = "".join(f"\n  {_described(source)}" for source in missing)
        raise WorkError(f"the mirror {mirror.root} lacks {len(missing)} sources; {_remedy(mirror)}:{listed}")
    if altered := sorted(_altered(mirror, [source for source in sources if not source.sha256])):
        names = ", ".join(map(_described, altered))
        raise WorkError(
            f"the mirror {mirror.root} does not hold what it was made with: {names}", _remedy(mirror)
        )


def _altered(mirror: Mirror, sources: Collection[LockedSource]) -> Iterator[LockedSource]:
    if not sources:
        return
    known = {entry.path: entry.sha256 for entry in read_manifest(mirror.root).files}
    for source in sources:
        with files.reported(f"cannot read {mirror.root}"):
            found = files.sha256(_place(mirror, source))
        if found != known.get(f"{SOURCES}/{source.path}"):
            yield source


def _place(mirror: Mirror, source: LockedSource) -> Path:
    return mirror.root / SOURCES / source.path


def _described(source: LockedSource) -> str:
    known = f"sha256 {source.sha256}" if source.sha256 else f"commit {source.commit}"
    return f"{source.package} {source.version}  {source.kind} {source.name} ({known})"


def _remedy(mirror: Mirror) -> str:
    command = f"stackgen mirror create ENV.yaml -d {mirror.root}"
    return f"make it whole with `{command}` where there is a network, or name another with --mirror"
