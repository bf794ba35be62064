"""What the ranks of h5py are asked: to write a file together, and to read what the others have written.

usage: python ranks_h5py.py [DIRECTORY]

Runs on any number of ranks, started by the MPI's own launcher or by the scheduler; rank 0 prints one line of
JSON. All ranks have to see DIRECTORY, by default the current one; the file is removed again.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import uuid
from pathlib import Path
from typing import Any

import h5py
from mpi4py import MPI

NUMBERS = 1000


def main(directory: str) -> None:
    """Write, read, tell; any fault is raised."""
    world = MPI.COMM_WORLD
    if not h5py.get_config().mpi:
        raise ValueError("this h5py is built on an HDF5 without MPI")
    name = world.bcast(f".ranks-{uuid.uuid4().hex}.h5")
    path = Path(directory or ".") / name
    try:
        _write(path, world)
        _read(path, world)
        world.Barrier()
        size = path.stat().st_size
        world.Barrier()
    finally:
        if world.rank == 0:
            path.unlink(missing_ok=True)
    seen: dict[str, Any] = {
        "check": "h5py",
        "version": h5py.version.version,
        "hdf5": h5py.version.hdf5_version,
        "ranks": world.size,
        "nodes": len(set(world.allgather(socket.gethostname()))),
        "bytes": size,
    }
    if world.rank == 0:
        print(json.dumps(seen), flush=True)


def _write(path: Path, world: Any) -> None:
    with h5py.File(path, "w", driver="mpio", comm=world) as file:
        numbers = file.create_dataset("numbers", (world.size, NUMBERS), "f8")
        with numbers.collective:
            numbers[world.rank, :] = [float(world.rank * NUMBERS + place) for place in range(NUMBERS)]


def _read(path: Path, world: Any) -> None:
    """Each rank what the next one has written, and rank 0 the whole file without MPI."""
    with h5py.File(path, "r", driver="mpio", comm=world) as file:
        other = (world.rank + 1) % world.size
        _compare(file["numbers"][other, :].tolist(), other)
    world.Barrier()
    if world.rank == 0:
        with h5py.File(path, "r") as file:
            for other, row in enumerate(file["numbers"][:].tolist()):
                _compare(row, other)


def _compare(row: list[float], other: int) -> None:
    if row != [float(other * NUMBERS + place) for place in range(NUMBERS)]:
        raise ValueError(f"what rank {other} wrote into the file is not what is read from it")


if __name__ == "__main__":
    try:
        main("".join(sys.argv[1:]))
    except BaseException as error:
        words = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"rank {MPI.COMM_WORLD.rank}: {words}", file=sys.stderr, flush=True)
        # MPI's own end waits for ranks that wait for this one; the launcher, told the status, ends them.
        os._exit(1)
