"""Install what the Spack locks of an environment name: all of it, or all that can be built."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from stackgen import files
from stackgen.errors import WorkError
from stackgen.graph import Node
from stackgen.lock import Lock
from stackgen.mirror import Mirror
from stackgen.plan import Plan
from stackgen.programs import patchelf_program
from stackgen.progress import Progress, Silent
from stackgen.run import Command
from stackgen.spack.start import copy_index
from stackgen.store.fitting import has_locks, refuse_moved, remember_place
from stackgen.store.machine import check_machine
from stackgen.store.orphans import end_orphans
from stackgen.store.place import Store, locked_nodes
from stackgen.store.scratch import clear
from stackgen.store.settings import furniture, store_tree
from stackgen.store.sources import require_sources
from stackgen.store.strength import Strength, strength
from stackgen.store.told import Told
from stackgen.store.whole import Found, found, needed

_SCRIPT = Path(__file__).parents[1] / "inside/store/install.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is to be installed: what it takes in all, and what was found of it."""

    nodes: Mapping[str, Node]
    before: Found

    @property
    def built(self) -> tuple[Node, ...]:
        """What Spack has to build, or to take from a cache."""
        missing = (self.nodes[key] for key in self.before.missing)
        return tuple(node for node in missing if not node.external)


def install(  # noqa: PLR0913, PLR0917 - the stages share the order of their arguments
    plan: Plan, lock: Lock, mirror: Mirror, store: Store, progress: Progress, jobs: int = 0
) -> None:
    """Install every package of every Spack lock that is not there; the caller holds the prefix.

    `jobs` compilers at once at most; as many as the machine serves where it is 0. WorkError says what could
    not be built; all else is.
    """
    work = begin(plan, lock, mirror, store, progress, check=lambda: check_machine(plan, lock, store.run))
    if work is None:
        return
    told = told_of(work, lock, store, progress)
    with progress.task("installing by Spack", told.total, unit="packages") as advance:
        command = installer(lock, store, strength(jobs), work.before)
        outcome = store.run(replace(command, heard=told.listener(advance)))
    if outcome.status:
        raise told.error(outcome)
    finish(work, store)


def begin(  # noqa: PLR0913 - the stages share the order of their arguments
    plan: Plan,
    lock: Lock,
    mirror: Mirror,
    store: Store,
    progress: Progress,
    *,
    check: Callable[[], None] = lambda: None,
) -> Work | None:
    """Make all ready for Spack; None where nothing is missing. `check` comes before anything is written."""
    nodes = needed(lock, store.upstream)
    refuse_moved(store)
    end_orphans(store.home_directory)
    before = found(store.tree, nodes)
    if before.whole:
        _prepare(plan, lock, mirror, store, Silent())
        return None
    check()
    require_sources(lock, [nodes[key] for key in before.missing], mirror, store.cache)
    _prepare(plan, lock, mirror, store, progress)
    return Work(nodes=nodes, before=before)


def told_of(work: Work, lock: Lock, store: Store, progress: Progress) -> Told:
    """What hears of the work."""
    return Told(nodes=locked_nodes(lock), total=len(work.built), progress=progress, root=store.root)


def is_done(work: Work, store: Store) -> bool:
    """Whether all of it is installed by now."""
    return found(store.tree, work.nodes).whole


def finish(work: Work, store: Store) -> None:
    """Have what was installed counted as such for ever; WorkError where something is not there."""
    after = found(store.tree, work.nodes)
    if not after.whole:
        names = ", ".join(str(work.nodes[key]) for key in after.missing)
        raise WorkError(f"Spack says that it is done, but {names} is not there", "run the same command again")
    files.flush(store.tree)  # what counts as installed is to be so after a power cut, too
    if store.scratch:
        clear(store)


def _prepare(plan: Plan, lock: Lock, mirror: Mirror, store: Store, progress: Progress) -> None:
    """Put everything below `Store.root` that Spack reads, and empty what killed builds have left."""
    clear(store)
    files.remove(store.root / "stages")
    with files.reported(f"cannot work in {store.root}"):
        store.tree.mkdir(parents=True, exist_ok=True)
        for directory in (store.tree, *store.tree.parents):
            if directory.is_relative_to(store.prefix / "store"):
                directory.chmod(0o755)  # whatever the umask: a store is there for everybody
        for directory in furniture():
            (store.root / directory).mkdir(parents=True, exist_ok=True)
        for left_over in store.index.parent.glob(f".{store.index.name}.*"):
            files.remove(left_over)
        copy_index(store.home, store.index)
    remember_place(store)
    files.point(store.root / "tools/patchelf", str(patchelf_program()))
    locks = has_locks(store.root)
    if not locks:
        warning = "start no other Spack there while this one works"
        progress.say(f"the file system of {store.prefix} has no locks: {warning}")
    files.write_tree(store_tree(plan, lock, mirror, store, locks=locks), store.root)


def installer(lock: Lock, store: Store, power: Strength, tidied: Found | None = None) -> Command:
    """Spack's installer of all environments, which puts the database in order first where something is given.

    That is for one alone: while others install, what they have half done looks like what is broken.
    """
    return _asked(lock, store, power, tidied, [one.name for one in lock.spack])


def orderer(lock: Lock, store: Store, tidied: Found) -> Command:
    """What puts the database in order, and installs nothing."""
    return _asked(lock, store, Strength(jobs=1, packages=1), tidied, [])


def _asked(lock: Lock, store: Store, power: Strength, tidied: Found | None, names: list[str]) -> Command:
    question = store.root / f"question{f'-{store.node}' if store.node else ''}.json"
    asked = {
        "cache": str(store.cache.directory.resolve()) if store.cache else "",
        "environments": [str(store.environment(name)) for name in names],
        "gone": list(tidied.gone) if tidied else [],
        "jobs": power.jobs,
        "logs": str(store.root / "logs"),
        "packages": power.packages,
        "stage": str(store.workplace),
        "tidy": tidied is not None,
        "writable": store.cache is not None and store.cache.writable,
    }
    files.write(question, json.dumps(asked))
    return store.command(lock.spack[0].name, ("python", str(_SCRIPT), str(question)))
