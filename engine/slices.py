"""A training step in less memory: stacks walked through a few images at a time, and a shortcut that they merge.

The peak of a step lies in the backward of the layers with the most pixels, where a tensor of the whole batch is needed
several times over: x, o, dy, da, dx. Of some images at a time all but x, dy and dx are small.
"""
from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

from array_api_compat import array_namespace, device

from engine.combinators import Chain
from engine.kernels import add, concatenate
from engine.layer import Array, Grads, Layer
from engine.preconditions import expect_gradient, within

# A slice has about so many pixels: enough to keep several processors busy.
PIXELS = 1 << 16


class Fork(Layer):
    """y = (f(x), x), a pair,   dx = f'^T(dy_f) + dy_x. With Merge after it, what Skip does in one."""

    def __init__(self, inner: Layer) -> None:
        super().__init__()
        self.children = {"inner": inner}

    def forward(self, x, run):
        try:
            fx, saved = self.children["inner"].forward(x, run)
        except ValueError as error:
            raise within("inner", error) from None
        return (fx, x), (saved,) if run.record else None

    def backward(self, dy, saved):
        dfx, dx = dy
        inner_saved = list(saved)
        del saved  # what the layers inside are done with is freed
        try:
            inner, grads = self.children["inner"].backward(dfx, inner_saved.pop())
        except ValueError as error:
            raise within("inner", error) from None
        expect_gradient(dx, inner.shape)
        return add(inner, dx), {f"inner.{path}": g for path, g in grads.items()}


class Merge(Layer):
    """y = [g(a), b] along channels from the pair (a, b),   da = g'^T(dy_g), db = dy_b.

    g(a): (N, H, W, K), b: (N, H, W, C); y: (N, H, W, K + C). Raises ValueError where their sides differ.
    """

    def __init__(self, inner: Layer) -> None:
        super().__init__()
        self.children = {"inner": inner}

    def forward(self, x, run):
        a, b = x
        try:
            ga, saved = self.children["inner"].forward(a, run)
        except ValueError as error:
            raise within("inner", error) from None
        if ga.shape[:-1] != b.shape[:-1]:
            raise ValueError(f"what is merged is {ga.shape} and {b.shape}: only the channels may differ. Layers that "
                             "halve and then double the sides need even ones: give the network an input whose sides "
                             "can be halved as often as it does")
        y = concatenate(ga, b)
        return y, (ga.shape[-1], y.shape, saved) if run.record else None

    def backward(self, dy, saved):
        channels, shape, kept = saved
        expect_gradient(dy, shape)
        try:
            da, grads = self.children["inner"].backward(dy[..., :channels], kept)
        except ValueError as error:
            raise within("inner", error) from None
        return (da, dy[..., channels:]), {f"inner.{path}": g for path, g in grads.items()}


class SlicedRecompute(Chain):
    """A Chain that keeps only x: backward walks forward once more, some images at a time, and adds up their gradients.

    A parameter's gradient is a sum over images, so the slices' sums add up to the Chain's, to rounding; dx and y are
    the Chain's. That holds for layers that treat every image by itself (convolution, pooling, activation), not for
    dropout, which draws once for the whole batch, nor for batch norm: a chain with moving averages is refused with
    ValueError. x: (N, H, W, C), or a pair of such; y: (N, H', W', C').
    """

    def __init__(self, *layers: Layer, **named: Layer) -> None:
        super().__init__(*layers, **named)
        if averages := list(self.moving_averages()):
            raise ValueError(f"{averages[0]} averages over whole batches; expected layers that treat every image by "
                             "itself, since this chain sees some images at a time")

    def forward(self, x, run):
        forward, unrecorded = super().forward, replace(run, record=False)
        y = joined(_length(x), ((images, forward(_part(x, images), unrecorded)[0]) for images in slices_of(x, PIXELS)))
        return y, (x, run) if run.record else None

    def backward(self, dy, saved):
        x, run = saved
        expect_gradient(dy, (_length(x), *dy.shape[1:]))  # the layers inside see the rest of the shape
        dx = [array_namespace(array).empty_like(array) for array in _arrays(x)]
        total: Grads = {}
        for images in slices_of(x, PIXELS):
            _, *kept = super().forward(_part(x, images), run)
            part, grads = super().backward(dy[images, ...], kept.pop())
            for place, whole in enumerate(dx):
                whole[images, ...] = _arrays(part)[place]
            total = added(total, grads)
            del part, grads  # before the next slice's are computed
        return tuple(dx) if isinstance(x, tuple) else dx[0], total


def _arrays(x: Array | tuple[Array, ...]) -> tuple[Array, ...]:
    return x if isinstance(x, tuple) else (x,)


def _part(x: Array | tuple[Array, ...], images: slice) -> Array | tuple[Array, ...]:
    return tuple(array[images, ...] for array in x) if isinstance(x, tuple) else x[images, ...]


def _length(x: Array | tuple[Array, ...]) -> int:
    return _arrays(x)[0].shape[0]


def added(total: Grads, grads: Grads) -> Grads:
    """The sums of both, by path; total may be empty."""
    return {path: total[path] + g for path, g in grads.items()} if total else grads


def joined(count: int, parts: Iterable[tuple[slice, Array]]) -> Array:
    """An array of `count` images from (images, their part of it), each part freed before the next is computed."""
    whole: Array = None
    for images, part in parts:
        if whole is None:
            whole = array_namespace(part).empty((count, *part.shape[1:]), dtype=part.dtype, device=device(part))
        whole[images, ...] = part
        del part
    return whole


def slices_of(x: Array | tuple[Array, ...], pixels: int) -> Iterator[slice]:
    """Slices of images, as alike as possible, of about so many pixels of the largest array."""
    count = _length(x)
    if not count:
        raise ValueError(f"the input is {_arrays(x)[0].shape}, which holds no number; expected at least one sample: "
                         "leave empty batches out")
    together = max(1, pixels // max(1, *(math.prod(array.shape[1:3]) for array in _arrays(x))))
    images = -(-count // -(-count // together))
    return (slice(start, min(start + images, count)) for start in range(0, count, images))
