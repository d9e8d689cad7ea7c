"""A network as a table: what each layer makes of the input, what it is made of, what it computes and keeps.

    print(summary(network, (128, 128, 1)))
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.layer import Layer, Run, parameter_count
from engine.memory import arrays

COLUMNS = ("path", "layer", "output", "parameters", "multiplications", "kept")
# What is kept is counted of two batches, and their difference is an image's: what does not grow with the batch, batch
# norm's moments, is none. Batch norm on features needs two samples.
BATCHES = (3, 2)


@dataclass(frozen=True)
class Row:
    """Of a layer, for one sample. output: the shape, of a pair both. kept: bytes that backward needs, each array at the
    first layer that keeps it."""
    path: str
    layer: str
    output: str
    parameters: int
    multiplications: int
    kept: int


@dataclass(frozen=True)
class Summary:
    """rows: every layer that is made of no others, and those made of others that keep something themselves, such as
    Recompute; total: of the network. str() is the table."""
    rows: list[Row]
    total: Row

    def __str__(self) -> str:
        cells = [COLUMNS, *([row.path, row.layer, row.output, f"{row.parameters:,}", f"{row.multiplications:,}",
                             f"{row.kept:,}"] for row in (*self.rows, self.total))]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ["  ".join(cell.ljust(width) if place < 3 else cell.rjust(width)
                           for place, (cell, width) in enumerate(zip(row, widths, strict=True))) for row in cells]
        line = "-" * len(lines[0])
        return "\n".join([lines[0], line, *lines[1:-1], line, lines[-1]])


@dataclass
class _Seen:
    """Of a layer in a pass: the shapes of its input and output, and the arrays that were first kept by it."""
    x: Any
    y: Any
    kept: dict[int, np.ndarray] = field(default_factory=dict)


def summary(network: Layer, shape: tuple[int, ...]) -> Summary:
    """The table of a network on the CPU for a sample of that shape, (H, W, C) or (C,): two small batches of zeros are
    sent through it as in training.

    multiplications: of inference, see Layer.multiplications. kept: measured, from what forward really hands to
    backward; so the layers in a Recompute keep nothing, and it has a row of its own. In a training step the bytes of
    the parameters, their gradients and what the optimizer remembers come on top. Raises ValueError where the network
    does not take such a sample.
    """
    more, fewer = (_watched(network, shape, batch) for batch in BATCHES)
    rows = []
    for path, layer in _layers(network):
        row = _row(path, layer, more[path], _bytes(more[path]) - _bytes(fewer[path]))
        if row.kept or layer.params or not layer.children:
            rows.append(row)
    total = Row("total", type(network).__name__, _shown(more[""].y), parameter_count(network),
                sum(row.multiplications for row in rows), sum(row.kept for row in rows))
    return Summary(rows, total)


def _layers(layer: Layer, path: str = "") -> Iterator[tuple[str, Layer]]:
    """By path, each before those it is made of; the network itself under ""."""
    yield path, layer
    for name, child in layer.children.items():
        yield from _layers(child, _joined(path, name))


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _row(path: str, layer: Layer, seen: _Seen, kept: int) -> Row:
    multiplications = layer.multiplications(*((1, *shape[1:]) for shape in (seen.x, seen.y)))
    return Row(path, layer.outline() if layer.children else repr(layer), _shown(seen.y),
               sum(array.size for array in layer.params.values()), multiplications, kept)


def _bytes(seen: _Seen) -> int:
    return sum(array.nbytes for array in seen.kept.values())


def _watched(network: Layer, shape: tuple[int, ...], batch: int) -> dict[str, _Seen]:
    """By path, what was seen of each layer as a batch of zeros went through."""
    first = next(iter(network.parameters().values()), np.empty(0, np.float32))
    seen: dict[str, _Seen] = {}
    held: list[tuple[str, Any]] = []  # in the order in which they are done: the first layer that holds an array has it

    def see(path: str, x: Any, y: Any, saved: Any) -> None:
        seen[path] = _Seen(_shape(x), _shape(y))
        held.append((path, saved))

    _, saved = _watching(network, see).forward(np.zeros((batch, *shape), first.dtype), Run())
    own = arrays([network.parameters(), network.moving_averages()])
    left = {key: array for key, array in arrays(saved).items() if key not in own}
    for path, part in held:
        for key in arrays(part).keys() & left.keys():
            seen[path].kept[key] = left.pop(key)
    return seen


def _watching(layer: Layer, see: Callable[[str, Any, Any, Any], None], path: str = "") -> Layer:
    """A twin of the layer that tells path, x, y and saved of every layer when it is done. engine.observing tells of the
    innermost layers alone, and not what they keep."""
    twin = copy(layer)
    twin.children = {name: _watching(child, see, _joined(path, name)) for name, child in layer.children.items()}
    original = twin.forward

    def forward(x: Any, run: Run) -> tuple[Any, Any]:
        y, saved = original(x, run)
        see(path, x, y, saved)
        return y, saved

    vars(twin)["forward"] = forward
    return twin


def _shape(value: Any) -> Any:
    return tuple(map(_shape, value)) if isinstance(value, tuple) else tuple(value.shape)


def _shown(shape: Any) -> str:
    """(N, 64, 64, 8); of a pair both."""
    if isinstance(shape[0], tuple):
        return ", ".join(map(_shown, shape))
    return f"({', '.join(['N', *map(str, shape[1:])])})"
