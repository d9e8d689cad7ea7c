"""What is measured: the networks of the thesis, each with a loss, on random batches."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.combinators import Chain
from engine.layer import Layer, Run
from engine.losses import Loss, binary_cross_entropy_with_logits, dice, from_logits, softmax_cross_entropy_with_logits
from engine.observing import observe
from models.mlp import mlp
from models.unet import unet
from models.vgg import vgg

NETWORKS = ("mlp", "vgg", "unet")
LABELS = 3
UNET_CHANNELS = 64


@dataclass(frozen=True)
class Case:
    """A network, its input x: (N, H, W, 1), for the MLP (N, H W), a target shaped like its output, and its loss."""
    network: Chain
    x: np.ndarray
    target: np.ndarray
    loss: Loss


def mlp_sizes(side: int) -> tuple[int, ...]:
    """Pixels, two hidden layers as wide as those of the VGG's head, labels."""
    return (side * side, 1024, 512, LABELS)


def unet_channels(width: float) -> int:
    """Channels of the first level."""
    return round(UNET_CHANNELS * width)


def make_case(name: str, batch: int, side: int, width: float = 1.0, keep_probability: float = 0.5,
              dtype: str = "float32", recompute: bool = False) -> Case:
    """The network `name` with its first weights, and a batch: x uniform on [0, 1), random one-hot labels or masks.

    width multiplies the channels of the VGG and the U-net; recompute is an option of these two. Everything is drawn
    from a fixed seed.
    """
    rng = np.random.default_rng((2, batch, side))
    x = rng.random((batch, side, side, 1), dtype=np.float32).astype(dtype)
    if name == "unet":
        mask = rng.random(x.shape) < 0.2
        network = unet(channels=unet_channels(width), rng=rng, dtype=dtype, recompute=recompute)
        return Case(network, x, mask, from_logits(dice))
    labels = np.eye(LABELS, dtype=dtype)[rng.integers(LABELS, size=batch)]
    if name == "vgg":
        network = vgg(side, labels=LABELS, width=width, keep_probability=keep_probability, rng=rng, dtype=dtype,
                      recompute=recompute)
        return Case(network, x, labels, binary_cross_entropy_with_logits)
    network = mlp(mlp_sizes(side), rng=rng, dtype=dtype)
    return Case(network, x.reshape(batch, -1), labels, softmax_cross_entropy_with_logits)


def operations(case: Case) -> tuple[int, int]:
    """Additions and multiplications in the matrix products of (a training step, inference).

    Forward is one product for every layer; backward two more, dx and dW, but no dx for the first layer, which training
    does not need. Everything else (batch norm, pooling, Adam) is left out: it is bound by memory, not by arithmetic.
    """
    products: list[int] = []

    def see(path: str, layer: Layer, x: Any, y: Any) -> None:
        if multiplications := layer.multiplications(x.shape, y.shape):
            products.append(2 * multiplications)

    one = case.x[:1]
    observe(case.network, see).forward(one, Run(train=False, record=False))
    batch = len(case.x)
    return batch * (3 * sum(products) - products[0]), batch * sum(products)
