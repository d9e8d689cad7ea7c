"""Layers made of layers. Each hands the layers inside it a seed of their own, and their gradients the path to them."""
from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace

from engine.kernels import add, concatenate
from engine.layer import Array, Grads, Layer
from engine.preconditions import expect_gradient, within


class Chain(Layer):
    """y = f_k(... f_2(f_1(x))),   dx = f_1'^T(... f_k'^T(dy)): Algorithms 1 and 2.

    Chain(a, b) names its layers "0" and "1"; Chain(conv=a, pool=b) names them "conv" and "pool": chain["conv"] is a.
    """

    def __init__(self, *layers: Layer, **named: Layer) -> None:
        super().__init__()
        numbered = {str(place): layer for place, layer in enumerate(layers)}
        if twice := numbered.keys() & named.keys():
            raise ValueError(f"'{min(twice)}' is the name of two layers; expected one layer a name")
        self.children = numbered | named

    def forward(self, x, run):
        saved = []
        for place, (name, layer) in enumerate(self.children.items()):
            try:
                x, kept = layer.forward(x, run.child(place))
            except ValueError as error:
                raise within(name, error) from None
            saved.append(kept)
        return x, saved if run.record else None

    def backward(self, dy, saved):
        saved = list(saved)  # our own list: unless the caller holds on to his, each value is freed once it was used
        grads: Grads = {}
        for name, layer in reversed(self.children.items()):
            try:
                dy, own = layer.backward(dy, saved.pop())
            except ValueError as error:
                raise within(name, error) from None
            grads |= {f"{name}.{path}": g for path, g in own.items()}
        return dy, grads


class Skip(Layer):
    """y = [f(x), x] along channels,   dx = f'^T(dy_f) + dy_x: the gradient splits and adds.

    x: (N, H, W, C) and f(x): (N, H, W, K) give y: (N, H, W, K + C), the order of the merge layers in A.3.2.
    """

    def __init__(self, inner: Layer) -> None:
        super().__init__()
        self.children = {"inner": inner}

    def forward(self, x, run):
        try:
            fx, saved = self.children["inner"].forward(x, run)
        except ValueError as error:
            raise within("inner", error) from None
        if fx.shape[:-1] != x.shape[:-1]:
            raise ValueError(f"the shortcut is {x.shape} and what the layers beside it made of it is {fx.shape}: only "
                             "the channels may differ. Layers that halve and then double the sides need even ones: "
                             "give the network an input whose sides can be halved as often as it does")
        y = concatenate(fx, x)
        return y, (fx.shape[-1], y.shape, saved) if run.record else None

    def backward(self, dy, saved):
        channels, shape, *inner_saved = saved
        del saved
        expect_gradient(dy, shape)
        try:
            dx, grads = self.children["inner"].backward(dy[..., :channels], inner_saved.pop())
        except ValueError as error:
            raise within("inner", error) from None
        return add(dx, dy[..., channels:]), {f"inner.{path}": g for path, g in grads.items()}


class Recompute(Chain):
    """A Chain that keeps only x: backward walks forward once more. The same paths, seeds and bits as the Chain's."""

    def forward(self, x, run):
        y, _ = super().forward(x, replace(run, record=False))
        return y, (x, run) if run.record else None

    def backward(self, dy, saved):
        x, run = saved
        return super().backward(dy, super().forward(x, run)[1])


class Observed(Layer):
    """A layer that tells what passes through it."""

    def __init__(self, layer: Layer, path: str, see: Callable[[str, Layer, Array, Array], None]) -> None:
        super().__init__()
        self.params, self.buffers = layer.params, layer.buffers
        self.layer, self.path, self.see = layer, path, see

    def forward(self, x, run):
        y, saved = self.layer.forward(x, run)
        self.see(self.path, self.layer, x, y)
        return y, saved

    def backward(self, dy, saved):
        return self.layer.backward(dy, saved)

    def absorb(self, grads):
        self.layer.absorb(grads)


def observe(layer: Layer, see: Callable[[str, Layer, Array, Array], None], path: str = "") -> Layer:
    """The same network, its arrays shared, that calls see(path, layer, x, y) after every layer with none inside."""
    if not layer.children:
        return Observed(layer, path, see)
    twin = copy(layer)
    twin.children = {name: observe(child, see, f"{path}.{name}".lstrip(".")) for name, child in layer.children.items()}
    return twin
