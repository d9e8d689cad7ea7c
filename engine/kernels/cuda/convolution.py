"""Convolutions on a GPU: which kernel computes which shape."""
from __future__ import annotations

from collections.abc import Callable

from engine.arrays import Array
from engine.kernels.activations import relu
from engine.kernels.convolution import Pair, correlate, correlate_kernel_gradient
from engine.kernels.cuda import convolution_gradient as gradients
from engine.kernels.cuda import convolution_rungs as rungs
from engine.kernels.cuda.arrays import contiguous
from engine.kernels.cuda.precision import takes_tf32
from engine.kernels.cuda.registration import on_cuda

# Of so few outputs, a tile of 64 would be empty nearly everywhere: the gradient at an image is one.
NARROW = 4


@on_cuda(correlate)
def _(x: Array, kernel: Array, bias: Array | None, stride: Pair, padding: tuple[Pair, Pair],
      activation: Callable[[Array], Array] | None = None) -> Array:
    x, kernel, bias = contiguous(x), contiguous(kernel), None if bias is None else contiguous(bias)
    y = rung_for(x, kernel, stride)(x, kernel, bias, stride, padding, activation is relu)
    return activation(y) if activation and activation is not relu else y


def rung_for(x: Array, kernel: Array, stride: Pair) -> rungs.Rung:
    """The fastest rung for these shapes, in the precision that is asked for."""
    if kernel.shape[3] <= NARROW:
        return rungs.plain
    if kernel.shape[:3] in ((3, 3, 1), (3, 3, 2)) and stride == (1, 1):
        return rungs.first
    return rungs.tf32 if takes_tf32(x) and rungs.width(x, kernel) == 4 else rungs.registers


@on_cuda(correlate_kernel_gradient)
def _(x: Array, da: Array, kernel_size: Pair, stride: Pair, padding: tuple[Pair, Pair]) -> Array:
    x, da = contiguous(x), contiguous(da)
    return gradient_rung_for(x, da)(x, da, kernel_size, stride, padding)


def gradient_rung_for(x: Array, da: Array) -> gradients.Rung:
    """The fastest kernel gradient for these shapes, in the precision that is asked for."""
    return gradients.tf32 if takes_tf32(x) and rungs.width(x, da) == 4 else gradients.registers
