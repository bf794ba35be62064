"""Modules of a stack of one's own say where the release that it stands on has gone."""

from pathlib import PurePosixPath

from stackgen.lua import literal
from stackgen.plan import Plan
from stackgen.tree import File, Tree
from stackgen.underlying import Underlying


def guarded(plan: Plan, tree: Tree) -> Tree:
    """The same files, whose modules say where what they stand on has gone."""
    if plan.extends is None:
        return tree
    head = (
        f'if mode() == "load" and not isDir({literal(str(plan.extends.directory))}) then\n'
        f"   LmodError({literal(gone(plan.extends))})\n"
        "end\n\n"
    )
    return Tree(
        {
            path: File(head + file.text, file.mode) if _is_module(PurePosixPath(path)) else file
            for path, file in tree.items()
        }
    )


def _is_module(path: PurePosixPath) -> bool:
    return path.parts[0] == "modules" and path.suffix == ".lua" and not path.name.startswith(".")


def gone(below: Underlying) -> str:
    """What users read who load something of a stack whose base has gone."""
    return (
        f"this stands on release {below.release} of {below.prefix}, which is gone: give its environment a new"
        " `release:`, then run `stackgen lock --upgrade` and `stackgen build` on it"
    )
