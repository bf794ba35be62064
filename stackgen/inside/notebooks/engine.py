"""An engine of ipyparallel that is a rank of a job, with the rank's number."""

import os
import sys
from contextlib import suppress
from typing import List


def main(words: List[str]) -> None:
    """Become the engine."""
    place = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if path != place]
    sys.argv[1:] = [*words, *numbered(os.environ.get("RANK", ""))]
    from ipyparallel.engine import app

    app.main()


def numbered(rank: str) -> List[str]:
    """What makes the rank's number the engine's: by MPI where ranks meet over it."""
    with suppress(Exception):  # there is no mpi4py, or no MPI that it finds
        from mpi4py import MPI

        if MPI.COMM_WORLD.size > 1:
            return ["--mpi"]
    return [f"--IPEngine.id={rank}"] if rank.isdigit() else []
