"""Convolution, forward."""
from __future__ import annotations

from exercises.catalogue.convolution import TELLING, build, definition, setups
from exercises.exercise import Cut, Exercise, Mutant, Part
from exercises.tasks.layer import LayerTask

SUM = "y = sum(x_uv @ kernel[u, v, :, :] for u, v, x_uv in _taps(x, kernel.shape[:2], stride, padding))"
BIAS = "        y = y + bias"

EXERCISE = Exercise(
    "convolution_forward", "A kernel slides over an image",
    "Write the sum over the kernel's places, which is all of a convolution's forward pass.", "07_convolution",
    (Part("engine.kernels.convolution", ("_taps", "correlate")), Part("engine.layers.conv2d", ("Conv2D",))),
    (Cut("correlate", "y = sum", "y, (N, OH, OW, O), the sum in (3.37) without the bias: y[n,i,j,o] is the sum over u, "
         "v and c of x[n, s i + u, s j + v, c] W[u,v,c,o]. For every place (u, v) of the kernel, _taps gives the "
         "pixels that lie under it, (N, OH, OW, C); kernel[u, v] is (C, O)."),),
    LayerTask(build, definition, affine=True), setups,
    (Mutant("kernel rotated", "This is what comes out when the kernel is rotated by 180 degrees: (3.37) as it is "
            "printed, a true convolution. The engine, as TensorFlow, correlates: the kernel lies as it is.",
            {SUM: SUM.replace("kernel[u, v, :, :]", "kernel[kernel.shape[0] - 1 - u, kernel.shape[1] - 1 - v, :, :]")}),
     Mutant("places exchanged", "This is what comes out when the kernel's rows and columns are exchanged: u counts its "
            "rows, v its columns.",
            {SUM: SUM.replace("kernel[u, v, :, :]", "kernel[v, u, :, :]")}),
     Mutant("channels exchanged", "This is what comes out when the channels of the kernel are exchanged: kernel[u, v] "
            "is (C, O), input by output. It only runs where there are as many outputs as inputs.",
            {SUM: SUM.replace("kernel[u, v, :, :]", "kernel[u, v, :, :].T")}),
     Mutant("a mean", "This is what comes out when the mean over the kernel's places is taken instead of their sum.",
            {SUM: f"{SUM} / (kernel.shape[0] * kernel.shape[1])"}),
     Mutant("bias for every place", "This is what comes out when the bias is added at every place of the kernel: it "
            "belongs to the output, once, and the code below the hole adds it already.",
            {BIAS: "        y = y + bias * kernel.shape[0] * kernel.shape[1]"})), TELLING)
