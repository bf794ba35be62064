"""One store, several nodes that install into it at once, each with a Spack of its own."""

import fcntl
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from stackgen import files
from stackgen.lock import Lock
from stackgen.mirror import Mirror
from stackgen.plan import Plan
from stackgen.progress import Progress
from stackgen.run import Outcome, succeed
from stackgen.store.installing import Work, begin, installer, orderer
from stackgen.store.machine import check_machine
from stackgen.store.place import Store
from stackgen.store.scratch import clear
from stackgen.store.strength import strength

_AT_ONCE = 4
"""Packages that a node of some size builds side by side."""
_MOST = 8
"""Nodes that are asked for where nobody says how many: more wait for a few large packages."""


def begin_together(plan: Plan, lock: Lock, mirror: Mirror, store: Store, progress: Progress) -> Work | None:
    """Make all ready for the Spacks of several nodes; None where nothing is missing."""
    work = begin(plan, lock, mirror, store, progress)
    if work is None:
        return None
    _forget_failures(store)
    if work.before.disorder:
        progress.say("putting Spack's database in order")
        failure = "Spack's database could not be put in order"
        succeed(store.run, orderer(lock, store, work.before), failure)
    return work


def _forget_failures(store: Store) -> None:
    """Spack keeps them for others; those of runs before are to be tried again."""
    for mark in (store.tree / ".spack-db/failures").glob("*"):
        mark.unlink(missing_ok=True)


def useful_nodes(work: Work) -> int:
    """How many nodes have something to do at the widest place of what is to be built."""
    missing = {node.hash: node for node in work.built}
    depths: dict[str, int] = {}

    def depth(key: str) -> int:
        """How many packages come one after another, up to this one."""
        if key not in depths:
            below = (depth(edge.to) for edge in missing[key].edges if edge.to in missing)
            depths[key] = 1 + max(below, default=0)
        return depths[key]

    widest = max(Counter(map(depth, missing)).values(), default=1)
    return min(_MOST, -(-widest // _AT_ONCE))


def install_beside_others(
    plan: Plan, lock: Lock, store: Store, heard: Callable[[str], None], jobs: int
) -> Outcome:
    """On one of the nodes: let Spack install until nothing is left; WorkError where it is another machine."""
    check_machine(plan, lock, store.run)
    clear(store)
    outcome = store.run(replace(installer(lock, store, strength(jobs)), heard=heard))
    if not outcome.status:
        files.remove(store.workplace)
    return outcome


@contextmanager
def common_locks(store: Store) -> Iterator[None]:
    """Hold a lock by which nodes see whether the file system has locks that all of them heed."""
    with _lock_file(store).open("w") as stream:
        with suppress(OSError):  # it has none at all
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def has_common_locks(store: Store) -> bool:
    """On a node: whether the lock is seen to be held."""
    try:
        with _lock_file(store).open("r+") as stream:
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # one word for the same, or the other, by the file system
        return True
    except OSError:
        return False
    return False


def _lock_file(store: Store) -> Path:
    return store.root / ".nodes"
