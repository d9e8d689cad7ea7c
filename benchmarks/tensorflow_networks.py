"""The networks of the thesis in TensorFlow, its own framework, with our weights. Images are NHWC in both."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cases
import numpy as np
import tensorflow as tf

from engine.layer import Layer
from models.vgg import CHANNELS, CONVOLUTIONS, FEATURES, scaled

Tensor = Any
layers = tf.keras.layers


class Builder:
    """Makes layers and applies them. layers: those with weights, in the order of our parameters."""

    def __init__(self) -> None:
        self.layers: list[Any] = []

    def __call__(self, layer: Any, x: Tensor) -> Tensor:
        self.layers.append(layer)
        return layer(x)

    def stack(self, x: Tensor, channels: int, convolutions: int = 2) -> Tensor:
        """3x3 convolutions with ReLU."""
        for _ in range(convolutions):
            x = self(layers.Conv2D(channels, 3, padding="same", activation="relu"), x)
        return x

    def norm(self, x: Tensor) -> Tensor:
        return self(layers.BatchNormalization(momentum=0.9, epsilon=1e-5), x)


def twin(name: str, network: Layer, side: int, width: float = 1.0, keep_probability: float = 0.5) -> Any:
    """The network of `cases.make_case(name, ...)` as a Keras model, with the arrays of `network`."""
    build = Builder()
    x = tf.keras.Input((side * side,) if name == "mlp" else (side, side, 1))
    model = tf.keras.Model(x, {"mlp": _mlp, "vgg": _vgg, "unet": _unet}[name](build, x, side, width, keep_probability))
    arrays = iter(network.parameters().values())
    averages = iter(network.moving_averages().values())
    for layer in build.layers:
        own = [next(arrays), next(arrays)]
        layer.set_weights(own + ([next(averages), next(averages)] if len(layer.get_weights()) == 4 else []))
    return model


def _mlp(build: Builder, x: Tensor, side: int, width: float, keep_probability: float) -> Tensor:
    *hidden, labels = cases.mlp_sizes(side)[1:]
    for size in hidden:
        x = build(layers.Dense(size, "relu"), x)
    return build(layers.Dense(labels), x)


def _vgg(build: Builder, x: Tensor, side: int, width: float, keep_probability: float) -> Tensor:
    for convolutions, channels in zip(CONVOLUTIONS, CHANNELS, strict=True):
        x = layers.MaxPool2D()(build.norm(build.stack(x, scaled(channels, width), convolutions)))
    x = layers.Flatten()(x)
    for size in FEATURES:
        x = layers.Dropout(1 - keep_probability)(build(layers.Dense(scaled(size, width), "relu"), x))
    return build(layers.Dense(cases.LABELS), x)


def _unet(build: Builder, x: Tensor, side: int, width: float, keep_probability: float) -> Tensor:
    return build(layers.Conv2D(1, 1), _level(build, x, cases.unet_channels(width), 4))


def _level(build: Builder, x: Tensor, channels: int, depth: int) -> Tensor:
    down = build.stack(x, channels)
    y = build.norm(down)
    if depth == 0:
        return y
    below = layers.UpSampling2D()(_level(build, layers.MaxPool2D()(y), 2 * channels, depth - 1))
    return build.norm(build.stack(layers.Concatenate()([below, down]), channels))


def loss(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of the network `name`, of (logits, target)."""
    losses: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "mlp": _cross_entropy, "vgg": _binary_cross_entropy, "unet": _dice}
    return losses[name]


def _cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(target, logits))


def _binary_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    return tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(target, logits)) / len(target)


def _dice(logits: Tensor, y: Tensor, epsilon: float = 1e-6) -> Tensor:
    p = tf.sigmoid(logits)
    inside = (tf.reduce_sum(p * y) + epsilon) / (tf.reduce_sum(p + y) + epsilon)
    outside = (tf.reduce_sum((1 - p) * (1 - y)) + epsilon) / (tf.reduce_sum(2 - p - y) + epsilon)
    return 1 - inside - outside


def tensor(array: np.ndarray) -> Tensor:
    return tf.constant(array, tf.float32)
