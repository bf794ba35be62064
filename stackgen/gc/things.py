"""Everything below a prefix that could be removed, and what of it nobody needs."""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from stackgen.errors import InputError, WorkError
from stackgen.gc.keeping import PATIENCE, Kept, local, said
from stackgen.graph import graph
from stackgen.lock import Lock, read_lock
from stackgen.publish import Published, place_of
from stackgen.release import LOCK, Release, read_release
from stackgen.store.place import tree_below

Kind = Literal["release", "publication", "framework", "image", "package", "left over"]
ASIDE = ".removed-"
"""What the names of things begin with that are being removed."""
_HASH = 32
"""Letters and digits of a hash of Spack's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Something below a prefix; `kept` says why, and is empty where nobody needs it."""

    kind: Kind
    path: Path
    kept: tuple[str, ...] = ()
    hash: str = ""
    """Of a package of Spack's."""

    @property
    def name(self) -> str:
        """What people call it."""
        return self.path.name

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return _size(self.path)


def _size(path: Path) -> int:
    try:
        status = path.lstat()
    except OSError:
        return 0
    if not stat.S_ISDIR(status.st_mode):
        return status.st_blocks * 512
    total = 0
    for root, _, names in os.walk(path):
        for name in (".", *names):
            try:
                total += os.lstat(os.path.join(root, name)).st_blocks * 512  # noqa: PTH118 - hot
            except OSError:
                continue
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class _Needed:
    """What kept releases stand on: frameworks and images by their names, and hashes, with who needs them."""

    places: Mapping[str, str]
    packages: Mapping[str, str]


def things(
    prefix: Path, known: tuple[Published, ...], kept: Kept, now: datetime, period: timedelta
) -> tuple[Thing, ...]:
    """All of it, releases first; what a build may be making is younger than `period`, and kept.

    WorkError where it cannot be told what a kept release needs.
    """
    needed = _needed(prefix, known, kept, now)
    young = (now - period).timestamp()
    return (
        *_releases(prefix, known, kept),
        *_publications(prefix, kept),
        *_frameworks(prefix, needed, kept, young),
        *_packages(prefix, needed, kept, young),
        *_left_over(prefix, now),
    )


def _releases(prefix: Path, known: tuple[Published, ...], kept: Kept) -> Iterator[Thing]:
    for one in known:
        name = one.release.name
        yield Thing(kind="release", path=place_of(prefix, name), kept=said(kept.releases, name))


def _needed(prefix: Path, known: tuple[Published, ...], kept: Kept, now: datetime) -> _Needed:
    places: dict[str, str] = {}
    packages: dict[str, str] = {}
    for release, directory in _standing(prefix, known, kept, now):
        why = f"release {release.name}"
        for framework in release.frameworks:
            places.setdefault(local(framework.place), why)
        for key in _hashes(_lock(directory)):
            packages.setdefault(key, why)
    for key in kept.packages:
        packages.setdefault(key, "a registered stack")
    return _Needed(places=places, packages=packages)


def _standing(
    prefix: Path, known: tuple[Published, ...], kept: Kept, now: datetime
) -> Iterator[tuple[Release, Path]]:
    """The releases whose parts stay: those that are kept, and those that wait for their publication."""
    for one in known:
        if kept.releases.get(one.release.name):
            yield one.release, place_of(prefix, one.release.name)
    for directory in _staged(prefix):
        if not _is_forgotten(directory, now):
            yield read_release(directory), directory


def _staged(prefix: Path) -> list[Path]:
    return sorted((prefix / "staged").glob("[!.]*"))


def _is_forgotten(directory: Path, now: datetime) -> bool:
    """Whether a release waits for its publication so long that nobody will publish it."""
    return now.timestamp() - directory.stat().st_mtime > PATIENCE.total_seconds()


def _lock(directory: Path) -> Lock:
    try:
        return read_lock(directory / LOCK)
    except InputError as error:
        what = f"it cannot be told what the release {directory} needs: {error}"
        raise WorkError(what, "nothing is removed; mend it, or move it out of the prefix") from None


def _hashes(lock: Lock) -> Iterator[str]:
    for one in lock.spack:
        yield from graph(one.text).nodes


def _publications(prefix: Path, kept: Kept) -> Iterator[Thing]:
    """Of a release's, only the one that users see; a rollback writes another anew."""
    shown = (prefix / "current").resolve()
    for path in sorted((prefix / "publications").glob("*/[!.]*")):
        used = said(kept.things, str(path.parent))
        yield Thing(kind="publication", path=path, kept=("current",) if path.resolve() == shown else used)


def _frameworks(prefix: Path, needed: _Needed, kept: Kept, young: float) -> Iterator[Thing]:
    for path in sorted((prefix / "pythons").glob("[!.]*")):
        yield _thing("framework", path, needed.places, kept, young)
    for path in sorted((prefix / "images").glob("[!.]*.sqfs")):
        yield _thing("image", path, needed.places, kept, young)


def _thing(kind: Kind, path: Path, needed: Mapping[str, str], kept: Kept, young: float) -> Thing:
    why = [needed[local(path)]] if local(path) in needed else []
    why += said(kept.things, str(path))
    if not why and path.lstat().st_mtime > young:
        why = ["new: a build may go on with it"]
    return Thing(kind=kind, path=path, kept=tuple(why))


def _packages(prefix: Path, needed: _Needed, kept: Kept, young: float) -> Iterator[Thing]:
    """What Spack has installed: directories that end with a hash."""
    found = {}
    for path in sorted(tree_below(prefix).glob("linux-*/[!.]*")):
        key = path.name.rpartition("-")[2]
        if not path.is_symlink() and path.is_dir() and len(key) == _HASH:
            theirs = {local(path): needed.packages[key]} if key in needed.packages else {}
            found[key] = replace(_thing("package", path, theirs, kept, young), hash=key)
    below: dict[str, str] = {}
    for one in found.values():
        if one.kept and one.hash not in needed.packages:  # no release says what it needs in turn
            below |= dict.fromkeys(_dependencies(one.path), f"{one.name} needs it")
    for one in found.values():
        why = (below[one.hash],) if not one.kept and one.hash in below else one.kept
        yield replace(one, kept=why)


def _dependencies(package: Path) -> Iterator[str]:
    """The hashes of all that a package was built with, as Spack has noted in it."""
    try:
        nodes = json.loads((package / ".spack/spec.json").read_bytes())["spec"]["nodes"]
        yield from (str(node["hash"]) for node in nodes)
    except (OSError, ValueError, KeyError, TypeError):
        return  # it was never finished


def _left_over(prefix: Path, now: datetime) -> Iterator[Thing]:
    """What killed builds and an earlier, killed `gc` have left, and what nobody has published for long."""
    hidden = ("publications/.*", "publications/*/.*", "pythons/.*", "images/.*", "staged/.*")
    for pattern in (f"releases/{ASIDE}*", *hidden, "store/.removed/*"):
        for path in sorted(prefix.glob(pattern)):
            yield Thing(kind="left over", path=path)
    for path in _staged(prefix):
        if _is_forgotten(path, now):
            yield Thing(kind="left over", path=path)
