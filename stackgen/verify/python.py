"""What any framework can be asked: NumPy's matrix products, where it has NumPy."""

from __future__ import annotations


def product(left: list[list[float]], right: list[list[float]], precision: str) -> list[list[float]] | None:
    """The product of two matrices, lists of rows, in float32 or float64; None without NumPy."""
    try:
        import numpy as np
    except ModuleNotFoundError:
        return None
    result: list[list[float]] = (np.array(left, precision) @ np.array(right, precision)).tolist()
    return result
