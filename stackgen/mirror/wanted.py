"""What locks need of a mirror, each file by its place in it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stackgen.lock import Lock, LockedFile, LockedSource, WheelLock
from stackgen.mirror.layout import SOURCES, WHEELS


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A file that a lock needs."""

    package: str
    """With its version."""
    name: str
    """What its makers call the file."""
    path: str
    """Relative to the mirror."""
    sha256: str
    """Empty where only whoever fetches it can tell that it is the right one."""
    size: int | None
    """Bytes; None where nobody says."""
    commit: str = ""
    manual: bool = False

    @property
    def known_by(self) -> str:
        """Its hash or commit in words."""
        if self.sha256:
            return f"sha256 {self.sha256}"
        return f"commit {self.commit}" if self.commit else "neither hash nor commit"


def relative_path(file: LockedFile) -> str:
    """The place of a wheel or a source distribution below a mirror's root."""
    return f"{WHEELS}/{file.sha256[:2]}/{file.sha256}/{file.name}"


def source_path(source: LockedSource) -> str:
    """The place of one of Spack's sources below a mirror's root."""
    return f"{SOURCES}/{source.path}"


def wanted(locks: Iterable[Lock]) -> dict[str, Wanted]:
    """Everything that some locks need, by its place; each place once, sorted."""
    found = {want.path: want for lock in locks for want in _of(lock)}
    return dict(sorted(found.items()))


def _of(lock: Lock) -> Iterator[Wanted]:
    for wheels in lock.wheels:
        yield from wheels_wanted(wheels)
    for spack in lock.spack:
        yield from map(_source_wanted, spack.sources)


def wheels_wanted(wheels: WheelLock) -> Iterator[Wanted]:
    """What one framework needs."""
    for package in (*wheels.packages, *wheels.build_packages):
        yield Wanted(
            package=f"{package.name} {package.version}",
            name=package.file.name,
            path=relative_path(package.file),
            sha256=package.file.sha256,
            size=package.file.size,
        )


def _source_wanted(source: LockedSource) -> Wanted:
    return Wanted(
        package=f"{source.package} {source.version}",
        name=source.name,
        path=source_path(source),
        sha256=source.sha256,
        size=None,
        commit=source.commit,
        manual=source.manual,
    )
