"""A batch, an array of images or a pair of such, walked through some images at a time."""
from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from engine.arrays import Array, empty
from engine.layer import Grads, Layer

Images = Array | tuple[Array, ...]


def slices_of(x: Images, pixels: int) -> Iterator[slice]:
    """Slices of images, as alike as possible, of about so many pixels of the largest array."""
    count = length(x)
    if not count:
        raise ValueError(f"the input is {arrays_of(x)[0].shape}, which holds no number; expected at least one sample: "
                         "leave empty batches out")
    together = max(1, pixels // max(1, *(math.prod(array.shape[1:3]) for array in arrays_of(x))))
    images = -(-count // -(-count // together))
    return (slice(start, min(start + images, count)) for start in range(0, count, images))


def arrays_of(x: Images) -> tuple[Array, ...]:
    """The arrays of a batch: one, or the two of a pair."""
    return x if isinstance(x, tuple) else (x,)


def part_of(x: Images, images: slice) -> Images:
    """Some images of the batch, of both arrays of a pair; not copied."""
    return tuple(array[images, ...] for array in x) if isinstance(x, tuple) else x[images, ...]


def length(x: Images) -> int:
    """The number of images."""
    return arrays_of(x)[0].shape[0]


def joined(count: int, parts: Iterable[tuple[slice, Array]]) -> Array:
    """An array of `count` images from (images, their part of it), each part freed before the next is computed."""
    whole: Array = None
    for images, part in parts:
        if whole is None:
            whole = empty((count, *part.shape[1:]), part)
        whole[images, ...] = part
        del part
    return whole


def added(total: Grads, grads: Grads) -> Grads:
    """The sums of both, by path; total may be empty."""
    return {path: total[path] + g for path, g in grads.items()} if total else grads


def expect_no_averages(layers: Layer) -> None:
    """Raises ValueError where one of the layers measures the whole batch."""
    if averages := list(layers.moving_averages()):
        raise ValueError(f"{averages[0]} averages over whole batches; expected layers that treat every image by "
                         "itself, since they see some images at a time")
