"""Train a fixed network on synthetic data with TensorFlow, and leave the seconds of every step.

Written with TensorFlow's operations alone, so that Keras 2 and Keras 3 do the same. Every rank starts from
the same seed, so no parameters have to be sent around first.
"""

from __future__ import annotations

import os
import socket
import sys
import time
import zlib
from typing import Any

from ranks import arguments, leave, place, timed, trained

ASKED = arguments()
RANK, RANKS = place(ASKED.fork)  # before TensorFlow starts threads, which no fork survives

import tensorflow as tf  # noqa: E402
from tensorflow_networks import CLASSIFIERS, GENERATED, Layers, discriminated, generated  # noqa: E402

RATE = 1e-4


class Ranks:
    """How gradients come together: by Horovod, by TensorFlow's own distribution, or not at all with one."""

    def __init__(self, distribution: str) -> None:
        self.horovod: Any = None
        self.strategy: Any = None
        self.rank, self.size = RANK, RANKS
        if text := os.environ.get("OMP_NUM_THREADS"):
            tf.config.threading.set_intra_op_parallelism_threads(int(text))
        if distribution == "horovod":
            import horovod.tensorflow as horovod

            horovod.init()
            self.horovod, self.rank, self.size = horovod, horovod.rank(), horovod.size()
            self._own_gpu(horovod.local_rank())
        elif self.size > 1:
            self._own_gpu(int(os.environ.get("LOCAL_RANK", "0")))
            self.strategy = tf.distribute.MultiWorkerMirroredStrategy()

    @staticmethod
    def _own_gpu(local: int) -> None:
        if found := tf.config.list_physical_devices("GPU"):
            tf.config.set_visible_devices(found[local % len(found)], "GPU")

    def together(self, gradients: list[Any]) -> list[Any]:
        """The means of the gradients of all ranks."""
        if self.horovod:
            return list(self.horovod.grouped_allreduce(gradients))
        if self.strategy:
            context = tf.distribute.get_replica_context()
            return list(context.all_reduce(tf.distribute.ReduceOp.MEAN, gradients))
        return gradients

    def compiled(self, step: Any) -> Any:
        """The step as one graph, run on this rank's part of the strategy."""
        if not self.strategy:
            return tf.function(step)
        return tf.function(lambda: self.strategy.experimental_local_results(self.strategy.run(step))[0])

    def hosts(self) -> int:
        """On how many machines the ranks are."""
        if self.horovod:
            return len(set(self.horovod.allgather_object(socket.gethostname())))
        if not self.strategy:
            return 1
        name = zlib.crc32(socket.gethostname().encode())
        found = self.compiled(
            lambda: tf.distribute.get_replica_context().all_gather(tf.constant([name], tf.int64), axis=0)
        )()
        return len({int(one) for one in found})

    def close(self) -> None:
        """Leave so that nobody misses rank 0, which all others report to until they end."""
        if self.horovod:
            self.horovod.shutdown()
        elif self.strategy:  # nor before the last sum is everywhere
            time.sleep(1 if self.rank else 3)


def descend(ranks: Ranks, tape: Any, loss: Any, variables: list[Any]) -> None:
    """One step of plain stochastic descent: what is measured is the network, and the ranks."""
    gradients = ranks.together(tape.gradient(loss, variables))
    for variable, gradient in zip(variables, gradients):  # noqa: B905 - for any Python
        variable.assign_sub(RATE * gradient)


def gan(ranks: Ranks) -> tuple[Any, int]:
    """One step of both networks, as in 3DGAN: real, made, and twice the generator."""
    shape, width = ((13, 13, 7), 8) if ASKED.small else ((51, 51, 25), 64)
    make, judge = Layers(), Layers()
    images = tf.random.uniform((ASKED.batch, *shape, 1))
    energies = tf.random.uniform((ASKED.batch, 1))

    def loss(found: Any, real: float) -> Any:
        wanted = tf.fill(tf.shape(found[:, :1]), real)
        doubt = tf.nn.sigmoid_cross_entropy_with_logits(labels=wanted, logits=found[:, :1])
        return tf.reduce_mean(doubt) + tf.reduce_mean(tf.abs(found[:, 1:] - energies))

    def learn(pictures: Any, real: float) -> None:
        with tf.GradientTape() as tape:
            value = loss(discriminated(judge, pictures), real)
        descend(ranks, tape, value, judge.variables)

    def invent(noise: Any) -> Any:
        with tf.GradientTape() as tape:
            value = loss(discriminated(judge, generated(make, noise, shape, width)), 1.0)
        descend(ranks, tape, value, make.variables)
        return value

    def step() -> Any:
        noise = tf.random.normal((ASKED.batch, GENERATED)) * energies
        learn(images, 1.0)
        learn(generated(make, noise, shape, width), 0.0)
        invent(noise)
        return invent(noise)

    discriminated(judge, generated(make, tf.zeros((1, GENERATED)), shape, width))  # makes the variables
    return ranks.compiled(step), make.count + judge.count


def pictures(ranks: Ranks) -> tuple[Any, int]:
    """One step of ResNet-50 or AlexNet."""
    edge, layers, network = 64 if ASKED.small else 224, Layers(), CLASSIFIERS[ASKED.job]
    images = tf.random.uniform((ASKED.batch, edge, edge, 3))
    labels = tf.random.uniform((ASKED.batch,), maxval=1000, dtype=tf.int32)

    def step() -> Any:
        with tf.GradientTape() as tape:
            found = network(layers, images)
            each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=found)
            value = tf.reduce_mean(each)
        descend(ranks, tape, value, layers.variables)
        return value

    network(layers, images[:1])  # makes the variables
    return ranks.compiled(step), layers.count


def main() -> None:
    """Train, and let rank 0 leave the result."""
    ranks = Ranks(ASKED.distribution)
    tf.random.set_seed(1)
    step, parameters = (gan if ASKED.job == "gan" else pictures)(ranks)
    seconds, loss = timed(step, ASKED)
    hosts = ranks.hosts()
    if ranks.rank == 0:
        versions = {"tensorflow": str(tf.__version__)}
        if ranks.horovod:
            import horovod

            versions["horovod"] = str(horovod.__version__)
        device = "cuda" if tf.config.list_physical_devices("GPU") else "cpu"
        told = {"hosts": hosts, "parameters": parameters, "loss": loss, "device": device}
        leave(ASKED.out, trained(ASKED, ranks.size, seconds, versions=versions, **told))
    ranks.close()
    sys.stdout.flush()
    os._exit(0)  # TensorFlow's own threads would complain of ranks that are gone


main()
