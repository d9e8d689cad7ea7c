"""Batch norm, forward."""
from __future__ import annotations

from exercises.catalogue.batch_norm import TELLING, build, definition, setups
from exercises.exercise import Cut, Exercise, Mutant, Part
from exercises.tasks.layer import LayerTask

AXES = "axes = tuple(range(x.ndim - 1))\n    mean"
VARIANCE = "return mean, xp.mean(centred * centred, axis=axes)  # no abs: complex-step differentiation passes through"
ROOT = "return Measured(batch, m, 1 / array_namespace(x).sqrt(v + self.epsilon), M, run.reduction)"
NORMALIZED = 'return scale_and_shift(x, measured.m, self.params["c1"] * measured.s, self.params["c2"])'
AVERAGE = "average[...] = self.alpha * average + (1 - self.alpha) * grads[name]"

EXERCISE = Exercise(
    "batch_norm_forward", "Every channel at one scale: batch norm",
    "Write the moments, the normalization and the moving averages.", "05_batch_norm",
    (Part("engine.kernels.normalization", ("batch_moments",)), Part("engine.layers.batch_norm", ("Measured", "BatchNorm"
        ""))),
    (Cut("batch_moments", "axes =", "mean and variance of every channel, both (C,), over all axes of x but the last. "
         "The variance is the population's: the mean of the squared distances from the mean.", last="return"),
     Cut("BatchNorm.measure", "return Measured", "Measured(batch, m, s, M), s = 1 / sqrt(v + epsilon), (C,): (3.33) "
         "with the epsilon that its print forgets. array_namespace(x).sqrt."),
     Cut("BatchNorm.normalize", "return", "y, in the shape of x: c1 s (x - m) + c2, (3.36). m and s are measured.m and "
         "measured.s, c1 and c2 self.params; scale_and_shift(x, centre, scale, shift) is scale (x - centre) + shift."),
     Cut("BatchNorm.absorb", "average[...]", "the moving average, overwritten: alpha times the old one and 1 - alpha "
         "times the batch's, grads[name]; (3.34), (3.35).")),
    LayerTask(build, definition), setups,
    (Mutant("the sample variance", "This is what comes out when the squared distances are divided by M - 1 instead of "
            "M: batch norm takes the population's variance.", {
                VARIANCE: "return mean, xp.sum(centred * centred, axis=axes) / (x.size // x.shape[-1] - 1)"}),
     Mutant("the variance not centred", "This is what comes out when the mean of x^2 is taken for the variance: x - "
            "mean is to be squared.", {VARIANCE: "return mean, xp.mean(x * x, axis=axes)"}),
     Mutant("a mean for every pixel", "This is what comes out when the mean runs over the samples alone: all axes but "
            "the channels belong to it, rows and columns, too.", {AXES: "axes = (0,)\n    mean"}),
     Mutant("epsilon forgotten", "This is what comes out when epsilon is forgotten under the root.",
            {ROOT: ROOT.replace("v + self.epsilon", "v")}),
     Mutant("epsilon outside", "This is what comes out when epsilon is added to the root instead of under it.",
            {ROOT: ROOT.replace("sqrt(v + self.epsilon)", "sqrt(v) + self.epsilon").replace(
                "1 / array", "1 / (array").replace("self.epsilon, M", "self.epsilon), M")}),
     Mutant("the root forgotten", "This is what comes out when x - m is divided by the variance instead of its root.",
            {ROOT: ROOT.replace("array_namespace(x).sqrt(v + self.epsilon)", "(v + self.epsilon)")}),
     Mutant("c1 forgotten", "This is what comes out when the scale c1 is forgotten.",
            {NORMALIZED: NORMALIZED.replace('self.params["c1"] * ', "")}),
     Mutant("c1 and c2 exchanged", "This is what comes out when c1 and c2 are exchanged: c1 is the scale, c2 the shift."
            "",
            {NORMALIZED: NORMALIZED.replace("c1", "c_").replace("c2", "c1").replace("c_", "c2")}),
     Mutant("alpha exchanged", "This is what comes out when alpha and 1 - alpha are exchanged: the old average keeps "
            "the large part alpha.",
            {AVERAGE: "average[...] = (1 - self.alpha) * average + self.alpha * grads[name]"}),
     Mutant("no average", "This is what comes out when the average is replaced by the last batch's moments.",
            {AVERAGE: "average[...] = grads[name]"})), TELLING)
