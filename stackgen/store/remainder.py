"""What of a lock is still to be made, where a stack of one's own stands on a release that has the rest."""

from dataclasses import replace
from pathlib import Path

from stackgen.closure import PIP
from stackgen.lock import Images, Lock, SpackLock
from stackgen.mirror.manifest import NAME as MANIFEST
from stackgen.plan import Plan
from stackgen.release import installed
from stackgen.store.place import locked_nodes, upstream_of
from stackgen.store.whole import needed


def remainder(plan: Plan, lock: Lock) -> Lock:
    """The lock less what nobody needs a file for, since the release below has made it; else all of it."""
    if plan.extends is None:
        return lock
    new = [one for one in installed(plan, lock) if not plan.extends.holds(one.place)]
    names = {one.name for one in new}
    built = {
        (node.name, node.version) for node in needed(lock, upstream_of(plan)).values() if not node.external
    }
    has_pip = any(one.source == "spack" for one in new)

    def left(one: SpackLock) -> SpackLock:
        sources = (
            source
            for source in one.sources
            if (source.package, source.version) in built or (has_pip and source.package == PIP)
        )
        return replace(one, sources=tuple(sources))

    return replace(
        lock,
        wheels=tuple(one for one in lock.wheels if one.framework in names),
        spack=tuple(map(left, lock.spack)),
        images=lock.images if any(one.image for one in new) else Images(),
    )


def found_below(plan: Plan, lock: Lock) -> frozenset[str]:
    """The hashes of the packages that need not be built, since the store below has them."""
    if (upstream := upstream_of(plan)) is None:
        return frozenset()
    own = {key for key, node in locked_nodes(lock).items() if not node.external}
    return frozenset(own - needed(lock, upstream).keys())


def mirrors_below(plan: Plan) -> tuple[Path, ...]:
    """The mirror of the stack that a plan's stands on, where it has one that may be read."""
    place = plan.extends.mirror if plan.extends else None
    try:
        return (place,) if place and (place / MANIFEST).is_file() else ()
    except OSError:
        return ()
