"""A training step in less memory: layers of which only the input is kept, and backward walks forward once more.

The peak of a step lies in the backward of the layers with the most pixels, where a tensor of the whole batch is needed
several times over: x, o, dy, da, dx. Of some images at a time all but x, dy and dx are small.
"""
from __future__ import annotations

from dataclasses import replace
from typing import Any

from array_api_compat import array_namespace

from engine.arrays import Array
from engine.combinators.chain import Chain
from engine.combinators.slices import added, arrays_of, expect_no_averages, joined, length, part_of, slices_of
from engine.layer import Grads, Layer, Run
from engine.preconditions import expect_gradient

# A slice has about so many pixels: enough to keep several processors busy.
PIXELS = 1 << 16


class Recompute(Chain):
    """A Chain that keeps only x: backward walks forward once more. The same paths, seeds and bits as the Chain's."""

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        y, _ = super().forward(x, replace(run, record=False))
        return y, (x, run) if run.record else None

    def backward(self, dy: Array, saved: Any) -> tuple[Array, Grads]:
        x, run = saved
        return super().backward(dy, super().forward(x, run)[1])

    onnx = Chain.onnx


class SlicedRecompute(Chain):
    """A Chain that keeps only x: backward walks forward once more, some images at a time, and adds up their gradients.

    A parameter's gradient is a sum over images, so the slices' sums add up to the Chain's, to rounding; dx and y are
    the Chain's. That holds for layers that treat every image by itself (convolution, pooling, activation), not for
    dropout, which draws once for the whole batch, nor for batch norm: a chain with moving averages is refused with
    ValueError. x: (N, H, W, C), or a pair of such; y: (N, H', W', C').
    """

    def __init__(self, *layers: Layer, **named: Layer) -> None:
        super().__init__(*layers, **named)
        expect_no_averages(self)

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        forward, unrecorded = super().forward, replace(run, record=False)
        y = joined(length(x), ((images, forward(part_of(x, images), unrecorded)[0]) for images in slices_of(x, PIXELS)))
        return y, (x, run) if run.record else None

    def backward(self, dy: Array, saved: Any, *, wants_dx: bool = True) -> tuple[Array, Grads]:
        x, run = saved
        expect_gradient(dy, (length(x), *dy.shape[1:]))  # the layers inside see the rest of the shape
        dx: list[Array] = [array_namespace(array).empty_like(array) if wants_dx else None for array in arrays_of(x)]
        total: Grads = {}
        for images in slices_of(x, PIXELS):
            _, *kept = super().forward(part_of(x, images), run)
            if wants_dx:
                part, grads = super().backward(dy[images, ...], kept.pop())
                for whole, own in zip(dx, arrays_of(part), strict=True):
                    whole[images, ...] = own
                del part, own  # before the next slice's are computed
            else:
                grads = super().last_gradients(dy[images, ...], kept.pop())
            total = added(total, grads)
            del grads
        return tuple(dx) if isinstance(x, tuple) else dx[0], total

    def last_gradients(self, dy: Array, saved: Any) -> Grads:
        return self.backward(dy, saved, wants_dx=False)[1]

    onnx = Chain.onnx
