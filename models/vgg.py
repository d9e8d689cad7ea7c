"""The VGG classifier of A.3.1."""
from __future__ import annotations

import math

from engine.combinators import Chain
from engine.layer import Layer
from engine.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, MaxPool, ReLU
from engine.stages import Stages

CONVOLUTIONS = (2, 2, 3, 3, 3)
CHANNELS = (64, 128, 256, 512, 512)
FEATURES = (1024, 512)
# Images of at least so many pixels make up most of a step's memory and the smaller part of its computing.
RECOMPUTE_FROM = 1 << 10


def vgg(side: int = 128, in_channels: int = 1, labels: int = 3, width: float = 1.0, keep_probability: float = 0.5,
        statistics: str = "batch", bias: float = 0.0, *, rng, dtype: str = "float32", recompute: bool = False) -> Chain:
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
    layers: dict[str, Layer] = {}
    for stage, (convolutions, channels) in enumerate(zip(CONVOLUTIONS, CHANNELS, strict=True), start=1):
        channels = scaled(channels, width)
        for letter in "abc"[:convolutions]:
            layers[f"conv_{stage}{letter}"] = Conv2D(in_channels, channels, activation=ReLU(), bias=bias, rng=rng,
                                                     dtype=dtype)
            in_channels = channels
        layers[f"bn_{stage}"] = BatchNorm(channels, statistics, dtype=dtype)
        layers[f"pool_{stage}"] = MaxPool(2)
    layers["flat_6"] = Flatten()
    features = (side // 32) ** 2 * in_channels
    for letter, size in zip("ab", FEATURES, strict=True):
        layers[f"dense_6{letter}"] = Dense(features, scaled(size, width), ReLU(), bias, rng=rng, dtype=dtype)
        layers[f"drop_6{letter}"] = Dropout(keep_probability)
        features = scaled(size, width)
    layers["dense_6c"] = Dense(features, labels, bias=bias, rng=rng, dtype=dtype)
    return Stages(recompute_from=RECOMPUTE_FROM if recompute else math.inf, **layers)


def scaled(size: int, width: float) -> int:
    """size times the width multiplier, at least 1. Raises ValueError for a multiplier that is none."""
    if not 0 < width < math.inf:
        raise ValueError(f"width is {width}; expected a number above 0, 1 for the thesis's own channels")
    return max(1, round(size * width))
