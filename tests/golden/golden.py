"""What sites get, case by case: `<case>/in.yaml`, its systems and its `in.lock/`, if any, give `<case>/out/`.

What images hold is in `<case>/in.images/<framework>.json`, as it would lie beside them.
After a change that is meant, run `python tests/golden/golden.py` and read what `git diff` says of it.
"""

from pathlib import Path

import jobs

from stackgen import files
from stackgen.config import load
from stackgen.containers import command_tree, entrance
from stackgen.environments import environment_tree
from stackgen.images import read_description
from stackgen.lock import read_lock
from stackgen.modules import module_tree
from stackgen.plan import Plan, plan
from stackgen.release import installed
from stackgen.tree import Tree

CASES = tuple(sorted(path.parent for path in Path(__file__).parent.glob("*/in.yaml")))


def rendered(case: Path) -> Tree:
    """The tree of a case, as stackgen makes it now."""
    loaded = load(case / "in.yaml")
    planned = plan(loaded.environment, loaded.system)
    lock = case / "in.lock"
    modules = module_tree(planned, installed(planned, read_lock(lock))) if lock.exists() else Tree()
    spack = environment_tree(planned)
    # The recipes are the same for all, and stand in stackgen/recipes.
    others = Tree({path: file for path, file in spack.items() if "/repos/" not in path})
    return modules | others | _commands(case, planned)


def _commands(case: Path, planned: Plan) -> Tree:
    """The commands of containers."""
    if not planned.containers:
        return Tree()
    found = (one for one in installed(planned, read_lock(case / "in.lock")) if one.image)
    described = [(one, read_description(case / f"in.images/{one.name}.sqfs")) for one in found]
    return command_tree([entrance(planned.namespace, *pair) for pair in described], planned.place)


def regenerate() -> None:
    """Write what stackgen makes now in place of what it should make."""
    for case in CASES:
        files.remove(case / "out")
        files.write_tree(rendered(case), case / "out")


if __name__ == "__main__":
    regenerate()
    jobs.regenerate()
