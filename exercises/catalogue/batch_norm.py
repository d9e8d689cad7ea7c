"""What the exercises on batch norm share."""
from __future__ import annotations

from types import ModuleType

import numpy as np

from engine.layer import Layer, Run
from exercises.exercise import Arrays, Setup
from exercises.tasks.layer import run_of


def build(module: ModuleType, setup: Setup, dtype: str) -> Layer:
    layer: Layer = module.BatchNorm(setup["shape"][-1], setup["statistics"], dtype=dtype)
    return layer


def definition(arrays: Arrays, setup: Setup) -> np.ndarray:
    """(3.33) to (3.36), channel by channel, with the defaults of the layer: alpha 0.9, epsilon 1e-5."""
    x, y = arrays["x"], np.empty_like(arrays["x"])
    for c in range(x.shape[-1]):
        numbers = x[..., c]
        mean = sum(numbers.flat) / numbers.size
        variance = sum((number - mean) ** 2 for number in numbers.flat) / numbers.size
        if not run_of(setup).train:
            mean, variance = arrays["mean"][c], arrays["variance"][c]
        elif setup["statistics"] == "moving":
            mean = 0.9 * arrays["mean"][c] + 0.1 * mean
            variance = 0.9 * arrays["variance"][c] + 0.1 * variance
        y[..., c] = arrays["c1"][c] * (numbers - mean) / np.sqrt(variance + 1e-5) + arrays["c2"][c]
    return y


def setups(rng: np.random.Generator) -> list[Setup]:
    def norm(name: str, shape: tuple[int, ...], statistics: str = "batch", train: bool = True) -> Setup:
        return Setup(name, {"shape": shape, "statistics": statistics, "run": Run(train=train),
                            "mode": "training" if train else "inference"})

    n, height, width = (int(size) for size in rng.permutation([2, 3, 4]))
    return [norm("features", (6, 3)), norm("images", (n, height, width, 2)),
            norm("images, moving averages", (n, height, width, 2), "moving"),
            norm("inference", (n, height, width, 2), train=False)]


TELLING = ("mode", "statistics")
