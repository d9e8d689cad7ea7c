"""The VGG classifier of A.3.1."""
from __future__ import annotations

import math

import numpy as np

from engine.combinators import Chain, SlicedStage
from engine.layer import Layer
from engine.layers import Conv2D, Dense, Dropout, Flatten, PooledNorm, ReLU

CONVOLUTIONS = (2, 2, 3, 3, 3)
CHANNELS = (64, 128, 256, 512, 512)
FEATURES = (1024, 512)
# Images of at least so many pixels make up most of a step's memory and the smaller part of its computing.
RECOMPUTE_FROM = 1 << 10


def vgg(side: int = 128, in_channels: int = 1, labels: int = 3, width: float = 1.0, keep_probability: float = 0.5,
        statistics: str = "batch", bias: float = 0.0, *, rng: np.random.Generator, dtype: str = "float32",
        recompute: bool = False) -> Chain:
    """Five stages of convolutions with ReLU, batch norm and pool, then two dense layers with dropout, then the labels.

    x: (N, side, side, in_channels); y: (N, labels), the logits: A.3.1's sigmoid is applied by the loss, which is stable
    that way, and by `models.predict`. side: a multiple of 32. width multiplies every number of channels and features.
    23,632,451 trainable parameters as in the thesis (128, 1, 3, 1.0). keep_probability: of the dropout. statistics: see
    BatchNorm. bias: the initial one of every layer, 0 in A.3.3, "small positive" in 4.3.1.

    recompute: half of a training step's memory for 1.4 times its time, parameters and their paths the same, gradients
    to rounding.

    Raises ValueError for a side that five poolings do not divide, and for a width that is none.
    """
    if side < 32 or side % 32:
        raise ValueError(f"side is {side}; five poolings halve it, so it must be a multiple of 32")

    def stage(pixels: int, inputs: int, channels: int, convolutions: int) -> Chain:
        sliced = recompute and pixels >= RECOMPUTE_FROM
        layers = {f"conv_{letter}": Conv2D(c, channels, activation=ReLU(), bias=bias, rng=rng, dtype=dtype)
                  for letter, c in zip("abc", [inputs, *[channels] * (convolutions - 1)], strict=False)}
        return (SlicedStage if sliced else Chain)(**layers, norm=PooledNorm(channels, statistics, dtype=dtype))

    layers: dict[str, Layer] = {}
    for place, (convolutions, channels) in enumerate(zip(CONVOLUTIONS, CHANNELS, strict=True)):
        layers[f"stage_{place + 1}"] = stage((side >> place) ** 2, in_channels, scaled(channels, width), convolutions)
        in_channels = scaled(channels, width)
    layers["flatten"] = Flatten()
    features = (side // 32) ** 2 * in_channels
    for letter, size in zip("ab", FEATURES, strict=True):
        layers[f"dense_{letter}"] = Dense(features, scaled(size, width), ReLU(), bias, rng=rng, dtype=dtype)
        layers[f"dropout_{letter}"] = Dropout(keep_probability)
        features = scaled(size, width)
    layers["dense_c"] = Dense(features, labels, bias=bias, rng=rng, dtype=dtype)
    return Chain(**layers)


def features(network: Layer) -> Chain:
    """The VGG without its last layer: y (N, F), F = 512 times the width, what the last dense layer takes.

    In inference that is what the last hidden layer's ReLU lets through: its dropout passes everything on, as it is. The
    layers are those of the network, not copies.
    """
    *most, _ = network.children.items()
    return Chain(**dict(most))


def scaled(size: int, width: float) -> int:
    """size times the width multiplier, at least 1. Raises ValueError for a multiplier that is none."""
    if not 0 < width < math.inf:
        raise ValueError(f"width is {width}; expected a number above 0, 1 for the thesis's own channels")
    return max(1, round(size * width))
