"""The array operations of a convolution: definitions. They run on any array library and read like the formulas."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import singledispatch

from array_api_compat import array_namespace, device

from engine.arrays import Array
from engine.kernels.floating import of_floating

Pair = tuple[int, int]


def pad(x: Array, padding: tuple[Pair, Pair]) -> Array:
    """x: (N, H, W, C) with rows and columns of zeros before and after: padding = ((top, bottom), (left, right))."""
    (top, bottom), (left, right) = padding
    if not (top or bottom or left or right):
        return x
    n, height, width, channels = x.shape
    xp = array_namespace(x)
    padded = xp.zeros((n, top + height + bottom, left + width + right, channels), dtype=x.dtype, device=device(x))
    padded[:, top:top + height, left:left + width, :] = x
    return padded


def output_size(size: int, kernel: int, stride: int, padding: Pair) -> int:
    """Number of places that a kernel takes along one axis."""
    return (size + sum(padding) - kernel) // stride + 1


def _taps(x: Array, kernel_size: Pair, stride: Pair,
          padding: tuple[Pair, Pair]) -> Iterator[tuple[int, int, Array]]:
    """Every kernel place (u, v), with the pixels x[n, s i + u, s j + v, c] that it meets: (N, OH, OW, C)."""
    out_height, out_width = (output_size(x.shape[1 + axis], kernel_size[axis], stride[axis], padding[axis])
                             for axis in (0, 1))
    x = pad(x, padding)
    for u in range(kernel_size[0]):
        for v in range(kernel_size[1]):
            rows = slice(u, u + stride[0] * (out_height - 1) + 1, stride[0])
            columns = slice(v, v + stride[1] * (out_width - 1) + 1, stride[1])
            yield u, v, x[:, rows, columns, :]


@of_floating(3)
@singledispatch
def correlate(x: Array, kernel: Array, bias: Array | None, stride: Pair, padding: tuple[Pair, Pair],
              activation: Callable[[Array], Array] | None = None) -> Array:
    """y[n,i,j,o] = sigma(b[o] + sum over u,v,c of x[n, s i + u, s j + v, c] W[u,v,c,o]), x padded with zeros.

    x: (N, H, W, C), kernel: (KH, KW, C, O), bias: (O,) or None, activation: element by element; y: (N, OH, OW, O).
    """
    y = sum(x_uv @ kernel[u, v, :, :] for u, v, x_uv in _taps(x, kernel.shape[:2], stride, padding))
    if bias is not None:
        y = y + bias
    return activation(y) if activation else y


@of_floating(2)
@singledispatch
def correlate_kernel_gradient(x: Array, da: Array, kernel_size: Pair, stride: Pair,
                              padding: tuple[Pair, Pair]) -> Array:
    """dW[u,v,c,o] = sum over n,i,j of x[n, s i + u, s j + v, c] da[n,i,j,o], x padded with zeros: (3.42).

    x: (N, H, W, C), da: (N, OH, OW, O); dW: (KH, KW, C, O).
    """
    xp = array_namespace(x)
    da = xp.reshape(da, (-1, da.shape[-1]))
    products = [xp.matrix_transpose(xp.reshape(x_uv, (-1, x.shape[-1]))) @ da
                for _, _, x_uv in _taps(x, kernel_size, stride, padding)]
    return xp.reshape(xp.stack(products), (*kernel_size, x.shape[-1], da.shape[-1]))


@of_floating(3)
@singledispatch
def gradients_together(x: Array, da: Array, kernel: Array, stride: Pair,
                       padding: tuple[Pair, Pair]) -> tuple[Array, Array] | None:
    """dx (3.41) and dW (3.42) of y = correlate(x, kernel), where both at once take less than one after the other.

    None where they do not, as by definition. x: (N, H, W, C), da: (N, OH, OW, O), kernel: (KH, KW, C, O).
    """
    return None
