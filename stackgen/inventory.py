"""What a mirror will need for an environment, listed from its lock: nothing is fetched."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stackgen import files
from stackgen.environments import environment_tree
from stackgen.lock import Lock
from stackgen.plan import Plan
from stackgen.run import Runner
from stackgen.spack.asking import Host, Spack
from stackgen.spack.driver import Source
from stackgen.spack.driver import sources as spack_sources
from stackgen.spack.home import find_spack


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """One thing that has to be in a mirror, known by its SHA-256 in hex or by its commit."""

    package: str
    version: str
    kind: str
    """`wheel`, `sdist`, `source`, `patch` or `resource`."""
    name: str
    sha256: str
    commit: str
    size: int | None
    """Bytes; None where nobody says."""
    addresses: tuple[str, ...]
    """Where its makers offer it; none for wheels, which come from the site's index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All that a lock needs, and what no mirror can give."""

    needed: tuple[Needed, ...]
    downloads: tuple[tuple[str, str], ...]
    """Packages whose build fetches behind Spack's back, and the program that does it."""


def inventory(plan: Plan, lock: Lock, run: Runner) -> Inventory:
    """What a mirror needs for a lock, sorted; WorkError where Spack is needed and not there."""
    wheels = set(_wheels(lock))
    if not lock.spack:
        return Inventory(needed=tuple(sorted(wheels, key=_order)), downloads=())
    home = find_spack()
    with tempfile.TemporaryDirectory(prefix="stackgen-sources-") as scratch:
        place = Path(scratch)
        files.write_tree(environment_tree(plan), place / "tree")
        for solved in lock.spack:
            files.write(place / f"{solved.name}.lock", solved.text)
        found = spack_sources(
            {solved.name: place / "tree/spack" / solved.name for solved in lock.spack},
            {solved.name: place / f"{solved.name}.lock" for solved in lock.spack},
            Host.of(plan.system),
            Spack(home=home, run=run, scratch=place),
        )
    spack = {_needed(source) for source in found.sources}
    return Inventory(needed=tuple(sorted(wheels | spack, key=_order)), downloads=found.downloads)


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
    )


def _order(needed: Needed) -> tuple[str, ...]:
    return (needed.package, needed.version, needed.kind, needed.name, needed.sha256, needed.commit)


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
