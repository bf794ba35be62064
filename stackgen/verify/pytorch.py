"""What PyTorch is asked; its tensors are on the CPU unless told otherwise."""

from __future__ import annotations

import torch


def version() -> str:
    """The version that PyTorch itself says."""
    return str(torch.__version__)


def product(left: list[list[float]], right: list[list[float]], precision: str) -> list[list[float]]:
    """The product of two matrices, lists of rows, in float32 or float64."""
    kind = getattr(torch, precision)
    rows: list[list[float]] = (torch.tensor(left, dtype=kind) @ torch.tensor(right, dtype=kind)).tolist()
    return rows


def exercise() -> bool:
    """A convolution of a batch: PyTorch leaves single images to its own loops, and batches to oneDNN."""
    torch.nn.functional.conv2d(torch.ones(32, 16, 32, 32), torch.ones(32, 16, 3, 3))
    return True
