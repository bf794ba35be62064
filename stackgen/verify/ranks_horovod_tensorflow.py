"""What the ranks of Horovod on TensorFlow are asked: a sum, and two steps of training that leave them equal.

usage: python ranks_horovod_tensorflow.py

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
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import horovod
import horovod.tensorflow as hvd
import tensorflow as tf


def main() -> None:
    """Meet, reduce, train, compare; what is seen is printed, and any fault raised."""
    hvd.init()
    _take_own_gpu()
    rank, ranks = hvd.rank(), hvd.size()
    seen: dict[str, Any] = {
        "check": "horovod_tensorflow",
        "version": horovod.__version__,
        "framework": tf.__version__,
        "controller": "mpi" if hvd.mpi_built() and hvd.mpi_enabled() else "gloo",
        "built": [name for name in ("mpi", "gloo", "nccl") if getattr(hvd, f"{name}_built")()],
        "device": "gpu" if tf.config.get_visible_devices("GPU") else "cpu",
        "ranks": ranks,
        "nodes": len(set(hvd.allgather_object(socket.gethostname()))),
        "sum": _sum(rank, ranks),
        "parameters": _trained(rank),
    }
    if rank == 0:
        print(json.dumps(seen), flush=True)
    hvd.shutdown()


def _take_own_gpu() -> None:
    """Leave the GPUs of a node to its other ranks, where there is one for each."""
    gpus, local = tf.config.list_physical_devices("GPU"), hvd.local_rank()
    if gpus:
        own = gpus[local : local + 1] if len(gpus) >= hvd.local_size() else []
        tf.config.set_visible_devices(own, "GPU")


def _sum(rank: int, ranks: int) -> float:
    found = hvd.allreduce(tf.fill((1000,), float(rank + 1)), op=hvd.Sum, name="sum").numpy()
    expected = ranks * (ranks + 1) / 2
    if not (found == expected).all():
        raise ValueError(f"the sum over all ranks is {found[0]} instead of {expected}")
    return float(found[0])


def _trained(rank: int) -> str:
    """The digest of a network's parameters after two steps, each rank with numbers of its own."""
    tf.random.set_seed(rank)
    shapes = (64, 32), (32,), (32, 4), (4,)
    parameters = [tf.Variable(tf.random.normal(shape, stddev=0.1)) for shape in shapes]
    hvd.broadcast_variables(parameters, root_rank=0)
    untrained = _digest(parameters)
    for _ in range(2):
        with tf.GradientTape() as plain:
            hidden = tf.nn.relu(tf.random.normal((16, 64)) @ parameters[0] + parameters[1])
            loss = tf.reduce_mean(tf.square(hidden @ parameters[2] + parameters[3]))
        gradients = hvd.DistributedGradientTape(plain).gradient(loss, parameters)
        for parameter, gradient in zip(parameters, gradients):  # noqa: B905 - for Python 3.9
            parameter.assign_sub(0.1 * gradient)
    digests = hvd.allgather_object(_digest(parameters))
    if len(set(digests)) != 1:
        other = next(place for place, digest in enumerate(digests) if digest != digests[0])
        raise ValueError(f"after two steps the parameters of rank {other} are not those of rank 0")
    if digests[0] == untrained:
        raise ValueError("two steps of training changed no parameter")
    return str(digests[0])


def _digest(parameters: list[Any]) -> str:
    content = hashlib.sha256()
    for parameter in parameters:
        content.update(parameter.numpy().tobytes())
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
