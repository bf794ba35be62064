"""How a kernel is timed, for every framework and for the machine's limit alike."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

GEMM = 2048
"""Rows and columns of the matrices."""


class Convolution(NamedTuple):
    """A convolution that keeps the edges of its images."""

    batch: int
    entering: int
    leaving: int
    edges: tuple[int, ...]
    kernel: int

    @property
    def operations(self) -> float:
        """Multiplications and additions of the way forward; backward are twice as many."""
        volume = 1.0
        for edge in self.edges:
            volume *= edge * self.kernel
        return 2.0 * self.batch * self.entering * self.leaving * volume


CONVOLUTIONS = {
    "convolution 2-D": Convolution(16, 128, 128, (28, 28), 3),  # of ResNet-50
    "convolution 3-D": Convolution(4, 16, 16, (26, 26, 13), 5),  # of the GAN
}


def arguments() -> argparse.Namespace:
    """What a program that measures kernels is told."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=0.5, help="for each kernel")
    parser.add_argument("--small", action="store_true")
    return parser.parse_args()


def shrunk(one: Convolution, *, small: bool) -> Convolution:
    """A convolution for trying it out."""
    return one._replace(batch=1, entering=8, leaving=8) if small else one


def median_seconds(call: Callable[[], Any], seconds: float) -> float:
    """The median of as many calls as fit, at least five, after one to warm up and one second to wake up."""
    start = time.perf_counter()
    while time.perf_counter() - start < min(seconds, 0.3):
        call()
    taken: list[float] = []
    while len(taken) < 5 or sum(taken) < seconds:
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def tell(found: dict[str, Any]) -> None:
    """Print the result as the last line."""
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
