"""Operations a second of PyTorch's kernels, as a program gets them that sets nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from timing import CONVOLUTIONS, GEMM, Convolution, arguments, median_seconds, shrunk, tell
from torch.nn import functional

ASKED = arguments()
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def settled(call: Callable[[], Any]) -> Callable[[], Any]:
    """The call, and on a GPU the wait for its end."""

    def whole() -> None:
        call()
        if DEVICE.type == "cuda":
            torch.cuda.synchronize()

    return whole


def gemms(edge: int) -> Iterator[tuple[str, float]]:
    """Matrix products in both precisions that training has use for."""
    for name, kind in (("GEMM float32", torch.float32), ("GEMM bfloat16", torch.bfloat16)):
        left = torch.rand(edge, edge, device=DEVICE).to(kind)
        right = torch.rand(edge, edge, device=DEVICE).to(kind)
        out = torch.empty_like(left)
        call = settled(partial(torch.mm, left, right, out=out))
        yield name, 2.0 * edge**3 / median_seconds(call, ASKED.seconds)


def convolutions(name: str, one: Convolution) -> Iterator[tuple[str, float]]:
    """Forward alone, and forward with what training needs backward."""
    apply = functional.conv2d if len(one.edges) == 2 else functional.conv3d
    images = torch.rand(one.batch, one.entering, *one.edges, device=DEVICE, requires_grad=True)
    shape = (one.leaving, one.entering, *[one.kernel] * len(one.edges))
    weights = torch.rand(shape, device=DEVICE, requires_grad=True)

    def forward() -> None:
        with torch.no_grad():
            apply(images, weights, padding=one.kernel // 2)

    def both() -> None:
        images.grad = weights.grad = None
        apply(images, weights, padding=one.kernel // 2).sum().backward()

    yield f"{name} forward", one.operations / median_seconds(settled(forward), ASKED.seconds)
    yield f"{name} training", 3 * one.operations / median_seconds(settled(both), ASKED.seconds)


def main() -> None:
    """Measure all, tell it."""
    found = dict(gemms(256 if ASKED.small else GEMM))
    for name, one in CONVOLUTIONS.items():
        found |= dict(convolutions(name, shrunk(one, small=ASKED.small)))
    told = {"threads": torch.get_num_threads(), "device": DEVICE.type, "version": str(torch.__version__)}
    tell({"rates": found, **told})


main()
