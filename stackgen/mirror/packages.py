"""Where packages of distributions can be fetched: a lock names no mirror of them, so the site is asked."""

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from stackgen.distribution import archives
from stackgen.lock import Lock
from stackgen.run import Runner
from stackgen.site import Site

NOWHERE = "neither site.yaml nor an apt on this machine names a mirror of its distribution"
_GONE = "its distribution has a newer one by now, which `stackgen lock --upgrade` takes"


def package_addresses(locks: Mapping[str, Lock], site: Site, run: Runner) -> dict[str, tuple[str, ...]]:
    """Where each package of these locks may lie, by its SHA-256, in the order of asking."""
    known: dict[str, tuple[str, ...]] = {}
    found: dict[str, tuple[str, ...]] = {}
    for lock in locks.values():
        for distribution in _distributions(lock):
            if distribution not in known:
                known[distribution] = archives(distribution, site, run)
            for package in lock.images.base:
                path = quote(package.path)
                found[package.file.sha256] = tuple(f"{one}/{path}" for one in known[distribution])
    return found


def _distributions(lock: Lock) -> Iterator[str]:
    """The distribution whose packages a lock names."""
    match lock.inputs:
        case {"base": {"distribution": str(distribution)}}:
            yield distribution.partition(":")[0]


def with_advice(reasons: tuple[str, ...]) -> tuple[str, ...]:
    """Why a package did not come, and what to do where nobody has it any longer."""
    gone = all(": 404 " in reason or ": No such file" in reason for reason in reasons)
    return (*reasons, _GONE) if gone else reasons
