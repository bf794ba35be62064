"""What a mirror will need for an environment, listed from its lock: nothing is fetched."""

import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stackgen import files
from stackgen.environments import environment_tree
from stackgen.lock import Lock
from stackgen.mirror.layout import IMAGES, area
from stackgen.mirror.wanted import images_wanted
from stackgen.plan import Plan
from stackgen.run import Runner
from stackgen.spack.asking import Host, Spack
from stackgen.spack.downloads import downloads
from stackgen.spack.driver import Source, archive
from stackgen.spack.driver import sources as spack_sources
from stackgen.spack.home import find_spack


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """One thing that has to be in a mirror, known by its SHA-256 in hex or by its commit."""

    package: str
    version: str
    kind: str
    """`wheel`, `sdist`, `image`, `package` (of a distribution), `source`, `patch` or `resource`."""
    name: str
    sha256: str
    commit: str
    size: int | None
    """Bytes; None where nobody says."""
    addresses: tuple[str, ...]
    """Where its makers offer it; none for wheels, which come from the site's index."""
    manual: bool = False
    """Whether somebody has to get it by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All that a lock needs, and what no mirror can give."""

    needed: tuple[Needed, ...]
    downloads: tuple[tuple[str, str], ...]
    """Packages whose build fetches behind Spack's back, and the program that does it."""


def inventory(plan: Plan, lock: Lock, run: Runner) -> Inventory:
    """What a mirror needs for a lock, sorted; WorkError where Spack is needed and not there."""
    wheels = {*_wheels(lock), *_blobs(lock)}
    if not lock.spack:
        return Inventory(needed=tuple(sorted(wheels, key=_order)), downloads=())
    with _asked(plan, lock, run) as question:
        found = spack_sources(question.directories, question.locks, question.host, question.spack)
    needed = wheels | {_needed(source) for source in found}
    return Inventory(
        needed=tuple(sorted(needed, key=_order)), downloads=downloads(solved.text for solved in lock.spack)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What Spack is asked with about a lock."""

    directories: Mapping[str, Path]
    locks: Mapping[str, Path]
    host: Host
    spack: Spack


@contextmanager
def _asked(plan: Plan, lock: Lock, run: Runner) -> Iterator[_Question]:
    """The environments of a lock, written to where Spack can read them; WorkError where there is no Spack."""
    home = find_spack()
    with tempfile.TemporaryDirectory(prefix="stackgen-sources-") as scratch:
        place = Path(scratch)
        files.write_tree(environment_tree(plan), place / "tree")
        for solved in lock.spack:
            files.write(place / f"{solved.name}.lock", solved.text)
        yield _Question(
            directories={solved.name: place / "tree/spack" / solved.name for solved in lock.spack},
            locks={solved.name: place / f"{solved.name}.lock" for solved in lock.spack},
            host=Host.of(plan.system),
            spack=Spack(home=home, run=run, scratch=place),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Makers:
    """Where the sources of locks come from, as the recipes say; what a mirror asks for its `upstream`."""

    locked: tuple[tuple[Plan, Lock], ...]
    run: Runner

    def addresses(self, paths: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Where the makers of sources offer them, by path below a mirror of Spack's."""
        found: dict[str, tuple[str, ...]] = {}
        for plan, lock, _ in self._concerned(paths):
            with _asked(plan, lock, self.run) as question:
                told = spack_sources(question.directories, question.locks, question.host, question.spack)
            for source in told:
                found[source.path] = tuple(dict.fromkeys((*found.get(source.path, ()), *source.urls)))
        return found

    def archive(self, paths: Collection[str], into: Path) -> Mapping[str, str]:
        """Have Spack fetch and pack what is no plain file; why not, for each that could not be had."""
        reasons: dict[str, str] = {}
        for plan, lock, theirs in self._concerned(paths):
            waiting = {path for path in theirs if not (into / path).is_file()}
            with _asked(plan, lock, self.run) as question:
                reasons |= archive(
                    question.directories, question.locks, waiting, into, question.host, question.spack
                )
        return {path: reason for path, reason in reasons.items() if not (into / path).is_file()}

    def _concerned(self, paths: Collection[str]) -> Iterator[tuple[Plan, Lock, frozenset[str]]]:
        """The locks that need any of these sources, and which."""
        for plan, lock in self.locked:
            theirs = {source.path for solved in lock.spack for source in solved.sources}
            if concerned := theirs.intersection(paths):
                yield plan, lock, frozenset(concerned)


def _needed(source: Source) -> Needed:
    addresses = source.urls or ((source.git,) if source.git else ())
    return Needed(
        package=source.package,
        version=source.version,
        kind=source.kind,
        name=source.file or source.name,
        sha256=source.sha256,
        commit=source.commit,
        size=source.size,
        addresses=addresses,
        manual=source.manual,
    )


def _order(needed: Needed) -> tuple[str, ...]:
    return (needed.package, needed.version, needed.kind, needed.name, needed.sha256, needed.commit)


def _blobs(lock: Lock) -> Iterator[Needed]:
    """What images are made from: blobs, once for each image that has them, and a distribution's packages."""
    for want in images_wanted(lock.images):
        framework, _, reference = want.package.partition(" ")
        yield Needed(
            package=framework,
            version=reference or "local",
            kind="image" if area(want.path) == IMAGES else "package",
            name=want.name,
            sha256=want.sha256,
            commit="",
            size=want.size,
            addresses=(),
        )


def _wheels(lock: Lock) -> Iterator[Needed]:
    for wheels in lock.wheels:
        for package in (*wheels.packages, *wheels.build_packages):
            yield Needed(
                package=package.name,
                version=package.version,
                kind="wheel" if package.is_wheel else "sdist",
                name=package.file.name,
                sha256=package.file.sha256,
                commit="",
                size=package.file.size,
                addresses=(),
            )
