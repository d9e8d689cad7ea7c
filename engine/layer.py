"""The protocol: a layer is a pair of pure functions that share a saved value.

    forward(x, run)      -> y, saved      saved: exactly what backward needs, None where run.record is False
    backward(dy, saved)  -> dx, grads     dx = (dy/dx)^T dy, and the same for every parameter, by name

Neither writes to anything, on the layer or in its arguments, so that gradients may be added over micro-batches, threads
or machines, a pass may be repeated (finite differences, recomputation), and one network may serve many threads.

    last_gradients(dy, saved)  -> grads   those of backward, to the bit: where nobody asks for dx

In training nobody asks for the gradient of the network's input, and for some layers it is half of backward's work. A
layer need not define last_gradients: without, backward computes dx, and it is dropped.

Arrays hold float32 or float64, parameters and inputs alike. Where the two differ, the wider decides: float64 images in
a float32 network are computed with in float64, y and every gradient, at twice the time and memory; the parameters stay
float32. Complex numbers pass through, for complex-step differentiation; integers, bool and float16 are refused.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from engine.arrays import Array, copy_arrays, expect_each_once
from engine.graph import Graph
from engine.preconditions import expect_floating
from engine.run import Run

Grads = dict[str, Array]  #: by path: gradients, and what backward measured besides them (batch norm's moments)


class Layer:
    """A differentiable function with parameters.

    params    what training changes, by name
    buffers   what a layer measures while training (moving averages), by name
    children  the layers that this one is made of, by name; the path "3.conv.W" names parameter W of child conv of 3

    network["3.conv"] is the layer of that path; KeyError names those that there are. Children are set as a whole;
    ValueError where one is no layer, a name holds a dot, or one array would stand under two paths: it would be counted
    twice, and changed twice in a step, each time by a part of its gradient.
    """

    __iter__ = None  # network[...] takes paths: without this, iter() would try numbers

    def __init_subclass__(cls) -> None:
        """A class that computes otherwise than the one above it does not inherit its ONNX form: it says its own.

        Nor does one with a backward of its own inherit last_gradients; the backward may come from a mixin.
        """
        if {"forward", "value"} & vars(cls).keys() and "onnx" not in vars(cls):
            cls.onnx = Layer.onnx  # type: ignore[method-assign]
        nearest = next(vars(owner) for owner in cls.__mro__ if {"backward", "last_gradients"} & vars(owner).keys())
        if "last_gradients" not in nearest:
            cls.last_gradients = Layer.last_gradients  # type: ignore[method-assign]

    def __init__(self) -> None:
        self.params: dict[str, Array] = {}
        self.buffers: dict[str, Array] = {}
        self.children = {}

    @property
    def children(self) -> dict[str, Layer]:
        """The layers that this one is made of, by name, in the order of forward; set as a whole, see above."""
        return self._children

    @children.setter
    def children(self, children: dict[str, Layer]) -> None:
        for name, child in children.items():
            if not isinstance(child, Layer):
                given, called = (f"the class {child.__name__}", f": {child.__name__}(...)") if isinstance(child, type) \
                    else (f"{child!r:.60}", "")
                raise ValueError(f"'{name}' is {given}; expected a layer{called}")
            if "." in name:
                raise ValueError(f"a layer is named '{name}'; expected a name without a dot: dots separate the names "
                                 "of a path")
        expect_each_once((f"{name}.{path}", array) for name, child in children.items()
                         for path, array in (child.parameters() | child.moving_averages()).items())
        self._children = children

    def __getitem__(self, path: str) -> Layer:
        layer = self
        for name in path.split("."):
            if name not in layer.children:
                here = ", ".join(layer.children) or "none: it is made of no others"
                raise KeyError(f"no layer '{name}' in {type(layer).__name__}; its layers are {here}")
            layer = layer.children[name]
        return layer

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary()})"

    def summary(self) -> str:
        """What stands between the brackets of the layer's one line: how it is set up, or what it is made of."""
        shown = [f"{name}={child if not child.children else child.outline()}" for name, child in self.children.items()]
        return ", ".join(shown if len(shown) <= 8 else [*shown[:4], f"... {len(shown) - 6} more ...", *shown[-2:]])

    def outline(self) -> str:
        """The layer with no more than the names of those that it is made of."""
        return f"{type(self).__name__}({', '.join(self.children)})"

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        """y = f(x), and what backward needs of this pass, None where `run.record` is False.

        x, y: arrays of the shapes that the layer's docstring gives; a few layers take or make a pair. Writes to
        nothing. Raises ValueError for an x that the layer cannot take: another shape, no numbers, no floats.
        """
        raise NotImplementedError

    def backward(self, dy: Array, saved: Any) -> tuple[Array, Grads]:
        """dx = dL/dx, and the gradient of every parameter by path, each in the shape of what it is the gradient of.

        dy = dL/dy: in the shape of y; saved: what forward gave for it. Writes to nothing and may be called again.
        Raises ValueError where dy is of another shape than y.
        """
        raise NotImplementedError

    def last_gradients(self, dy: Array, saved: Any) -> Grads:
        """The gradients of backward without dx, to the bit: the last step back of a training, where nobody asks for dx.

        For a class that can leave dx out. A class with its own backward and without its own last_gradients has this
        one, whatever it inherits from. Writes to nothing and raises as backward does.
        """
        values = [saved, dy]
        del dy, saved  # popped: nothing here holds on to what backward is done with
        return self.backward(values.pop(), values.pop())[1]

    def piece(self, x: Array, y: Array) -> Array | None:
        """Which smooth piece of the function y = f(x) lies on; None for a function that is smooth everywhere.

        For ReLU the signs (also where fused into another layer), for max-pooling the places of the maxima. Two points
        with different pieces have a kink between them: a finite difference across it says nothing of the gradient.
        """
        return None

    def onnx(self, graph: Graph, x: Any) -> Any:
        """Add to the graph what the layer computes in inference, as ONNX's operators; see engine.graph.

        x, y: values of the graph, pairs where forward has pairs. Raises ValueError for a class that does not say it.
        """
        raise ValueError(f"no ONNX form of class {type(self).__name__}: it has no method onnx(graph, x)")

    def multiplications(self, x: tuple[int, ...], y: tuple[int, ...]) -> int:
        """In the products of forward as its formula has them, the zeros around images too; x, y: the shapes of input
        and output. Convolutions and dense layers say it, which make up nearly all; the others answer 0."""
        return 0

    def absorb(self, grads: Grads) -> None:
        """Take in what backward measured besides gradients (batch moments); called once per optimizer step."""
        for name, child in self.children.items():
            child.absorb({path.removeprefix(f"{name}."): g for path, g in grads.items() if path.startswith(f"{name}.")})

    def parameters(self) -> dict[str, Array]:
        """Every trainable array by path, in the order of the network."""
        return dict(self._named("params"))

    def moving_averages(self) -> dict[str, Array]:
        """Every buffer by path, in the order of the network."""
        return dict(self._named("buffers"))

    def _named(self, kind: str) -> Iterator[tuple[str, Array]]:
        yield from getattr(self, kind).items()
        for name, child in self.children.items():
            yield from ((f"{name}.{path}", array) for path, array in child._named(kind))

    def convert(self, function: Callable[[Array], Array]) -> None:
        """Replace every parameter and buffer by function(array): `network.convert(cupy.asarray)` moves to the GPU.

        An optimizer holds the arrays that were there when it was made: make it afterwards. Raises ValueError where the
        function answers with other than floats.
        """
        for arrays in (self.params, self.buffers):
            converted = {name: function(array) for name, array in arrays.items()}
            for name, array in converted.items():
                expect_floating(f"'{name}' of {type(self).__name__}, converted,", array)
            arrays.update(converted)
        for child in self.children.values():
            child.convert(function)


def parameter_count(layer: Layer) -> int:
    """Number of trainable scalars."""
    return sum(array.size for array in layer.parameters().values())


def assign(layer: Layer, arrays: Mapping[str, Array]) -> None:
    """Copy arrays (by path) into the parameters and buffers of a layer.

    Raises ValueError, before anything is written, where the paths or shapes are not the layer's.
    """
    copy_arrays(layer.parameters() | layer.moving_averages(), arrays, "the network")
