"""Convolution: the gradient of the bias."""
from __future__ import annotations

from exercises.catalogue.convolution import TELLING, build, definition, setups
from exercises.exercise import Cut, Exercise, Mutant, Part
from exercises.tasks.layer import LayerTask

SUM = "return array_namespace(x).sum(x, axis=tuple(range(x.ndim - 1)))"

EXERCISE = Exercise(
    "convolution_db", "Added to every pixel: db of a convolution",
    "Sum a gradient over every place that the bias was added to.", "07_convolution",
    (Part("engine.kernels.normalization", ("channel_sums",)), Part("engine.layers.conv2d", ("Conv2D",))),
    (Cut("channel_sums", "return", "the sum over all axes but the last, (C,): b[k] occurs in every output of channel "
         "k, times 1. array_namespace(x).sum(x, axis=...) takes several axes at once."),),
    LayerTask(build, definition, affine=True), setups,
    (Mutant("over the samples alone", "This is what comes out when the sum runs over the samples alone: b is added to "
            "every pixel, so rows and columns belong to the sum.", {SUM: SUM.replace("tuple(range(x.ndim - 1))", "0")}),
     Mutant("over the pixels alone", "This is what comes out when the sum runs over rows and columns alone: b is added "
            "in every sample.", {SUM: SUM.replace("tuple(range(x.ndim - 1))", "(1, 2)")}),
     Mutant("over everything", "This is what comes out when the sum runs over the channels, too: every channel has a "
            "bias of its own.", {SUM: "return array_namespace(x).sum(x)"}),
     Mutant("over the wrong axes", "This is what comes out when the channels are summed and the columns are kept: "
            "channels are the last axis.", {SUM: SUM.replace("tuple(range(x.ndim - 1))", "(0, 1, 3)")}),
     Mutant("a mean", "This is what comes out when the mean is taken instead of the sum.",
            {SUM: SUM.replace(".sum(", ".mean(")}),
     Mutant("a mean over the samples", "This is what comes out when the sum is divided by the number of samples: dy "
            "holds the loss's own 1/N already.", {SUM: f"{SUM} / x.shape[0]"})), TELLING)
