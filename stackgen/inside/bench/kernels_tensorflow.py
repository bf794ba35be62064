"""Operations a second of TensorFlow's kernels, as a program gets them that sets nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import tensorflow as tf
from timing import CONVOLUTIONS, GEMM, Convolution, arguments, median_seconds, shrunk, tell

ASKED = arguments()


def settled(step: Callable[[], Any]) -> Callable[[], Any]:
    """The step as a graph whose result is one number that is waited for."""
    graph = tf.function(step)
    return lambda: graph().numpy()


def gemms(edge: int) -> Iterator[tuple[str, float]]:
    """Matrix products in both precisions that training has use for."""
    for name, kind in (("GEMM float32", tf.float32), ("GEMM bfloat16", tf.bfloat16)):
        left = tf.Variable(tf.cast(tf.random.uniform((edge, edge)), kind))
        right = tf.Variable(tf.cast(tf.random.uniform((edge, edge)), kind))
        call = settled(partial(first, left, right))
        yield name, 2.0 * edge**3 / median_seconds(call, ASKED.seconds)


def first(left: Any, right: Any) -> Any:
    """One entry of a product, for which all is computed."""
    return tf.linalg.matmul(left, right)[0, 0]


def convolutions(name: str, one: Convolution) -> Iterator[tuple[str, float]]:
    """Forward alone, and forward with what training needs backward."""
    images = tf.Variable(tf.random.uniform((one.batch, *one.edges, one.entering)))
    shape = (*[one.kernel] * len(one.edges), one.entering, one.leaving)
    weights = tf.Variable(tf.random.uniform(shape))

    def forward() -> Any:
        return tf.reshape(tf.nn.convolution(images, weights, padding="SAME"), (-1,))[0]

    def both() -> Any:
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(tf.nn.convolution(images, weights, padding="SAME"))
        by_images, by_weights = tape.gradient(value, (images, weights))
        return value + tf.reshape(by_images, (-1,))[0] + tf.reshape(by_weights, (-1,))[0]

    yield f"{name} forward", one.operations / median_seconds(settled(forward), ASKED.seconds)
    yield f"{name} training", 3 * one.operations / median_seconds(settled(both), ASKED.seconds)


def main() -> None:
    """Measure all, tell it."""
    found = dict(gemms(256 if ASKED.small else GEMM))
    for name, one in CONVOLUTIONS.items():
        found |= dict(convolutions(name, shrunk(one, small=ASKED.small)))
    device = "cuda" if tf.config.list_physical_devices("GPU") else "cpu"
    tell({"rates": found, "threads": 0, "device": device, "version": str(tf.__version__)})


main()
