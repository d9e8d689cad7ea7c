"""Sums over channels and the passes of batch normalization on a GPU."""
from __future__ import annotations

from engine.arrays import Array
from engine.kernels.cuda.arrays import c_type, contiguous, empty
from engine.kernels.cuda.channels import CHANNELS, OF_PARTS, THREADS, parts_of
from engine.kernels.cuda.launch import blocks, launch
from engine.kernels.cuda.registration import on_cuda
from engine.kernels.normalization import batch_moments, channel_sums, combine, gradient_sums, scale_and_shift


def add_parts(partial: Array, like: Array) -> Array:
    """Sums of the partial sums (parts, C), which are double, in the order of the parts: (C,), in another's dtype."""
    parts, channels = partial.shape
    sums = empty((channels,), like)
    launch(f"normalization.channel_sums<double, {c_type(like)}, {OF_PARTS}>", (1, blocks(channels, OF_PARTS)), THREADS,
           (partial, sums, parts, parts, channels))
    return sums


@on_cuda(channel_sums)
def _(x: Array) -> Array:
    x, cut = contiguous(x), parts_of(x)
    partial = empty((cut.parts, cut.channels), x, "float64")
    launch(f"normalization.channel_sums<{c_type(x)}, double, {CHANNELS}>", cut.grid, THREADS,
           (x, partial, *cut.numbers))
    return add_parts(partial, x)


@on_cuda(batch_moments)
def _(x: Array) -> tuple[Array, Array]:
    x, cut = contiguous(x), parts_of(x)
    means, squares = (empty((cut.parts, cut.channels), x, "float64") for _ in range(2))
    launch(f"normalization.moments<{c_type(x)}>", cut.grid, THREADS, (x, means, squares, *cut.numbers))
    mean, variance = (empty((cut.channels,), x) for _ in range(2))
    launch(f"normalization.moments_of_parts<{c_type(x)}>", (1, blocks(cut.channels, OF_PARTS)), THREADS,
           (means, squares, mean, variance, cut.rows, cut.rows_of_part, cut.parts, cut.channels))
    return mean, variance


@on_cuda(gradient_sums)
def _(dy: Array, x: Array, centre: Array) -> tuple[Array, Array]:
    dy, x, centre, cut = contiguous(dy), contiguous(x), contiguous(centre), parts_of(x)
    partial = empty((cut.parts, 2 * cut.channels), x, "float64")
    launch(f"normalization.gradient_sums<{c_type(x)}>", cut.grid, THREADS, (dy, x, centre, partial, *cut.numbers))
    sums = add_parts(partial, x)
    return sums[:cut.channels], sums[cut.channels:]


@on_cuda(scale_and_shift)
def _(x: Array, centre: Array, scale: Array, shift: Array) -> Array:
    x, cut = contiguous(x), parts_of(x)
    y = empty(x.shape, x)
    launch(f"normalization.scale_and_shift<{c_type(x)}>", cut.grid, THREADS,
           (x, *(contiguous(each) for each in (centre, scale, shift)), y, *cut.numbers))
    return y


@on_cuda(combine)
def _(dy: Array, x: Array, centre: Array, dy_scale: Array, x_scale: Array, shift: Array) -> Array:
    dy, x, cut = contiguous(dy), contiguous(x), parts_of(x)
    dx = empty(x.shape, x)
    launch(f"normalization.combine<{c_type(x)}>", cut.grid, THREADS,
           (dy, x, *(contiguous(each) for each in (centre, dy_scale, x_scale, shift)), dx, *cut.numbers))
    return dx
