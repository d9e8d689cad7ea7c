"""The layers, combinators and losses of the engine, each in the set-ups in which its backward takes another way."""
from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from engine import layers, losses
from engine.combinators import Chain, Fork, Merge, Recompute, Skip, SlicedRecompute, SlicedStage
from engine.gradient_check.case import Case, distinct, generator, layer_case
from engine.gradient_check.loss import Loss, LossFunction
from engine.layer import Layer, Run

MODES = ((Run(), "training"), (Run(train=False), "inference"))


def cases() -> Iterator[Case]:
    """Every layer and loss of the engine."""
    yield from _linear()
    yield from _normalization()
    yield from _element_wise()
    yield from _pooling()
    yield from _combinators()
    yield from _losses()


def _linear() -> Iterator[Case]:
    for activation in (None, layers.ReLU(), layers.LeakyReLU(0.1), layers.Sigmoid(), layers.Tanh()):
        yield layer_case("Dense", _named(activation), layers.Dense(5, 4, activation, **start()), 3, 5)
        yield layer_case("Conv2D", f"3x3, {_named(activation)}",
                         layers.Conv2D(2, 3, activation=activation, **start()), 2, 5, 4, 2)
    for size, stride, padding in (((1, 1), (1, 1), "SAME"), ((2, 2), (1, 1), "SAME"), ((5, 5), (1, 1), "SAME"),
                                  ((3, 3), (2, 2), "SAME"), ((3, 3), (1, 1), "VALID"), ((3, 3), (2, 2), "VALID"),
                                  ((2, 3), (3, 2), "SAME"), ((1, 1), (2, 2), "VALID"), ((4, 2), (1, 3), "VALID")):
        yield layer_case("Conv2D", _placed(size, stride, padding),
                         layers.Conv2D(2, 3, size, stride, padding, **start()), 2, 6, 7, 2)
    # wide enough that the NumPy kernels compute it by Winograd's method
    yield layer_case("Conv2D", "3x3, 64 channels", layers.Conv2D(64, 64, activation=layers.Tanh(), **start()),
                     2, 15, 18, 64, whole=True)
    for size, stride, padding, activation in (((2, 2), (2, 2), "SAME", None), ((3, 3), (2, 2), "SAME", layers.ReLU()),
                                              ((3, 3), (1, 1), "VALID", None), ((3, 2), (1, 3), "VALID", None),
                                              ((1, 1), (2, 2), "VALID", layers.Tanh())):
        yield layer_case("TransposedConv2D", f"{_placed(size, stride, padding)}, {_named(activation)}",
                         layers.TransposedConv2D(2, 3, size, stride, padding, activation, **start()), 2, 3, 4, 2)


def _normalization() -> Iterator[Case]:
    for run, mode in MODES:
        for statistics in ("batch", "moving"):
            for shape, name in (((3, 4, 3, 2), "images"), ((6, 3), "features")):
                yield layer_case("BatchNorm", f"{statistics} statistics, {name}, {mode}",
                                 layers.BatchNorm(shape[-1], statistics, dtype="float64"), *shape, run=run)
            for size in ((2, 2), (2, 3)):
                yield layer_case("PooledNorm", f"{size[0]}x{size[1]}, {statistics} statistics, {mode}",
                                 _pooled_norm(statistics, size), 3, 5, 6, 2, run=run)
        yield layer_case("Dropout", mode, layers.Dropout(0.6), 4, 6, run=run)


def _element_wise() -> Iterator[Case]:
    for layer in (layers.ReLU(), layers.LeakyReLU(0.1), layers.Sigmoid(), layers.Tanh(), layers.Softmax()):
        yield layer_case(_named(layer), "", layer, 3, 7)


def _pooling() -> Iterator[Case]:
    for kind in (layers.MaxPool, layers.AveragePool):
        for size, stride in (((2, 2), (2, 2)), ((3, 3), (2, 2)), ((2, 3), (1, 2))):
            yield layer_case(kind.__name__, _placed(size, stride), kind(size, stride), 2, 5, 6, 2)
    yield layer_case("GlobalAveragePool", "", layers.GlobalAveragePool(), 2, 3, 4, 3)
    for factor in (2, 3):
        yield layer_case("Upsample", f"{factor}x", layers.Upsample(factor), 2, 3, 2, 2)
    yield layer_case("Flatten", "", layers.Flatten(), 2, 3, 2, 2)


def _combinators() -> Iterator[Case]:
    for combinator in (Chain, Skip, Recompute):
        for run, mode in MODES:
            inner = Chain(conv=layers.Conv2D(2, 3, activation=layers.ReLU(), **start()),
                          norm=layers.BatchNorm(3, dtype="float64"), drop=layers.Dropout(0.7))
            yield layer_case(combinator.__name__, f"of a convolution, batch norm and dropout, {mode}",
                             combinator(inner), 2, 4, 4, 2, run=run)
    convolutions = [layers.Conv2D(*channels, activation=layers.ReLU(), **start()) for channels in ((2, 3), (3, 2))]
    yield layer_case("SlicedRecompute", "of two convolutions", SlicedRecompute(*convolutions), 2, 4, 4, 2)
    for run, mode in MODES:
        stage = SlicedStage(layers.Conv2D(2, 3, activation=layers.ReLU(), **start()), layers.Conv2D(3, 2, **start()),
                            _pooled_norm("batch"))
        yield layer_case("SlicedStage", f"of two convolutions, {mode}", stage, 2, 4, 4, 2, run=run)
    yield layer_case("Merge", "of a fork", Chain(Fork(layers.MaxPool(2)), Merge(layers.Upsample(2))), 2, 4, 4, 2)


def _pooled_norm(statistics: str, size: int | tuple[int, int] = 2) -> layers.PooledNorm:
    norm = layers.PooledNorm(2, statistics, size, dtype="float64")
    norm.params["c1"][...] = [0.8, -1.2]  # one that falls: its pooling takes the smallest
    return norm


def _losses() -> Iterator[Case]:
    yield loss_case("least_squares", losses.least_squares, -1, 1, binary=False)
    yield loss_case("softmax_cross_entropy_with_logits", losses.softmax_cross_entropy_with_logits, -3, 3, binary=False)
    weighted, sensitivity = losses.weighted_binary_cross_entropy, losses.sensitivity_specificity
    weighted_logits = losses.weighted_binary_cross_entropy_with_logits
    for name, on_probabilities, on_logits in (
            ("binary_cross_entropy", losses.binary_cross_entropy, losses.binary_cross_entropy_with_logits),
            ("weighted_binary_cross_entropy", partial(weighted, omega=3.0), partial(weighted_logits, omega=3.0)),
            ("dice", losses.dice, losses.from_logits(losses.dice)),
            ("sensitivity_specificity", partial(sensitivity, rho=0.3),
             losses.from_logits(partial(sensitivity, rho=0.3)))):
        yield loss_case(name, on_probabilities, 0.02, 0.98)
        yield loss_case(name, on_probabilities, 0.1, 0.9, binary=False)  # the largest step of a sweep stays in [0, 1]
        yield loss_case(name, on_logits, -3, 3, detail="from logits")


def loss_case(kind: str, loss: LossFunction, low: float, high: float, *, binary: bool = True, detail: str = "") -> Case:
    """A loss as a function of predictions in (low, high); targets are random: 0 and 1, or anything in between."""
    detail = ", ".join(filter(None, [detail, "" if binary else "soft targets"]))
    rng = generator(f"{kind}: {detail}")
    target = rng.random((4, 5))
    layer = Loss(loss, np.round(target) if binary else target)
    return Case(kind, detail, layer, distinct(rng, *target.shape, low=low, high=high))


def start() -> dict[str, Any]:
    """The arguments of a layer with a kernel, the same for each; `layer_case` then scatters its parameters."""
    return {"rng": np.random.default_rng(0), "dtype": "float64"}


def _named(layer: Layer | None) -> str:
    return type(layer).__name__ if layer else "linear"


def _placed(size: tuple[int, int], stride: tuple[int, int], padding: str = "") -> str:
    return f"{size[0]}x{size[1]}, stride {stride[0]}x{stride[1]}" + (f", {padding}" if padding else "")
