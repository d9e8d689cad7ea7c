"""Nearest upsampling, forward and backward."""
from __future__ import annotations

from types import ModuleType

import numpy as np

from engine.layer import Layer
from exercises.exercise import Arrays, Cut, Exercise, Mutant, Part, Setup
from exercises.tasks.layer import LayerTask

REPEAT = "return xp.repeat(xp.repeat(x, factor, axis=1), factor, axis=2)"
COPIES = "copies = xp.reshape(dy, (n, height // factor, factor, width // factor, factor, channels))"
SUM = "return xp.sum(copies, axis=(2, 4))"


def build(module: ModuleType, setup: Setup, dtype: str) -> Layer:
    layer: Layer = module.Upsample(setup["factor"])
    return layer


def definition(arrays: Arrays, setup: Setup) -> np.ndarray:
    """y[n,i,j,c] = x[n, i // factor, j // factor, c], pixel by pixel."""
    x, factor = arrays["x"], setup["factor"]
    n, height, width, channels = x.shape
    y = np.empty((n, factor * height, factor * width, channels))
    for i in range(factor * height):
        for j in range(factor * width):
            y[:, i, j] = x[:, i // factor, j // factor]
    return y


def setups(rng: np.random.Generator) -> list[Setup]:
    height, width = (int(size) for size in rng.permutation([3, 4]))
    return [Setup("twice as large", {"shape": (2, height, width, 3), "factor": 2}),
            Setup("three times as large", {"shape": (2, 2, 3, 2), "factor": 3}),
            Setup("as many pixels as copies", {"shape": (1, 2, 2, 2), "factor": 2}),
            Setup("factor 1: as it was", {"shape": (2, height, width, 2), "factor": 1})]


EXERCISE = Exercise(
    "upsample", "Copies, and their sum: nearest upsampling", "Repeat every pixel, and add up what comes back from its "
    "copies.", "08_pooling_and_upsampling",
    (Part("engine.kernels.resampling", ("upsample", "upsample_gradient")), Part("engine.layers.reshaping", ("Upsample"
        "",))),
    (Cut("upsample", "return", "y, (N, factor H, factor W, C): every pixel becomes a block of factor x factor copies. "
         "xp.repeat(x, times, axis=...)."),
     Cut("upsample_gradient", "copies =", "dx, (N, H, W, C), from dy, (N, factor H, factor W, C): the sum of dy over "
         "the copies of every pixel. Row i of dy is copy i % factor of row i // factor: a reshape gives the two an "
         "axis each.", last="return")),
    LayerTask(build, definition, affine=True), setups,
    (Mutant("tiled", "This is what comes out when the whole image is laid out several times, as xp.tile does: each "
            "pixel is to stand beside its own copies.", {REPEAT: "return xp.tile(x, (1, factor, factor, 1))"}),
     Mutant("rows alone", "This is what comes out when only the rows are repeated.",
            {REPEAT: "return xp.repeat(x, factor, axis=1)"}),
     Mutant("a mean", "This is what comes out when the mean of the copies' gradients is taken: each copy carries the "
            "whole pixel into the loss, so their gradients add up.", {SUM: SUM.replace("sum", "mean")}),
     Mutant("the first copy alone", "This is what comes out when only the first copy of every pixel gives its gradient "
            "back.", {SUM: "return copies[:, :, 0, :, 0, :]"}),
     Mutant("axes of the copies exchanged", "This is what comes out when the reshape has the factor before the rows "
            "and columns: then rows that lie far from each other are added up, as for an image that was tiled.",
            {COPIES: "copies = xp.reshape(dy, (n, factor, height // factor, factor, width // factor, channels))",
             SUM: SUM.replace("(2, 4)", "(1, 3)")})), ("factor",))
