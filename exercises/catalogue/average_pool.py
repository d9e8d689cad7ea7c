"""Average pooling, forward and backward."""
from __future__ import annotations

from types import ModuleType

import numpy as np

from engine.layer import Layer
from exercises.catalogue.pooling import TELLING, outputs, setups, windows
from exercises.exercise import Arrays, Cut, Exercise, Mutant, Part, Setup
from exercises.tasks.layer import LayerTask

MEAN = "return y / (self.size[0] * self.size[1]), x.shape"
SHARE = "share = dy / (self.size[0] * self.size[1])"
SPREAD = "dx[index] = dx[index] + share"


def build(module: ModuleType, setup: Setup, dtype: str) -> Layer:
    layer: Layer = module.AveragePool(setup["size"], setup["stride"])
    return layer


def definition(arrays: Arrays, setup: Setup) -> np.ndarray:
    """The mean of every window."""
    x = arrays["x"]
    y = np.empty(outputs(x.shape, setup))
    for output, pixels in windows(x.shape, setup):
        y[output] = sum(x[pixel] for pixel in pixels) / len(pixels)
    return y


EXERCISE = Exercise(
    "average_pool", "Everybody counts the same: average pooling",
    "Take the mean of every window, and share its gradient out again.", "08_pooling_and_upsampling",
    (Part("engine.layers.pooling", ("_Pool", "AveragePool")),),
    (Cut("AveragePool.forward", "y = sum", "y, the mean of every window, (N, OH, OW, C), and the shape of x, which is "
         "all that backward needs. windows(x.shape, self.size, self.stride) gives one index after the other: x[index], "
         "(N, OH, OW, C), holds the first pixel of every window, then the second ...", last="return"),
     Cut("AveragePool.backward", "share =", "what every pixel of a window gets of its gradient, (N, OH, OW, C)."),
     Cut("AveragePool.backward", "dx[index] =", "dx[index], the gradients of one pixel of every window: what is there "
         "already, and the share. Windows may overlap.")),
    LayerTask(build, definition, affine=True), setups,
    (Mutant("a sum", "This is what comes out when the sum of a window is not divided by the number of its pixels.",
            {MEAN: "return y, x.shape"}),
     Mutant("divided by the stride", "This is what comes out when the sum is divided by the product of the strides: "
            "the pixels of the window count, size[0] size[1] of them.", {MEAN: MEAN.replace("size", "stride")}),
     Mutant("not shared out", "This is what comes out when every pixel gets all of dy: each moved the mean by 1/K of "
            "its own change, K pixels in a window.",
            {SHARE: "share = dy"}),
     Mutant("shared out by the stride", "This is what comes out when dy is divided by the product of the strides: K is "
            "the number of pixels in a window.", {SHARE: SHARE.replace("size", "stride")}),
     Mutant("shared out over the image", "This is what comes out when dy is divided by the number of all pixels: that "
            "is global average pooling.", {SHARE: "share = dy / (saved[1] * saved[2])"}),
     Mutant("overwritten", "This is what comes out when dx[index] is overwritten instead of added to: a pixel gets a "
            "share from each window that it lies in.", {SPREAD: "dx[index] = share"})), TELLING)
