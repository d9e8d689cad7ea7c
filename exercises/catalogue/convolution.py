"""What the exercises on convolution share."""
from __future__ import annotations

from types import ModuleType

import numpy as np

from engine.layer import Layer
from exercises.exercise import Arrays, Setup

# Kernel sizes, strides and images are no squares: rows and columns that are exchanged must show.
Pair = tuple[int, int]


def build(module: ModuleType, setup: Setup, dtype: str) -> Layer:
    inputs, outputs = setup["channels"]
    layer: Layer = module.Conv2D(inputs, outputs, setup["kernel"], setup["stride"], setup["padding"],
                                 rng=np.random.default_rng(0), dtype=dtype)
    return layer


def setups(rng: np.random.Generator) -> list[Setup]:
    """Every way that a backward takes: stride, padding, rows that no window reaches."""
    def conv(name: str, kernel: Pair, stride: Pair, padding: str, size: Pair, channels: Pair = (3, 4)) -> Setup:
        return Setup(name, {"shape": (2, *size, channels[0]), "kernel": kernel, "stride": stride, "padding": padding,
                            "channels": channels, "window": f"{kernel[0]}x{kernel[1]}"})

    height, width = (int(size) for size in rng.permutation([5, 6]))
    return [conv("1x1 kernel", (1, 1), (1, 1), "VALID", (3, 4)),
            conv("3x3 kernel, VALID", (3, 3), (1, 1), "VALID", (height, width)),
            conv("3x3 kernel, SAME", (3, 3), (1, 1), "SAME", (height, width)),
            conv("as many outputs as inputs", (3, 3), (1, 1), "SAME", (4, 5), (3, 3)),
            conv("3x2 kernel, SAME", (3, 2), (1, 1), "SAME", (4, 5)),
            conv("stride 2, SAME", (3, 3), (2, 2), "SAME", (height, width)),
            conv("stride 2x3, VALID", (2, 3), (2, 3), "VALID", (6, 7))]


def zeros_around(shape: tuple[int, ...], setup: Setup) -> tuple[Pair, Pair]:
    """TensorFlow's SAME, ceil(size / stride) outputs, written once more: what the exercises compare with."""
    found = []
    for size, kernel, stride in zip(shape[1:3], setup["kernel"], setup["stride"], strict=True):
        outputs = (size + stride - 1) // stride
        zeros = max(0, (outputs - 1) * stride + kernel - size) if setup["padding"] == "SAME" else 0
        found.append((zeros // 2, zeros - zeros // 2))
    return found[0], found[1]


def definition(arrays: Arrays, setup: Setup) -> np.ndarray:
    """(3.37), a sum for every output: a[n,i,j,k] = b[k] + sum over u,v,c of X[n, s i + u, s j + v, c] W[u,v,c,k]."""
    x, W, b = arrays["x"], arrays["W"], arrays["b"]
    (rows, columns), (height, width) = setup["stride"], setup["kernel"]
    X = np.pad(x, ((0, 0), *zeros_around(x.shape, setup), (0, 0)))
    return np.array([[[[b[k] + np.sum(X[n, i:i + height, j:j + width, :] * W[:, :, :, k]) for k in range(b.size)]
                       for j in range(0, X.shape[2] - width + 1, columns)]
                      for i in range(0, X.shape[1] - height + 1, rows)] for n in range(x.shape[0])])


TELLING = ("stride", "padding", "window")
