"""The stages of a classifier, convolutions, batch norm and pooling, with less work and, if recomputed, less memory."""
from __future__ import annotations

import math
from dataclasses import replace

from array_api_compat import array_namespace

from engine.combinators import Chain
from engine.kernels import gradient_sums
from engine.layer import Array, Grads, Layer
from engine.layers import BatchNorm, Conv2D, MaxPool
from engine.pooled_norm import PooledNorm
from engine.preconditions import expect_gradient, within
from engine.slices import added, joined, slices_of

# A slice of a stage has about so many pixels.
PIXELS = 1 << 14


class SlicedStage(Layer):
    """y = pool(norm(f(x))), f: convolutions, of which backward needs little: x, and z and its places of PooledNorm.

    Forward needs batch norm's moments of all of f(x), but does not keep it. Backward computes it once more and goes
    through all layers for one slice of images after the other. x: (N, H, W, C); y: (N, H', W', C').
    """

    def __init__(self, convolutions: Chain, pooled_norm: PooledNorm) -> None:
        super().__init__()
        self.children = convolutions.children | pooled_norm.children
        self.convolutions, self.pooled_norm = convolutions, pooled_norm

    def forward(self, x, run):
        def convolved(images: slice) -> Array:
            return self.convolutions.forward(x[images, ...], replace(run, record=False))[0]

        fx, kept = joined(x.shape[0], ((images, convolved(images)) for images in slices_of(x, PIXELS))), []
        measured = self.pooled_norm.norm.measure(fx, run)

        def pooled(images: slice) -> Array:
            z, places = self.pooled_norm.extremes(fx[images, ...], run)
            kept.append(places)
            return z

        z = joined(x.shape[0], ((images, pooled(images)) for images in slices_of(x, PIXELS)))
        return self.pooled_norm.norm.normalize(z, measured), (x, z, measured, kept, run) if run.record else None

    def backward(self, dy, saved):
        x, z, measured, kept, run = saved
        expect_gradient(dy, z.shape)
        sums = gradient_sums(dy, z, measured.m)
        dx = array_namespace(x).empty_like(x)
        grads: Grads = {}
        for images, places in zip(slices_of(x, PIXELS), kept, strict=True):
            fx, *inside = self.convolutions.forward(x[images, ...], run)
            gradient = [self.pooled_norm.input_gradient(dy[images, ...], fx, measured, places, sums)]
            del fx  # popped: nothing here holds on to what backward is done with
            dx[images, ...], own = self.convolutions.backward(gradient.pop(), inside.pop())
            grads = added(grads, own)
        return dx, grads | self.pooled_norm.parameter_gradients(measured, sums)


class Stages(Chain):
    """A Chain that goes through batch norm and the max-pooling behind it as one: its names, seeds and, to rounding,
    results.

    recompute_from: pixels of an image from which on convolutions, batch norm and pooling, a stage, are walked through
    in slices, in less memory and with more computing.
    """

    def __init__(self, *layers: Layer, recompute_from: float = math.inf, **named: Layer) -> None:
        super().__init__(*layers, **named)
        self.recompute_from = recompute_from

    def forward(self, x, run):
        parts, saved, place = [], [], 0
        while place < len(self.children):
            names = list(self.children)[place:]
            count, part = self._part(names, x)
            try:
                x, kept = part.forward(x, run.child(place))
            except ValueError as error:  # a part of several layers names them itself
                raise within(names[0], error) if count == 1 else error from None
            parts.append((part, f"{names[0]}." if count == 1 else ""))
            saved.append(kept)
            place += count
        return x, (parts, saved) if run.record else None

    def backward(self, dy, saved):
        parts, saved = saved[0], list(saved[1])  # each value is freed once it was used
        grads: Grads = {}
        for part, prefix in reversed(parts):
            try:
                dy, own = part.backward(dy, saved.pop())
            except ValueError as error:
                raise within(prefix[:-1], error) if prefix else error from None
            grads |= {f"{prefix}{path}": g for path, g in own.items()}
        return dy, grads

    def _part(self, names: list[str], x: Array) -> tuple[int, Layer]:
        """The number of layers that x goes through next together, and what takes it through them."""
        layers = [self.children[name] for name in names]
        count = next((k for k, layer in enumerate(layers) if type(layer) is not Conv2D), len(layers))
        match layers[count:count + 2]:
            # a class derived from these may compute something else: it is asked itself
            case [BatchNorm() as norm, MaxPool() as pool] if (type(norm), type(pool)) == (BatchNorm, MaxPool):
                pooled_norm = PooledNorm(names[count], norm, pool)
                if count == 0:
                    return 2, pooled_norm
                if math.prod(x.shape[1:3]) >= self.recompute_from:
                    return count + 2, SlicedStage(Chain(**dict(zip(names[:count], layers, strict=False))), pooled_norm)
        return 1, layers[0]
