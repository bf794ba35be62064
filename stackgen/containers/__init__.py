"""Containers as users meet them: commands that run inside, one mount for all of a user's on a node."""

from stackgen.containers.commands import command_tree
from stackgen.containers.delivery import container_tree
from stackgen.containers.entrance import Entrance, entrance

__all__ = ["Entrance", "command_tree", "container_tree", "entrance"]
