"""Convolution: the gradient of the kernel."""
from __future__ import annotations

from exercises.catalogue.convolution import TELLING, build, definition, setups
from exercises.exercise import Cut, Exercise, Mutant, Part
from exercises.tasks.layer import LayerTask

PRODUCT = "products = [xp.matrix_transpose(xp.reshape(x_uv, (-1, x.shape[-1]))) @ da"
STACKED = "return xp.reshape(xp.stack(products), (*kernel_size, x.shape[-1], da.shape[-1]))"

EXERCISE = Exercise(
    "convolution_dw", "The image slides over the gradient: dW of a convolution",
    "Write the sum over all places that a weight lay on.", "07_convolution",
    (Part("engine.kernels.convolution", ("_taps", "correlate_kernel_gradient")),
     Part("engine.layers.conv2d", ("Conv2D",))),
    (Cut("correlate_kernel_gradient", "da = xp.reshape", "dW, (KH, KW, C, O): dW[u,v,c,o] is the sum over n, i and j "
         "of x[n, s i + u, s j + v, c] da[n,i,j,o], (3.42). For every place (u, v) of the kernel, _taps(x, "
         "kernel_size, stride, padding) gives (u, v, the pixels that lay under it, (N, OH, OW, C)): with n, i and j "
         "made one axis, the sum is a product of two matrices. xp has reshape, matrix_transpose, stack.", last="return"
             ""),),
    LayerTask(build, definition, affine=True), setups,
    (Mutant("mirrored", "This is what comes out when the places are counted backwards: dW is the gradient of the "
            "rotated kernel. A published course once had this.",
            {STACKED: STACKED.replace("xp.stack(products)", "xp.stack(products[::-1])")}),
     Mutant("rows and columns exchanged", "This is what comes out when rows and columns of dW are exchanged: u comes "
            "first, v second.", {STACKED: "return xp.permute_dims(xp.reshape(xp.stack(products), (*kernel_size, "
                                 "x.shape[-1], da.shape[-1])), (1, 0, 2, 3))"}),
     Mutant("factors exchanged", "This is what comes out when da^T x is computed instead of x^T da: dW[u,v] is (C, O), "
            "input by output.", {PRODUCT: "products = [xp.matrix_transpose(da) @ xp.reshape(x_uv, (-1, x.shape[-1]))",
                                 STACKED: STACKED.replace("x.shape[-1], da.shape[-1]", "da.shape[-1], x.shape[-1]")}),
     Mutant("a mean over the samples", "This is what comes out when the mean over the samples is taken instead of "
            "their sum: dy holds the loss's own 1/N already.", {STACKED: f"{STACKED} / x.shape[0]"}),
     Mutant("a mean over all places", "This is what comes out when the mean over samples, rows and columns is taken "
            "instead of their sum.", {STACKED: f"{STACKED} / da.shape[0]"}),
     Mutant("the first image alone", "This is what comes out when only the first image counts: dW is a sum over all of "
            "them.", {PRODUCT: PRODUCT.replace("x_uv", "x_uv[:1]").replace("@ da", "@ da[:len(da) // len(x)]")})),
    TELLING)
