"""Batch norm, backward: three ways from x to the loss."""
from __future__ import annotations

from exercises.catalogue.batch_norm import TELLING, build, definition, setups
from exercises.exercise import Cut, Exercise, Mutant, Part
from exercises.tasks.layer import LayerTask

SUMS = "return xp.sum(dy, axis=axes), xp.sum(dy * (x - centre), axis=axes)"
X_SCALE = "x_scale = -scale * measured.s * measured.s * sum_dy_x * kappa_M"
COMBINED = 'return combine(dy, x, measured.batch["mean"], scale, x_scale, -scale * sum_dy * kappa_M)'

EXERCISE = Exercise(
    "batch_norm_backward", "Three ways to the loss: batch norm's gradient",
    "Write the two sums, and the three terms of dx.", "05_batch_norm",
    (Part("engine.kernels.normalization", ("gradient_sums", "combine")),
     Part("engine.layers.batch_norm", ("Measured", "BatchNorm"))),
    (Cut("gradient_sums", "return", "the sum of dy and the sum of dy (x - centre) over all axes but the channels, both "
         "(C,)."),
     Cut("BatchNorm.input_gradient", "x_scale =", "dx, in the shape of x: the three terms at the end of the "
         "derivation. scale is c1 s, kappa_M is kappa / M; the sums are above; s is measured.s, mu "
         "measured.batch[\"mean\"]. combine(dy, x, centre, a, b, c) is a dy + b (x - centre) + c, for a, b, c: (C,).",
         last="return combine")),
    LayerTask(build, definition), setups,
    (Mutant("the way through the mean forgotten", "This is what comes out when the second term is forgotten: x moves "
            "the mean, and the mean moves every other number; kappa/M sum of dy.",
            {COMBINED: COMBINED.replace("-scale * sum_dy * kappa_M", "0 * scale")}),
     Mutant("the way through the variance forgotten", "This is what comes out when the third term is forgotten: x "
            "moves the variance, and the variance scales every other number; kappa/M s^2 (x - mu) sum of dy (x - m).",
            {COMBINED: COMBINED.replace("x_scale", "0 * scale")}),
     Mutant("only the direct way", "This is what comes out when mean and variance are taken for constants: only the "
            "first term is there, c1 s dy. That is right in inference alone.",
            {COMBINED: COMBINED.replace("x_scale", "0 * scale").replace("-scale * sum_dy * kappa_M", "0 * scale")}),
     Mutant("s once", "This is what comes out when the third term has s instead of s^2: ds/dv = -s^3 / 2, of which one "
            "s stands in front.", {X_SCALE: X_SCALE.replace(" * measured.s * measured.s", " * measured.s")}),
     Mutant("the 2 of the square", "This is what comes out when the third term is twice as large: the 2 of the square "
            "and the 1/2 of the root cancel.", {X_SCALE: X_SCALE.replace("-scale", "-2 * scale")}),
     Mutant("the mean's term not divided", "This is what comes out when the second term is not divided by M: "
            "dmu/dx = 1/M.", {COMBINED: COMBINED.replace("sum_dy * kappa_M", "sum_dy * kappa_M * measured.M")}),
     Mutant("the variance's sign", "This is what comes out when the third term is added instead of subtracted.",
            {X_SCALE: X_SCALE.replace("-scale", "scale")}),
     Mutant("m instead of mu", "This is what comes out when the third term has x - m instead of x - mu: dvar/dx is "
            "2 (x - mu) / M, whatever training normalizes by. With the batch's moments the two are one.",
            {COMBINED: COMBINED.replace('measured.batch["mean"]', "measured.m")}),
     Mutant("the sum not centred", "This is what comes out when the second sum is of dy x instead of dy (x - centre).",
            {SUMS: SUMS.replace("(x - centre)", "x")})), TELLING)
