"""Layers made of layers. Each hands the layers inside it a seed of their own, and their gradients the path to them."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import replace

from array_api_compat import array_namespace

from engine.layer import Array, Grads, Layer


class Chain(Layer):
    """y = f_k(... f_2(f_1(x))),   dx = f_1'^T(... f_k'^T(dy)): Algorithms 1 and 2.

    Chain(a, b) names its layers "0" and "1"; Chain(conv=a, pool=b) names them "conv" and "pool".
    """

    def __init__(self, *layers: Layer, **named: Layer) -> None:
        super().__init__()
        self.children = {str(place): layer for place, layer in enumerate(layers)} | named

    def forward(self, x, run):
        return self._walk(range(len(self.children)), x, run)

    def backward(self, dy, saved):
        given = [dy], list(saved)  # our own lists: unless the caller holds on to his, a value goes once it was used
        del dy, saved
        return self._walk_back(range(len(self.children)), *given)

    def _walk(self, places, x, run):
        """Forward through the layers at these places: what comes out, what they saved."""
        layers, saved = list(self.children.values()), []
        for place in places:
            x, kept = layers[place].forward(x, run.child(place))
            saved.append(kept)
        return x, saved if run.record else None

    def _walk_back(self, places, dy, saved):
        """Backward through them. dy: a list of one, emptied, so that no caller up the stack keeps the array alive."""
        names = list(self.children)
        grads: Grads = {}
        for place in reversed(places):
            dx, own = self.children[names[place]].backward(dy.pop(), saved.pop())
            dy.append(dx)
            del dx
            grads |= {f"{names[place]}.{path}": g for path, g in own.items()}
        return dy.pop(), grads


class Skip(Layer):
    """y = [f(x), x] along channels,   dx = f'^T(dy_f) + dy_x: the gradient splits and adds.

    x: (N, H, W, C) and f(x): (N, H, W, K) give y: (N, H, W, K + C), the order of the merge layers in A.3.2.
    """

    def __init__(self, inner: Layer) -> None:
        super().__init__()
        self.children = {"inner": inner}

    def forward(self, x, run):
        fx, saved = self.children["inner"].forward(x, run)
        if fx.shape[:-1] != x.shape[:-1]:
            raise ValueError(f"the shortcut is {x.shape} and what the layers beside it made of it is {fx.shape}: only "
                             "the channels may differ. Layers that halve and then double the sides need even ones: "
                             "give the network an input whose sides can be halved as often as it does")
        return array_namespace(x).concat([fx, x], axis=-1), (fx.shape[-1], saved) if run.record else None

    def backward(self, dy, saved):
        channels, *inner_saved = saved
        del saved
        dx, grads = self.children["inner"].backward(dy[..., :channels], inner_saved.pop())
        return dx + dy[..., channels:], {f"inner.{path}": g for path, g in grads.items()}


class Recompute(Chain):
    """A Chain that keeps less: of a group of layers only what enters its first one. Backward walks forward through the
    group once more. The same paths, seeds and bits as the Chain's, with dropout and batch norm inside too.

    Recompute(a, b) is one group. Recompute(conv=a, norm=b, head=c, groups=[("conv", "norm")]) has one, and a layer that
    keeps what it needs. The layers of a group follow one another.
    """

    def __init__(self, *layers: Layer, groups: Iterable[Sequence[str]] | None = None, **named: Layer) -> None:
        super().__init__(*layers, **named)
        names = list(self.children)
        starts = {group[0]: len(group) for group in ([names] if groups is None else groups)}
        self.parts = []  # (places of layers, whether they are a group)
        while names:
            place, length = len(self.children) - len(names), starts.get(names[0], 1)
            self.parts.append((range(place, place + length), names[0] in starts))
            del names[:length]

    def forward(self, x, run):
        saved = []
        for places, group in self.parts:
            before = x if group and run.record else None
            x, kept = self._walk(places, x, replace(run, record=run.record and not group))
            saved.append(before if group else kept)
        return x, (saved, run) if run.record else None

    def backward(self, dy, saved):
        given, remaining, run = [dy], list(saved[0]), saved[1]
        del dy, saved
        grads: Grads = {}
        for places, group in reversed(self.parts):
            kept = remaining.pop()
            kept = self._walk(places, kept, run)[1] if group else list(kept)
            dx, own = self._walk_back(places, given, kept)
            given.append(dx)
            del dx
            grads |= own
        return given.pop(), grads


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
