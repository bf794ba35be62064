"""How a job lies on the nodes of a partition: how many ranks, and what each of them has."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from stackgen.inside.launcher.offer import Offer, cores_beside, ranks_on_node


class Shape(StrEnum):
    """The sizes of which there is a job script."""

    PROCESS = "process"
    """One process, with its share of a node."""
    NODE = "node"
    """All of one node."""
    NODES = "nodes"
    """Several nodes: two, or as many as the partition wants at least."""


SHAPES: Mapping[Shape, str] = {
    Shape.PROCESS: "one process",
    Shape.NODE: "one node",
    Shape.NODES: "several nodes",
}
"""Each as users are told of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The nodes of a job, the ranks on each, and what each rank has; 0 where that is not known."""

    nodes: int
    ranks: int
    """On each node."""
    cores: int
    """Of each rank."""
    gpus: int
    """Of each node."""


def layout(offer: Offer, shape: Shape, *, distributed: bool) -> Layout | None:
    """One rank a GPU, else one a socket; one a node where a framework cannot do with several.

    None where the partition takes no job of this shape.
    """
    ranks = ranks_on_node(offer, offer.gpus) if distributed else 1
    match shape:
        case Shape.PROCESS:
            share, gpus = (1, 1) if offer.gpus else (1, 0)
            return _on(offer, 1, share, gpus) if offer.least == 1 else None
        case Shape.NODE:
            return _on(offer, 1, ranks, offer.gpus) if offer.least == 1 else None
        case Shape.NODES:
            return _on(offer, max(offer.least, 2), ranks, offer.gpus) if offer.most > 1 else None
    assert_never(shape)


def _on(offer: Offer, nodes: int, ranks: int, gpus: int) -> Layout:
    cores = cores_beside(offer, gpus)
    return Layout(nodes=nodes, ranks=ranks, cores=max(cores // ranks, 1) if cores else 0, gpus=gpus)
