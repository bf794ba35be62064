"""What the ranks of PyTorch's own distribution are asked: a sum, and two steps that leave them equal.

usage: python ranks_ddp_pytorch.py [nccl|gloo|mpi]

Runs on any number of ranks, started by srun, mpirun or `torchrun`; rank 0 prints one line of JSON.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

import torch
from torch import distributed


def main(backend: str) -> None:
    """Meet, reduce, train, compare; what is seen is printed, and any fault raised."""
    device = _device(backend)
    distributed.init_process_group(backend or ("nccl" if device.type == "cuda" else "gloo"))
    rank, ranks = distributed.get_rank(), distributed.get_world_size()
    seen: dict[str, Any] = {
        "check": "ddp_pytorch",
        "version": torch.__version__,
        "backend": distributed.get_backend(),
        "device": device.type,
        "ranks": ranks,
        "nodes": len(set(_gathered(socket.gethostname()))),
        "sum": _sum(rank, ranks, device),
        "parameters": _trained(rank, device),
    }
    distributed.barrier()
    if rank == 0:
        print(json.dumps(seen), flush=True)
    # What is left of the group at Python's end, as by a network that is not forgotten yet, aborts one process
    # in ten: its threads still run when C++ ends (`terminate called without an active exception`).
    gc.collect()
    distributed.destroy_process_group()
    sys.stdout.flush()
    os._exit(0)


def _device(backend: str) -> torch.device:
    """The GPU of this rank, where its node has one for each of its ranks."""
    local, ranks = int(os.environ.get("LOCAL_RANK", "0")), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if backend == "gloo" or not torch.cuda.is_available() or torch.cuda.device_count() <= local:
        return torch.device("cpu")
    if not backend and ranks > torch.cuda.device_count():
        return torch.device("cpu")
    torch.cuda.set_device(local)
    return torch.device("cuda", local)


def _sum(rank: int, ranks: int, device: torch.device) -> float:
    numbers = torch.full((1000,), float(rank + 1), device=device)
    distributed.all_reduce(numbers)
    expected = ranks * (ranks + 1) / 2
    if not bool((numbers == expected).all()):
        raise ValueError(f"the sum over all ranks is {numbers[0].item()} instead of {expected}")
    return float(numbers[0].item())


def _trained(rank: int, device: torch.device) -> str:
    """The digest of a network's parameters after two steps, each rank with numbers of its own."""
    torch.manual_seed(rank)
    layers = torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 4)
    network = torch.nn.Sequential(*layers).to(device)
    wrapped = torch.nn.parallel.DistributedDataParallel(
        network, device_ids=[device.index] if device.type == "cuda" else None
    )
    untrained = _digest(network)
    optimizer = torch.optim.SGD(wrapped.parameters(), lr=0.1, momentum=0.9)
    for _ in range(2):
        optimizer.zero_grad()
        wrapped(torch.randn(16, 64, device=device)).square().mean().backward()
        optimizer.step()
    digests = _gathered(_digest(network))
    if len(set(digests)) != 1:
        other = next(place for place, digest in enumerate(digests) if digest != digests[0])
        raise ValueError(f"after two steps the parameters of rank {other} are not those of rank 0")
    if digests[0] == untrained:
        raise ValueError("two steps of training changed no parameter")
    return digests[0]


def _digest(network: torch.nn.Module) -> str:
    content = hashlib.sha256()
    for parameter in network.parameters():
        content.update(parameter.detach().cpu().numpy().tobytes())
    return content.hexdigest()


def _gathered(own: str) -> list[str]:
    texts: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(texts, own)
    return [str(text) for text in texts]


if __name__ == "__main__":
    try:
        main("".join(sys.argv[1:]))
    except BaseException as error:
        words = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"rank {os.environ.get('RANK', '?')}: {words}", file=sys.stderr, flush=True)
        # What waits for the others at the end of a process would keep them all.
        os._exit(1)
