"""A stage of a classifier, convolutions with batch norm and pooling behind them, in less memory."""
from __future__ import annotations

from dataclasses import replace
from typing import Any

from array_api_compat import array_namespace

from engine.arrays import Array
from engine.combinators.chain import Chain
from engine.combinators.slices import added, expect_no_averages, joined, slices_of
from engine.layer import Grads, Layer, Run
from engine.layers import PooledNorm
from engine.preconditions import within

# A slice of a stage has about so many pixels.
PIXELS = 1 << 14


class SlicedStage(Chain):
    """A Chain y = norm(f(x)) whose last layer is a PooledNorm, norm, and of which backward needs little.

    Kept are x, and of norm, which needs the moments of all of f(x), what is a quarter of it: z and its places. Backward
    computes f(x) once more and goes through all layers for one slice of images after the other; the slices' gradients
    add up to the Chain's, to rounding, if the layers f treat every image by itself: see SlicedRecompute. Who watches
    the layers sees f's a slice at a time, and the norm on the whole batch. x: (N, H, W, C); y: (N, H', W', C').

    Raises ValueError where the last layer is no PooledNorm, and where one before it averages over the batch.
    """

    def __init__(self, *layers: Layer, **named: Layer) -> None:
        super().__init__(*layers, **named)
        last = next(reversed(self.children.values()), None)
        if not isinstance(last, PooledNorm):
            raise ValueError(f"the last layer is {last!r}; expected a PooledNorm, batch norm and max-pooling in one")
        expect_no_averages(self._parts()[0])

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        convolutions, name, norm = self._parts()
        unrecorded = replace(run, record=False)
        fx = joined(x.shape[0], ((images, convolutions.forward(x[images, ...], unrecorded)[0])
                                 for images in slices_of(x, PIXELS)))
        try:
            y, saved = norm.forward(fx, run.child(len(self.children) - 1))
        except ValueError as error:
            raise within(name, error) from None
        return y, (x, saved[1:], run) if run.record else None  # not fx, the first of what norm saved

    def backward(self, dy: Array, saved: Any, *, wants_dx: bool = True) -> tuple[Array, Grads]:
        x, (z, measured, places), run = saved
        convolutions, name, norm = self._parts()
        try:
            sums = norm.sums(dy, z, measured)
            of_all = measured.of_all(sums)
        except ValueError as error:
            raise within(name, error) from None
        dx: Array = array_namespace(x).empty_like(x) if wants_dx else None
        grads: Grads = {}
        for images in slices_of(x, PIXELS):
            fx, *inside = convolutions.forward(x[images, ...], run)
            gradient = [norm.pooled_gradient(dy[images, ...], fx, measured, places[images, ...], of_all)]
            del fx  # popped: nothing here holds on to what backward is done with
            if wants_dx:
                dx[images, ...], own = convolutions.backward(gradient.pop(), inside.pop())
            else:
                own = convolutions.last_gradients(gradient.pop(), inside.pop())
            grads = added(grads, own)
        own = norm.parameter_gradients(measured, sums)
        return dx, grads | {f"{name}.{path}": g for path, g in own.items()}

    def last_gradients(self, dy: Array, saved: Any) -> Grads:
        return self.backward(dy, saved, wants_dx=False)[1]

    onnx = Chain.onnx

    def _parts(self) -> tuple[Chain, str, PooledNorm]:
        """f, and the name of the norm and the norm."""
        *convolutions, (name, norm) = self.children.items()
        return Chain(**dict(convolutions)), name, norm  # type: ignore[return-value]  # held by __init__
