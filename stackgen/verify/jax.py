"""What JAX is asked; on the CPU, in full precision."""

from __future__ import annotations

import jax


def version() -> str:
    """The version that JAX itself says."""
    return str(jax.__version__)


def product(left: list[list[float]], right: list[list[float]], precision: str) -> list[list[float]]:
    """The product of two matrices, lists of rows, in float32, or in float64, which JAX has to be allowed."""
    jax.config.update("jax_enable_x64", val=True)
    with jax.default_device(jax.devices("cpu")[0]):
        factors = jax.numpy.array(left, precision), jax.numpy.array(right, precision)
        rows: list[list[float]] = jax.numpy.matmul(*factors, precision="highest").tolist()
    return rows
