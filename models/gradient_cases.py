"""The networks, small and in float64, for `python -m engine.gradient_check models`."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine import losses
from engine.combinators import Chain
from engine.gradient_cases import MODES, start
from engine.gradient_check import Case, Loss, layer_case
from engine.gradient_check.loss import LossFunction
from engine.layer import Layer
from engine.layers import Tanh
from models.mlp import mlp
from models.unet import unet
from models.vgg import vgg

# A positive bias keeps the few channels of these small networks alive: batch norm would amplify the rounding of one
# that is almost constant a hundred times.
BIAS = 0.3


def cases() -> Iterator[Case]:
    """MLP, VGG and U-net in training and inference, with batch norm and dropout on, alone and through a loss."""
    for run, mode in MODES:
        yield layer_case("mlp", f"ReLU, {mode}", mlp((6, 8, 7, 3), **start()), 5, 6, run=run, whole=True)
        for statistics in ("batch", "moving"):
            yield layer_case("vgg", f"{statistics} statistics, {mode}", _vgg(statistics), 3, 32, 32, 2,
                             run=run, whole=True)
        yield layer_case("unet", f"depth 3, {mode}", _unet(depth=3), 2, 16, 16, 1, run=run, whole=True)
    yield layer_case("unet", "depth 2, moving statistics, 2 inputs",
                     unet(2, 3, 2, "moving", BIAS, **start()), 2, 8, 12, 2, whole=True)
    yield layer_case("unet", "depth 4", _unet(depth=4), 2, 32, 32, 1, whole=True)
    yield layer_case("mlp", "Tanh, softmax cross entropy",
                     _with_loss(mlp((6, 8, 3), Tanh(), **start()), losses.softmax_cross_entropy_with_logits, 5, 3),
                     5, 6, whole=True)
    yield layer_case("vgg", "cross entropy with logits",
                     _with_loss(_vgg("batch"), losses.binary_cross_entropy_with_logits, 3, 3), 3, 32, 32, 2, whole=True)
    for name, loss in (("dice", losses.dice), ("sensitivity_specificity", losses.sensitivity_specificity)):
        yield layer_case("unet", f"{name} from logits",
                         _with_loss(_unet(depth=2), losses.from_logits(loss), 2, 16, 16, 1), 2, 16, 16, 1, whole=True)


def _vgg(statistics: str) -> Layer:
    return vgg(32, 2, width=1 / 8, statistics=statistics, bias=BIAS, **start())


def _unet(depth: int) -> Layer:
    return unet(1, 2, depth, bias=BIAS, **start())


def _with_loss(network: Layer, loss: LossFunction, *shape: int) -> Layer:
    target = np.random.default_rng(1).integers(0, 2, shape)
    return Chain(network=network, loss=Loss(loss, target))
