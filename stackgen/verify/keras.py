"""What Keras is asked; on the CPU, by the backend that KERAS_BACKEND names."""

from __future__ import annotations

import keras


def version() -> str:
    """The version that Keras itself says."""
    return str(keras.__version__)


def product(left: list[list[float]], right: list[list[float]], precision: str) -> list[list[float]]:
    """The product of two matrices, lists of rows, in float32 or float64."""
    with keras.device("cpu:0"):
        factors = keras.ops.array(left, precision), keras.ops.array(right, precision)
        rows: list[list[float]] = keras.ops.convert_to_numpy(keras.ops.matmul(*factors)).tolist()
    return rows


def exercise() -> bool:
    """A convolution of a batch, which a backend leaves to its library of such."""
    with keras.device("cpu:0"):
        keras.ops.conv(keras.ops.ones((8, 32, 32, 16)), keras.ops.ones((3, 3, 16, 32)))
    return True
