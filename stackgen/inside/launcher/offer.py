"""A partition as jobs see it, and what of a node a job has there."""

from typing import NamedTuple, Tuple


class Offer(NamedTuple):
    """A partition with all that it takes from elsewhere filled in; 0 stands for what is not known."""

    name: str
    """What users call it."""
    queue: str
    """What the scheduler calls it."""
    kind: str
    """`partition` or `qos`."""
    least: int
    most: int
    """Nodes of one job."""
    seconds: int
    """The longest job."""
    usual_seconds: int
    """A job that asks for no time; 0 where the scheduler decides."""
    sockets: int
    cores: int
    gpus: int
    """Of a node; these three."""
    cores_per_gpu: Tuple[int, int]
    """The usual and the largest number; (0, 0) where they are asked for by themselves."""
    options: Tuple[str, ...]
    default: bool


def ranks_on_node(offer: Offer, gpus: int) -> int:
    """As many as a job with so many GPUs of each node has use for: one a GPU, else one a socket."""
    return gpus or min(offer.sockets, offer.cores or 1)


def cores_beside(offer: Offer, gpus: int) -> int:
    """The cores that come with so many GPUs of a node: as many for each as is usual, else an even share."""
    usual, _ = offer.cores_per_gpu
    if gpus and usual:
        return usual * gpus
    return offer.cores * gpus // offer.gpus if gpus and offer.gpus else offer.cores
