"""The machine's limit: float32 products by NumPy's BLAS on all cores, and copies by a thread each."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy
from timing import GEMM, arguments, median_seconds, tell

ASKED = arguments()


def product_rate(edge: int) -> float:
    """Operations a second of a bare BLAS."""
    left = numpy.random.default_rng(1).random((edge, edge), dtype=numpy.float32)
    right, out = left.T.copy(), numpy.empty_like(left)
    return 2.0 * edge**3 / median_seconds(lambda: numpy.matmul(left, right, out=out), ASKED.seconds)


def copy_rate(size: int, threads: int) -> float:
    """Bytes a second, read and written, of arrays that no cache holds; as STREAM counts a copy."""
    source, target = numpy.ones(size // 8), numpy.empty(size // 8)
    parts = numpy.array_split(numpy.arange(size // 8), threads)
    slices = [slice(int(part[0]), int(part[-1]) + 1) for part in parts]
    with ThreadPoolExecutor(threads) as pool:

        def copy() -> None:
            list(pool.map(lambda part: numpy.copyto(target[part], source[part]), slices))

        return 2.0 * size / median_seconds(copy, ASKED.seconds)


def main() -> None:
    """Measure both, tell them."""
    cores = len(os.sched_getaffinity(0))
    size = 2**24 if ASKED.small else 2**28
    product = product_rate(256 if ASKED.small else GEMM)
    tell({"rates": {"GEMM float32": product, "copy": copy_rate(size, cores)}, "threads": cores})


main()
