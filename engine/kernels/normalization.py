"""Sums over all but the channels, and the passes of batch normalization: definitions, on any array library."""
from __future__ import annotations

from functools import singledispatch

from array_api_compat import array_namespace

from engine.arrays import Array
from engine.kernels.convolution import Pair
from engine.kernels.floating import of_floating
from engine.kernels.pooling import max_pool_gradient


@of_floating(1)
@singledispatch
def channel_sums(x: Array) -> Array:
    """Sum over all but the channels. x: (..., C); the sum: (C,)."""
    return array_namespace(x).sum(x, axis=tuple(range(x.ndim - 1)))


@of_floating(1)
@singledispatch
def batch_moments(x: Array) -> tuple[Array, Array]:
    """Mean and (population) variance of every channel. x: (..., C); both (C,)."""
    xp = array_namespace(x)
    axes = tuple(range(x.ndim - 1))
    mean = xp.mean(x, axis=axes)
    centred = x - mean
    return mean, xp.mean(centred * centred, axis=axes)  # no abs: complex-step differentiation passes through


@of_floating(4)
@singledispatch
def scale_and_shift(x: Array, centre: Array, scale: Array, shift: Array) -> Array:
    """scale (x - centre) + shift, channel by channel. x: (..., C); the others: (C,).

    Not scale x + (shift - scale centre): where the centre is large, two large numbers would cancel.
    """
    return (x - centre) * scale + shift


@of_floating(3)
@singledispatch
def gradient_sums(dy: Array, x: Array, centre: Array) -> tuple[Array, Array]:
    """Sums of dy and of dy (x - centre) over all but the channels. dy, x: (..., C); centre and both sums: (C,)."""
    xp = array_namespace(dy)
    axes = tuple(range(dy.ndim - 1))
    return xp.sum(dy, axis=axes), xp.sum(dy * (x - centre), axis=axes)


@of_floating(6)
@singledispatch
def combine(dy: Array, x: Array, centre: Array, dy_scale: Array, x_scale: Array, shift: Array) -> Array:
    """dy_scale dy + x_scale (x - centre) + shift, channel by channel. dy, x: (..., C); the others: (C,)."""
    return dy * dy_scale + (x - centre) * x_scale + shift


@of_floating(6)
@singledispatch
def combine_pooled(dy: Array, x: Array, centre: Array, dy_scale: Array, x_scale: Array, shift: Array, place: Array,
                   size: Pair) -> Array:
    """`combine` of x and g, which is dy at the places that max-pooling chose in its windows, side by side, and else 0.

    dy, place: (N, H', W', C), as `max_pool_gradient` takes them; x: (N, H, W, C); the others: (C,).
    """
    g = max_pool_gradient(dy, place, x.shape, size, size)
    return combine(g, x, centre, dy_scale, x_scale, shift)
