"""What both exercises on the dense layer share."""
from __future__ import annotations

from types import ModuleType

import numpy as np

from engine.layer import Layer
from engine.layers import Tanh
from exercises.exercise import Arrays, Setup
from exercises.tasks.layer import LayerTask


def build(module: ModuleType, setup: Setup, dtype: str) -> Layer:
    inputs, outputs = setup["features"]
    layer: Layer = module.Dense(inputs, outputs, Tanh() if setup["activation"] else None,
                                rng=np.random.default_rng(0), dtype=dtype)
    return layer


def definition(arrays: Arrays, setup: Setup) -> np.ndarray:
    """(3.3), a sum for every output of every sample."""
    x, W, b = arrays["x"], arrays["W"], arrays["b"]
    a = np.array([[sum(x[n, i] * W[i, o] for i in range(W.shape[0])) + b[o] for o in range(W.shape[1])]
                  for n in range(x.shape[0])])
    return np.tanh(a) if setup["activation"] else a


def setups(rng: np.random.Generator) -> list[Setup]:
    def dense(name: str, samples: int, inputs: int, outputs: int, activation: bool = False) -> Setup:
        return Setup(name, {"shape": (samples, inputs), "features": (inputs, outputs), "activation": activation})

    n, i, o = (int(size) for size in rng.permutation([3, 4, 5]))
    return [dense("as many inputs as outputs", 3, 4, 4), dense("one sample", 1, i, o),
            dense("several samples", n, i, o), dense("tanh behind it", n, i, o, True)]


TASK = LayerTask(build, definition, affine=True)
