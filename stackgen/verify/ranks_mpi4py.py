"""What the ranks of mpi4py are asked: a sum, and an object that all of them get.

usage: python ranks_mpi4py.py

Runs on any number of ranks, started by the MPI's own launcher or by the scheduler; rank 0 prints one line of
JSON.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any

from mpi4py import MPI

NUMBERS = 1000


def main() -> None:
    """Reduce, send an object, tell; any fault is raised."""
    world = MPI.COMM_WORLD
    seen: dict[str, Any] = {
        "check": "mpi4py",
        "library": MPI.Get_library_version().split("\0")[0].splitlines()[0].strip(),
        "ranks": world.size,
        "nodes": len(set(world.allgather(socket.gethostname()))),
        "sum": _sum(world),
        "object": _object(world),
    }
    if world.rank == 0:
        print(json.dumps(seen), flush=True)


def _sum(world: Any) -> float:
    """By buffers, which MPI adds up, and by objects, which mpi4py does."""
    import array

    own, total = array.array("d", [world.rank + 1.0] * NUMBERS), array.array("d", [0.0] * NUMBERS)
    world.Allreduce(own, total)
    expected = world.size * (world.size + 1) / 2
    found = {*total, float(world.allreduce(world.rank + 1))}
    if found != {expected}:
        raise ValueError(f"the sum over all ranks is {sorted(found)[0]} instead of {expected}")
    return float(expected)


def _object(world: Any) -> dict[str, Any]:
    """A pickled object from the last rank, that all ranks have to agree on."""
    sent = {"text": "größer", "numbers": [1, 2.5, None], "ranks": world.size}
    got = world.bcast(sent if world.rank == world.size - 1 else None, root=world.size - 1)
    if got != sent:
        raise ValueError(f"the object that rank {world.size - 1} sent arrived as {got!r}")
    return dict(got)


if __name__ == "__main__":
    try:
        main()
    except BaseException as error:
        words = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"rank {MPI.COMM_WORLD.rank}: {words}", file=sys.stderr, flush=True)
        # MPI's own end waits for ranks that wait for this one; the launcher, told the status, ends them.
        os._exit(1)
