"""The seconds of an all-reduce by message size, by Horovod or by PyTorch's own distribution, on rank 0."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

from ranks import end, place
from timing import tell

PARSER = argparse.ArgumentParser()
PARSER.add_argument("--distribution", choices=("horovod", "own"), required=True)
PARSER.add_argument("--fork", type=int, default=0)
PARSER.add_argument("sizes", type=int, nargs="+", help="bytes and how often, in turn")
ASKED = PARSER.parse_args()
RANK, RANKS = place(ASKED.fork)

import torch  # noqa: E402


def seconds(reduce: Callable[[Any], Any], barrier: Callable[[], Any], size: int, times: int) -> float:
    """The median of all-reduces in place, each after all ranks have come together."""
    values = torch.ones(size // 4, device="cuda" if torch.cuda.is_available() else "cpu")
    taken = []
    for turn in range(-3, times):
        barrier()
        start = time.perf_counter()
        reduce(values)
        if values.is_cuda:
            torch.cuda.synchronize()
        if turn >= 0:
            taken.append(time.perf_counter() - start)
        values.fill_(1.0)
    return statistics.median(taken)


def main() -> None:
    """Measure every size, and let rank 0 tell."""
    if ASKED.distribution == "horovod":
        import horovod.torch as horovod

        horovod.init()
        rank, ranks, close = horovod.rank(), horovod.size(), horovod.shutdown
        if torch.cuda.is_available():
            torch.cuda.set_device(horovod.local_rank())
        one = torch.ones(1)
        barrier: Callable[[], Any] = lambda: horovod.allreduce_(one, name="barrier")  # noqa: E731
        reduce: Callable[[Any], Any] = lambda values: horovod.allreduce_(  # noqa: E731
            values, name=f"values-{values.numel()}", op=horovod.Sum
        )
    else:
        torch.distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        rank, ranks, close = RANK, RANKS, torch.distributed.destroy_process_group
        barrier, reduce = torch.distributed.barrier, torch.distributed.all_reduce
    pairs = zip(ASKED.sizes[::2], ASKED.sizes[1::2])  # noqa: B905 - for any Python
    found = {str(size): seconds(reduce, barrier, size, times) for size, times in pairs}
    barrier()
    close()
    if rank == 0:
        tell({"ranks": ranks, "seconds": found})


main()
end()
