"""Convolution: the gradient of the image."""
from __future__ import annotations

from exercises.catalogue.convolution import TELLING, build, definition, setups
from exercises.exercise import Cut, Exercise, Mutant, Part
from exercises.tasks.layer import LayerTask

ROTATED = "return xp.permute_dims(xp.flip(kernel, axis=(0, 1)), (0, 1, 3, 2))"
CORRELATED = "return correlate(da, rotate(kernel), None, (1, 1), (full[0], full[1]))"

EXERCISE = Exercise(
    "convolution_dx", "The kernel turns round: dx of a convolution",
    "Rotate the kernel, and correlate the gradient with it.", "07_convolution",
    (Part("engine.layers.conv2d", ("Conv2D", "rotate", "dilate", "input_gradient")),),
    (Cut("rotate", "xp =", "rot180(W) with in and out exchanged, (KH, KW, K, C): at [u, v, k, c] stands "
         "W[KH-1-u, KW-1-v, c, k]. array_namespace(kernel) has flip and permute_dims.", last="return"),
     Cut("input_gradient", "return", "dx, in the shape `shape`: (3.41). da has its zeros between already (the line at "
         "the top), full holds how many rows and columns of zeros belong around it. correlate(x, kernel, bias, stride, "
         "padding) is the forward pass; there is no bias (None) here, and the stride is (1, 1).")),
    LayerTask(build, definition, affine=True), setups,
    (Mutant("not rotated", "This is what comes out when the kernel is not rotated: as the outputs go forwards, the "
            "weights go backwards.", {ROTATED: "return xp.permute_dims(kernel, (0, 1, 3, 2))"}),
     Mutant("rows mirrored alone", "This is what comes out when only the kernel's rows are turned round: a rotation by "
            "180 degrees mirrors rows and columns.", {ROTATED: ROTATED.replace("axis=(0, 1)", "axis=(0,)")}),
     Mutant("columns mirrored alone", "This is what comes out when only the kernel's columns are turned round: a "
            "rotation by 180 degrees mirrors rows and columns.",
            {ROTATED: ROTATED.replace("axis=(0, 1)", "axis=(1,)")}),
     Mutant("transposed", "This is what comes out when rows and columns of the kernel are exchanged as well: a "
            "rotation by 180 degrees, not a transpose.", {ROTATED: ROTATED.replace("(0, 1, 3, 2)", "(1, 0, 3, 2)")}),
     Mutant("channels not exchanged", "This is what comes out when the channels stay as they are: backward goes from "
            "the K outputs to the C inputs, (KH, KW, K, C). It only runs where there are as many outputs as inputs.",
            {ROTATED: "return xp.flip(kernel, axis=(0, 1))"}),
     Mutant("channels mirrored", "This is what comes out when the channels are turned round, too: only rows and "
            "columns are.", {ROTATED: ROTATED.replace("axis=(0, 1)", "axis=(0, 1, 2, 3)")}),
     Mutant("zeros of rows and columns exchanged", "This is what comes out when the rows get the zeros of the columns: "
            "padding is ((top, bottom), (left, right)).",
            {CORRELATED: CORRELATED.replace("(full[0], full[1])", "(full[1], full[0])")}),
     Mutant("the stride again", "This is what comes out when the rotated kernel slides in steps of the stride: it "
            "visits every pixel of the image; the stride is in the zeros between already.",
            {CORRELATED: CORRELATED.replace("(1, 1)", "stride")})), TELLING)
