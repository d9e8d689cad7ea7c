"""The stages of a classifier, convolutions, batch norm and pooling, walked through in slices of images.

Of the tensors with the most pixels only what batch norm reads is of the whole batch, and only while its stage is at
work: its output, its gradients and the convolutions' exist for a slice at a time.
"""
from __future__ import annotations

from array_api_compat import array_namespace, device

from engine.combinators import Chain
from engine.kernels import gradient_sums
from engine.layer import Grads, Layer
from engine.layers import BatchNorm, Conv2D, MaxPool
from engine.slices import SlicedRecompute, added, slices_of

# Images of at least so many pixels make up most of the memory and the smaller part of the computing: what batch norm
# reads of them is computed twice more, not kept.
LARGE = 1 << 10


class SlicedStage(Layer):
    """y = pool(norm(f(x))), f: convolutions. As the Chain of these layers computes it, gradients to rounding.

    Forward needs batch norm's moments of all of f(x), and keeps f(x) unless it is LARGE. Backward, with the sums of
    BatchNorm's derivation over all slices taken first, goes through pool, norm and, computed once more, f for one slice
    after the other. x: (N, H, W, C); y: (N, H', W', C').
    """

    def __init__(self, **layers: Layer) -> None:
        super().__init__()
        self.children = layers
        *convolutions, (self.norm_name, norm), (_, self.pool) = layers.items()
        assert isinstance(norm, BatchNorm)
        self.norm = norm
        self.convolutions = SlicedRecompute(**dict(convolutions))

    def forward(self, x, run):
        fx, _ = self.convolutions.forward(x, run)
        measured = self.norm.measure(fx, run)
        y, kept = None, []
        for images in slices_of(fx):
            part, saved = self.pool.forward(self.norm.normalize(fx[images, ...], measured), run)
            if y is None:
                y = array_namespace(part).empty((fx.shape[0], *part.shape[1:]), dtype=part.dtype, device=device(part))
            y[images, ...] = part
            kept.append(saved)
        large = fx.shape[1] * fx.shape[2] >= LARGE
        return y, (x, None if large else fx, measured, kept, run) if run.record else None

    def backward(self, dy, saved):
        x, fx, measured, kept, run = saved
        if fx is None:
            fx, _ = self.convolutions.forward(x, run)
        slices = list(slices_of(fx))

        def unpooled(place: int):
            return self.pool.backward(dy[slices[place], ...], kept[place])[0]

        parts = [gradient_sums(unpooled(place), fx[images, ...], measured.m) for place, images in enumerate(slices)]
        sums = sum(part for part, _ in parts), sum(part for _, part in parts)
        dx = array_namespace(x).empty_like(x)
        grads: Grads = {}
        for place, images in enumerate(slices):
            dfx = self.norm.input_gradient(unpooled(place), fx[images, ...], measured, sums)
            dx[images, ...], own = self.convolutions.backward(dfx, (x[images, ...], run))
            grads = added(grads, own)
        own = self.norm.parameter_gradients(measured, sums)
        return dx, grads | {f"{self.norm_name}.{path}": g for path, g in own.items()}


class StagedRecompute(Chain):
    """A Chain whose stages are walked through in slices: the same paths and seeds. A training step of the VGG takes
    little more than half the memory and 1.4 times the time.

    A stage is a row of convolutions followed by batch norm and max-pooling; other layers are as in the Chain.
    """

    def forward(self, x, run):
        saved, place = [], 0
        for layers in self._parts():
            x, kept = _part(layers).forward(x, run.child(place))
            saved.append(kept)
            place += len(layers)
        return x, saved if run.record else None

    def backward(self, dy, saved):
        saved = list(saved)  # each value is freed once it was used
        grads: Grads = {}
        for layers in reversed(self._parts()):
            dy, own = _part(layers).backward(dy, saved.pop())
            grads |= own if len(layers) > 1 else {f"{name}.{path}": g for name in layers for path, g in own.items()}
        return dy, grads

    def _parts(self) -> list[dict[str, Layer]]:
        """The layers by name, in order: those of a stage together, every other alone."""
        layers, parts = list(self.children.items()), []
        while layers:
            kinds = [type(layer) for _, layer in layers]
            convolutions = next((k for k, kind in enumerate(kinds) if kind is not Conv2D), len(kinds))
            behind = kinds[convolutions:convolutions + 2]
            count = convolutions + 2 if convolutions and behind == [BatchNorm, MaxPool] else 1
            parts.append(dict(layers[:count]))
            del layers[:count]
        return parts


def _part(layers: dict[str, Layer]) -> Layer:
    return SlicedStage(**layers) if len(layers) > 1 else next(iter(layers.values()))
