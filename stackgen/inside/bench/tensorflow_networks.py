"""The networks that `stackgen bench scaling` trains with TensorFlow: of the sizes of PyTorch's."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

GENERATED = 200
"""Numbers of noise that an image is made from."""
Shape = tuple[int, int, int]


class Layers:
    """The variables of a network, made when they are first asked for, by name."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    @property
    def variables(self) -> list[Any]:
        """All of them, in the order of the network."""
        return list(self._known.values())

    @property
    def count(self) -> int:
        """How many parameters they are."""
        return sum(int(tf.size(variable)) for variable in self.variables)

    def weights(self, name: str, shape: tuple[int, ...]) -> Any:
        """Random ones, as He has it; the same on every rank."""
        if name not in self._known:
            entering = 1
            for edge in shape[:-1]:
                entering *= edge
            seed = (len(self._known), 1)
            drawn = tf.random.stateless_normal(shape, seed) * (2.0 / entering) ** 0.5
            self._known[name] = tf.Variable(drawn)
        return self._known[name]

    def filled(self, name: str, size: int, value: float) -> Any:
        """A vector of one value."""
        if name not in self._known:
            self._known[name] = tf.Variable(tf.fill((size,), value))
        return self._known[name]

    def convolved(self, name: str, found: Any, kernel: tuple[int, ...], leaving: int, stride: int = 1) -> Any:
        """A convolution in two or three dimensions that keeps the edges, without bias."""
        weights = self.weights(name, (*kernel, int(found.shape[-1]), leaving))
        return tf.nn.convolution(found, weights, strides=stride, padding="SAME")

    def normed(self, name: str, found: Any) -> Any:
        """Batch normalization by the batch at hand, in one operation, in 2-D and folded in 3-D."""
        size = int(found.shape[-1])
        scale, offset = self.filled(f"{name}/scale", size, 1.0), self.filled(f"{name}/offset", size, 0.0)
        shape = tf.shape(found)
        flat = tf.reshape(found, (shape[0], 1, -1, size))
        return tf.reshape(
            tf.raw_ops.FusedBatchNormV3(
                x=flat,
                scale=scale,
                offset=offset,
                mean=tf.zeros((0,)),
                variance=tf.zeros((0,)),
                is_training=True,
            ).y,
            shape,
        )

    def dense(self, name: str, found: Any, leaving: int) -> Any:
        """A matrix product and an offset."""
        weights = self.weights(name, (int(found.shape[-1]), leaving))
        return found @ weights + self.filled(f"{name}/offset", leaving, 0.0)


def generated(layers: Layers, noise: Any, shape: Shape, width: int) -> Any:
    """Calorimeter images out of noise times an energy, about as 3DGAN does it."""
    found = tf.reshape(layers.dense("start", noise, 8 * 7 * 7 * 8), (-1, 7, 7, 8, 8))
    found = layers.normed("n1", tf.nn.leaky_relu(layers.convolved("c1", found, (5, 5, 7), width)))
    found = _resized(found, tuple((edge + 1) // 2 for edge in shape))
    found = layers.normed("n2", tf.nn.leaky_relu(layers.convolved("c2", found, (5, 5, 7), 6)))
    found = _resized(found, shape)
    found = layers.normed("n3", tf.nn.leaky_relu(layers.convolved("c3", found, (3, 3, 5), 6)))
    return tf.nn.relu(layers.convolved("c4", found, (3, 3, 3), 1))


def _resized(found: Any, shape: tuple[int, ...]) -> Any:
    """The nearest neighbours, along each axis in turn."""
    for axis, edge in enumerate(shape, start=1):
        now = int(found.shape[axis])
        found = tf.gather(found, [number * now // edge for number in range(edge)], axis=axis)
    return found


def discriminated(layers: Layers, images: Any) -> Any:
    """Two numbers an image: the logit of `real`, and the energy."""
    found = tf.nn.leaky_relu(layers.convolved("c0", images, (5, 5, 5), 16))
    found = tf.nn.avg_pool3d(found, 2, 2, "VALID")
    for number in range(1, 4):
        found = tf.nn.leaky_relu(layers.convolved(f"c{number}", found, (5, 5, 5), 8))
        found = layers.normed(f"n{number}", found)
    return layers.dense("heads", tf.reduce_mean(found, axis=(1, 2, 3)), 2)


def residual(layers: Layers, images: Any) -> Any:
    """ResNet-50 (version 1.5) for a thousand classes."""
    found = layers.convolved("stem", images, (7, 7), 64, 2)
    found = tf.nn.relu(layers.normed("stem/n", found))
    found = tf.nn.max_pool2d(found, 3, 2, "SAME")
    for stage, blocks in enumerate((3, 4, 6, 3)):
        for block in range(blocks):
            found = _block(layers, f"{stage}/{block}", found, 64 * 2**stage, 2 if stage and not block else 1)
    return layers.dense("classes", tf.reduce_mean(found, axis=(1, 2)), 1000)


def columnar(layers: Layers, images: Any) -> Any:
    """AlexNet in one column, for a thousand classes: 61 100 840 parameters."""
    found = tf.nn.max_pool2d(_rectified(layers, "c0", images, (11, 11), 64, 4), 3, 2, "VALID")
    found = tf.nn.max_pool2d(_rectified(layers, "c1", found, (5, 5), 192), 3, 2, "VALID")
    for number, leaving in enumerate((384, 256, 256), start=2):
        found = _rectified(layers, f"c{number}", found, (3, 3), leaving)
    found = tf.nn.max_pool2d(found, 3, 2, "VALID")
    found = tf.reshape(found, (-1, found.shape[1] * found.shape[2] * found.shape[3]))
    for name in ("d0", "d1"):
        found = tf.nn.relu(layers.dense(name, found, 4096))
    return layers.dense("classes", found, 1000)


def _rectified(  # noqa: PLR0913, PLR0917 - what a convolution is
    layers: Layers, name: str, found: Any, kernel: tuple[int, ...], leaving: int, stride: int = 1
) -> Any:
    made = layers.convolved(name, found, kernel, leaving, stride)
    return tf.nn.relu(made + layers.filled(f"{name}/offset", leaving, 0.0))


CLASSIFIERS = {"resnet50": residual, "alexnet": columnar}
"""By job, what tells a thousand classes of pictures apart."""


def _block(layers: Layers, name: str, entering: Any, inner: int, stride: int) -> Any:
    found = tf.nn.relu(layers.normed(f"{name}/n1", layers.convolved(f"{name}/c1", entering, (1, 1), inner)))
    found = layers.convolved(f"{name}/c2", found, (3, 3), inner, stride)
    found = tf.nn.relu(layers.normed(f"{name}/n2", found))
    found = layers.normed(f"{name}/n3", layers.convolved(f"{name}/c3", found, (1, 1), 4 * inner))
    if int(entering.shape[-1]) == 4 * inner:
        return tf.nn.relu(found + entering)
    short = layers.convolved(f"{name}/c0", entering, (1, 1), 4 * inner, stride)
    return tf.nn.relu(found + layers.normed(f"{name}/n0", short))
