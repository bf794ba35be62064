"""What the ranks of Horovod on PyTorch are asked: a sum, and two steps of training that leave them equal.

usage: python ranks_horovod_torch.py

Runs on any number of ranks, started by srun, mpirun or `horovodrun`; rank 0 prints one line of JSON.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

import horovod
import horovod.torch as hvd
import torch


def main() -> None:
    """Meet, reduce, train, compare; what is seen is printed, and any fault raised."""
    hvd.init()
    _take_own_gpu()
    rank, ranks = hvd.rank(), hvd.size()
    seen: dict[str, Any] = {
        "check": "horovod_torch",
        "version": horovod.__version__,
        "framework": torch.__version__,
        "controller": "mpi" if hvd.mpi_built() and hvd.mpi_enabled() else "gloo",
        "built": [name for name in ("mpi", "gloo", "nccl") if getattr(hvd, f"{name}_built")()],
        "device": _device().type,
        "ranks": ranks,
        "nodes": len(set(hvd.allgather_object(socket.gethostname()))),
        "sum": _sum(rank, ranks),
        "parameters": _trained(rank),
    }
    if rank == 0:
        print(json.dumps(seen), flush=True)
    hvd.shutdown()


def _device() -> torch.device:
    """The GPU of this rank, where its node has one for each of its ranks."""
    local = hvd.local_rank()
    enough = torch.cuda.is_available() and torch.cuda.device_count() >= hvd.local_size()
    return torch.device("cuda", local) if enough else torch.device("cpu")


def _take_own_gpu() -> None:
    if _device().type == "cuda":
        torch.cuda.set_device(_device())


def _sum(rank: int, ranks: int) -> float:
    numbers = torch.full((1000,), float(rank + 1), device=_device())
    found = hvd.allreduce(numbers, op=hvd.Sum, name="sum")
    expected = ranks * (ranks + 1) / 2
    if not bool((found == expected).all()):
        raise ValueError(f"the sum over all ranks is {found[0].item()} instead of {expected}")
    return float(found[0].item())


def _trained(rank: int) -> str:
    """The digest of a network's parameters after two steps, each rank with numbers of its own."""
    torch.manual_seed(rank)
    layers = torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 4)
    network = torch.nn.Sequential(*layers).to(_device())
    optimizer = hvd.DistributedOptimizer(
        torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9), network.named_parameters()
    )
    hvd.broadcast_parameters(network.state_dict(), root_rank=0)
    hvd.broadcast_optimizer_state(optimizer, root_rank=0)
    untrained = _digest(network)
    for _ in range(2):
        optimizer.zero_grad()
        network(torch.randn(16, 64, device=_device())).square().mean().backward()
        optimizer.step()
    digests = hvd.allgather_object(_digest(network))
    if len(set(digests)) != 1:
        other = next(place for place, digest in enumerate(digests) if digest != digests[0])
        raise ValueError(f"after two steps the parameters of rank {other} are not those of rank 0")
    if digests[0] == untrained:
        raise ValueError("two steps of training changed no parameter")
    return str(digests[0])


def _digest(network: torch.nn.Module) -> str:
    content = hashlib.sha256()
    for parameter in network.parameters():
        content.update(parameter.detach().cpu().numpy().tobytes())
    return content.hexdigest()


def _own_rank() -> str:
    try:
        return str(hvd.rank())
    except (AttributeError, ValueError):  # not even begun
        return "?"


if __name__ == "__main__":
    try:
        main()
    except BaseException as error:
        words = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"rank {_own_rank()}: {words}", file=sys.stderr, flush=True)
        # Horovod's own end waits for ranks that wait for this one; the launcher, told the status, ends them.
        os._exit(1)
