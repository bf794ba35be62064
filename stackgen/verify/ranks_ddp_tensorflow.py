"""What the workers of TensorFlow's own distribution are asked: a sum, and two steps that leave them equal.

usage: python ranks_ddp_tensorflow.py

Runs on any number of ranks, started by srun or mpirun, with TF_CONFIG; rank 0 prints one line of JSON.
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

import tensorflow as tf


def main() -> None:
    """Meet, reduce, train, compare; what is seen is printed, and any fault raised."""
    if "TF_CONFIG" not in os.environ:
        raise ValueError("TF_CONFIG is not set, and nothing tells the nodes of all ranks; set it")
    _take_own_gpu()
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    config = json.loads(os.environ["TF_CONFIG"])
    rank, ranks = config["task"]["index"], len(config["cluster"]["worker"])
    seen: dict[str, Any] = {
        "check": "ddp_tensorflow",
        "version": tf.__version__,
        "backend": "nccl" if tf.config.get_visible_devices("GPU") else "ring",
        "device": "gpu" if tf.config.get_visible_devices("GPU") else "cpu",
        "ranks": ranks,
        "nodes": len(set(_gathered(strategy, socket.gethostname()))),
        "sum": _sum(strategy, rank),
        "parameters": _trained(strategy, rank),
    }
    if rank == 0:
        print(json.dumps(seen), flush=True)


def _take_own_gpu() -> None:
    """Leave the GPUs of a node to its other ranks, where there is one for each."""
    local, ranks = int(os.environ.get("LOCAL_RANK", "0")), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        tf.config.set_visible_devices(gpus[local : local + 1] if len(gpus) >= ranks else [], "GPU")


def _sum(strategy: Any, rank: int) -> float:
    def reduced() -> Any:
        numbers = strategy.run(lambda: tf.fill((1000,), float(rank + 1)))
        return strategy.reduce(tf.distribute.ReduceOp.SUM, numbers, axis=None)

    numbers = tf.function(reduced, autograph=False)().numpy()
    replicas = strategy.num_replicas_in_sync
    expected = replicas * (replicas + 1) / 2
    if not (numbers == expected).all():
        raise ValueError(f"the sum over all ranks is {numbers[0]} instead of {expected}")
    return float(numbers[0])


def _trained(strategy: Any, rank: int) -> str:
    """The digest of a network's parameters after two steps, each rank with numbers of its own."""
    tf.random.set_seed(rank)
    shapes = (64, 32), (32,), (32, 4), (4,)
    with strategy.scope():
        parameters = [
            tf.Variable(tf.random.normal(shape, stddev=0.1), aggregation=tf.VariableAggregation.MEAN)
            for shape in shapes
        ]

    def step() -> None:
        with tf.GradientTape() as tape:
            hidden = tf.nn.relu(tf.random.normal((16, 64)) @ parameters[0] + parameters[1])
            loss = tf.reduce_mean(tf.square(hidden @ parameters[2] + parameters[3]))
        for parameter, gradient in zip(parameters, tape.gradient(loss, parameters)):  # noqa: B905 - for 3.9
            parameter.assign_sub(0.1 * gradient)

    stepped = tf.function(lambda: strategy.run(step), autograph=False)
    untrained = _digest(parameters)
    for _ in range(2):
        stepped()
    digests = _gathered(strategy, _digest(parameters))
    if len(set(digests)) != 1:
        other = next(place for place, digest in enumerate(digests) if digest != digests[0])
        raise ValueError(f"after two steps the parameters of rank {other} are not those of rank 0")
    if digests[0] == untrained:
        raise ValueError("two steps of training changed no parameter")
    return digests[0]


def _digest(parameters: list[Any]) -> str:
    content = hashlib.sha256()
    for parameter in parameters:
        content.update(parameter.numpy().tobytes())
    return content.hexdigest()


def _gathered(strategy: Any, own: str) -> list[str]:
    """The texts of all replicas, by way of numbers: there is no collective for texts."""
    letters = tf.constant([list(own[:64].ljust(64).encode())], tf.int32)

    def gathered() -> Any:
        return strategy.gather(strategy.run(lambda: tf.identity(letters)), axis=0)

    rows = tf.function(gathered, autograph=False)()
    return [bytes(row).decode().strip() for row in rows.numpy().astype("uint8")]


if __name__ == "__main__":
    try:
        main()
    except BaseException as error:
        words = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"rank {os.environ.get('RANK', '?')}: {words}", file=sys.stderr, flush=True)
        # What waits for the others at the end of a process would keep them all.
        os._exit(1)
