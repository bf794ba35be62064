"""Who does the parts of a build that depend on the machine: this one, or nodes that Slurm gives."""

from stackgen.builders.here import Builder, Here, Means, open_the_store, packages_of
from stackgen.builders.nodes import jobs_of, on_nodes
from stackgen.builders.on_a_node import Lines, do
from stackgen.builders.part import Part

__all__ = [
    "Builder",
    "Here",
    "Lines",
    "Means",
    "Part",
    "do",
    "jobs_of",
    "on_nodes",
    "open_the_store",
    "packages_of",
]
