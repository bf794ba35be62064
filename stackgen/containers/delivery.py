"""The commands of all containers of a release."""

from collections.abc import Mapping
from pathlib import Path

from stackgen.charliecloud import ch_run
from stackgen.containers.commands import command_tree
from stackgen.containers.entrance import entrance
from stackgen.images import read_description
from stackgen.lock import Lock
from stackgen.plan import Plan
from stackgen.release import installed
from stackgen.tree import Tree


def container_tree(plan: Plan, lock: Lock, prefixes: Mapping[str, Path]) -> Tree:
    """What a release has of containers, whose images have to be there: they say which commands they hold.

    `prefixes` are those of Spack's packages, by hash.
    """
    program = str(ch_run(plan, lock, prefixes) or "ch-run")
    entrances = [
        entrance(plan.namespace, one, read_description(Path(one.image)), program)
        for one in installed(plan, lock)
        if one.image
    ]
    return command_tree(entrances, plan.place)
