"""Where the files of locks can be fetched: a lock names none, so the site's indexes are asked."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from stackgen.errors import InputError
from stackgen.lock import Lock, LockedFile, LockedPackage
from stackgen.platforms import Target
from stackgen.run import Runner
from stackgen.site import Site, without_credentials
from stackgen.wheels import Offer, OfferedFile, Question, offers

_AT_ONCE = 4
"""Processes of uv."""


@dataclass(slots=True, kw_only=True)
class Addresses:
    """What is known of each file so far: where it is, or why it cannot be had."""

    found: dict[LockedFile, str] = field(default_factory=dict)
    failures: dict[LockedFile, str] = field(default_factory=dict)


def addresses(locks: Mapping[str, Lock], absent: frozenset[LockedFile], site: Site, run: Runner) -> Addresses:
    """The address of each absent file; WorkError where the indexes cannot be asked at all."""
    known = Addresses()
    for where, target, packages in _groups(locks, absent):
        wanted = tuple(package for package in packages if package.file not in known.found)
        offered = _offered(wanted, where, target, site, run)
        for package in wanted:
            _settle(package, offered[package], known)
    for file in known.found:
        known.failures.pop(file, None)
    return known


def _groups(
    locks: Mapping[str, Lock], absent: frozenset[LockedFile]
) -> Iterator[tuple[str, Target, tuple[LockedPackage, ...]]]:
    """Packages that can be asked for at once: of one framework, for one target."""
    for lock in locks.values():
        for wheels in lock.wheels:
            target = Target(platform=lock.platform, python=wheels.python)
            for packages in (wheels.packages, wheels.build_packages):
                wanted = tuple(package for package in packages if package.file in absent)
                if wanted:
                    yield f"frameworks.{wheels.framework}", target, wanted


_Answer = tuple[Offer, ...] | str
"""What is offered, or why nothing is."""


def _offered(
    packages: tuple[LockedPackage, ...], where: str, target: Target, site: Site, run: Runner
) -> dict[LockedPackage, _Answer]:
    """What is offered for each package: all asked for at once, each alone where that fails."""

    def ask(*asked: LockedPackage) -> _Answer:
        try:
            return offers(_question(asked, where, target), site, run)
        except InputError as error:
            return error.faults[0].what

    together = ask(*packages) if packages else ()
    if not isinstance(together, str):
        return dict.fromkeys(packages, together)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(packages, pool.map(ask, packages), strict=True))


def _question(packages: tuple[LockedPackage, ...], where: str, target: Target) -> Question:
    return Question(
        where=where,
        target=target,
        requirements=tuple(f"{package.name}=={package.version}" for package in packages),
        sdists=frozenset(package.name for package in packages if not package.is_wheel),
        dependencies=False,
    )


def _settle(package: LockedPackage, answer: _Answer, known: Addresses) -> None:
    file = package.file
    offered = () if isinstance(answer, str) else _files_named(file.name, answer)
    fitting = [offer for offer in offered if offer.sha256 in {file.sha256, ""}]
    if fitting:
        known.found[file] = fitting[0].address
        return
    if isinstance(answer, str):
        reason = answer
    elif offered:
        origin = without_credentials(offered[0].address)
        reason = f"{origin} has the SHA-256 {offered[0].sha256}, but the lock says {file.sha256}"
    else:
        reason = "no index of this site offers it"
    known.failures[file] = reason


def _files_named(name: str, offered: tuple[Offer, ...]) -> tuple[OfferedFile, ...]:
    return tuple(file for offer in offered for file in offer.files if file.name == name)
