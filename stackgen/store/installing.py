"""Install what the Spack locks of an environment name: all of it, or all that can be built."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from stackgen import files
from stackgen.errors import WorkError
from stackgen.graph import Node
from stackgen.lock import Lock
from stackgen.mirror import Mirror
from stackgen.plan import Plan
from stackgen.programs import patchelf_program
from stackgen.progress import Progress, Silent
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


def install(  # noqa: PLR0913, PLR0917 - the stages share the order of their arguments
    plan: Plan, lock: Lock, mirror: Mirror, store: Store, progress: Progress, jobs: int = 0
) -> None:
    """Install every package of every Spack lock that is not there; the caller holds the prefix.

    `jobs` compilers at once at most; as many as the machine serves where it is 0. WorkError says what could
    not be built; all else is.
    """
    nodes = needed(lock)
    refuse_moved(store)
    end_orphans(store.home_directory)
    before = found(store.tree, nodes)
    if before.whole:
        _prepare(plan, lock, mirror, store, Silent())
        return
    check_machine(plan, lock, store.run)
    require_sources(lock, [nodes[key] for key in before.missing], mirror, store.cache)
    _prepare(plan, lock, mirror, store, progress)
    _build(lock, store, nodes, before, progress, strength(jobs))
    after = found(store.tree, nodes)
    if not after.whole:
        names = ", ".join(str(nodes[key]) for key in after.missing)
        raise WorkError(f"Spack says that it is done, but {names} is not there", "run the same command again")
    files.flush(store.tree)  # what counts as installed is to be so after a power cut, too
    if store.scratch:
        clear(store)


def _prepare(plan: Plan, lock: Lock, mirror: Mirror, store: Store, progress: Progress) -> None:
    """Put everything below `Store.root` that Spack reads, and empty what killed builds have left."""
    clear(store)
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


def _build(  # noqa: PLR0913, PLR0917 - the stages share the order of their arguments
    lock: Lock, store: Store, nodes: Mapping[str, Node], before: Found, progress: Progress, power: Strength
) -> None:
    question = store.root / "question.json"
    names = [one.name for one in lock.spack]
    asked = {
        "cache": str(store.cache.directory.resolve()) if store.cache else "",
        "environments": [str(store.environment(name)) for name in names],
        "gone": list(before.gone),
        "jobs": power.jobs,
        "packages": power.packages,
        "writable": store.cache is not None and store.cache.writable,
    }
    files.write(question, json.dumps(asked))
    total = sum(not nodes[key].external for key in before.missing)
    told = Told(nodes=locked_nodes(lock), total=total, progress=progress, logs=store.root / "logs")
    command = store.command(names[0], ("python", str(_SCRIPT), str(question)))
    with progress.task("installing by Spack", total, unit="packages") as advance:
        outcome = store.run(replace(command, heard=told.listener(advance)))
    if outcome.status:
        raise told.error(outcome)
