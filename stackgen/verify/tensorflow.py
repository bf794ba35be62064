"""What TensorFlow is asked; on the CPU, since GPUs round products to TF32 unless told otherwise."""

from __future__ import annotations

import tensorflow as tf


def version() -> str:
    """The version that TensorFlow itself says."""
    return str(tf.__version__)


def product(left: list[list[float]], right: list[list[float]], precision: str) -> list[list[float]]:
    """The product of two matrices, lists of rows, in float32 or float64."""
    with tf.device("/CPU:0"):
        result = tf.linalg.matmul(tf.constant(left, precision), tf.constant(right, precision))
    rows: list[list[float]] = result.numpy().tolist()
    return rows


def exercise() -> bool:
    """A convolution: oneDNN's own where TensorFlow uses oneDNN, a plain matrix product where it does not."""
    with tf.device("/CPU:0"):
        tf.nn.conv2d(tf.ones((8, 32, 32, 16)), tf.ones((3, 3, 16, 32)), 1, "SAME").numpy()
    return True
