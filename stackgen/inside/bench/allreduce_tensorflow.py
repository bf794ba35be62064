"""The seconds of an all-reduce by message size, by Horovod or by TensorFlow's own distribution, on rank 0."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from ranks import place
from timing import tell

PARSER = argparse.ArgumentParser()
PARSER.add_argument("--distribution", choices=("horovod", "own"), required=True)
PARSER.add_argument("--fork", type=int, default=0)
PARSER.add_argument("sizes", type=int, nargs="+", help="bytes and how often, in turn")
ASKED = PARSER.parse_args()
RANK, RANKS = place(ASKED.fork)

import tensorflow as tf  # noqa: E402


def seconds(reduce: Callable[[Any], Any], size: int, times: int) -> float:
    """The median of all-reduces, each after all ranks have come together."""
    values, one = tf.ones((size // 4,)), tf.ones((1,))
    taken = []
    for turn in range(-3, times):
        reduce(one)
        start = time.perf_counter()
        reduce(values)
        if turn >= 0:
            taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    """Measure every size, and let rank 0 tell."""
    if ASKED.distribution == "horovod":
        import horovod.tensorflow as horovod

        horovod.init()
        rank, ranks = horovod.rank(), horovod.size()

        @tf.function(reduce_retracing=True)
        def summed(values: Any) -> Any:
            return horovod.allreduce(values, op=horovod.Sum)
    else:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
        rank, ranks = RANK, RANKS

        @tf.function
        def summed(values: Any) -> Any:
            add = tf.distribute.ReduceOp.SUM

            def here() -> Any:  # the identity is on the replica's device, where an argument is nowhere yet
                context = tf.distribute.get_replica_context()
                return context.all_reduce(add, [tf.identity(values)])[0]

            return strategy.experimental_local_results(strategy.run(here))[0]

    def reduce(values: Any) -> None:
        summed(values)[0].numpy()

    pairs = zip(ASKED.sizes[::2], ASKED.sizes[1::2])  # noqa: B905 - for any Python
    found = {str(size): seconds(reduce, size, times) for size, times in pairs}
    if rank == 0:
        tell({"ranks": ranks, "seconds": found})
    # Nobody leaves before the last sum is everywhere, and rank 0, which the others report to, leaves last.
    time.sleep(0 if ranks == 1 else 1 if rank else 3)
    sys.stdout.flush()
    os._exit(0)


main()
