"""Images cut into the tiles of Winograd's minimal filtering, transformed, and put together again: see __init__.py.

A transform is a pair of small matrix products, one down the rows of a tile and one along its columns. The first reads
the image where it lies: six rows of it are a 6 x (W C) matrix already. So does the second: of every tile six pixels of
a row are a 6 x C matrix. Back, the second one writes the outputs to their places in the image.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from engine.kernels.convolution import Pair
from engine.kernels.cpu.activations import apply
from engine.kernels.cpu.threads import blocks, scratch

# Outputs along one side of a tile, and the places at which its polynomials are evaluated.
TILE = 4
POINTS = 6
# Multiplications of a piece of a long product: its numbers stay in the cache.
PIECE = 1_000_000
# With fewer channels than this a tile's own product is shorter than the call: tiles are copied side by side first.
FEW_CHANNELS = 32

# Tiles that a thread is woken for.
ENOUGH = 64

Block = tuple[slice, slice]


@dataclass(frozen=True)
class Tiling:
    """N images of height x width outputs, cut into tiles of 4 x 4, the last row and column perhaps not filled."""
    images: int
    height: int
    width: int

    @property
    def rows(self) -> int:
        """Rows of tiles in an image."""
        return -(-self.height // TILE)

    @property
    def columns(self) -> int:
        """Tiles in a row."""
        return -(-self.width // TILE)

    @property
    def whole(self) -> Block:
        """All images and rows of tiles as one block."""
        return slice(0, self.images), slice(0, self.rows)

    def count(self, block: Block) -> int:
        """Tiles of a block."""
        images, rows = block
        return (images.stop - images.start) * (rows.stop - rows.start) * self.columns

    def blocks(self, tiles: int, within: Block | None = None) -> list[Block]:
        """About as many tiles a block, as (images, rows of tiles): several images, or some rows of one of them."""
        images, rows = within or self.whole
        height = rows.stop - rows.start
        deep = max(1, min(height, tiles // self.columns))
        together = max(1, tiles // (height * self.columns))
        return [(slice(n, min(n + together, images.stop)), slice(i, min(i + deep, rows.stop)))
                for n in range(images.start, images.stop, together) for i in range(rows.start, rows.stop, deep)]

    def jobs(self, tiles: int) -> list[Block]:
        """All tiles in blocks of about so many, but two where half of them are enough: one for each of two threads."""
        return self.blocks(min(tiles, max(ENOUGH, -(-self.count(self.whole) // 2))))

    def numbered(self, tiles: int, within: Block) -> list[tuple[Block, slice]]:
        """The blocks within a block, each with the place of its tiles among all of them."""
        cut = self.blocks(tiles, within)
        ends = list(accumulate(self.count(block) for block in cut))
        return [(block, slice(end - self.count(block), end)) for block, end in zip(cut, ends, strict=True)]

    def shape(self, block: Block) -> tuple[int, int, int]:
        """(images, rows of tiles, columns of tiles)."""
        images, rows = block
        return images.stop - images.start, rows.stop - rows.start, self.columns


def contiguous(x: np.ndarray) -> np.ndarray:
    """x with the strides of its shape, copied where it has to be.

    NumPy calls an array contiguous whatever the strides of its axes of length 1 are, such as 0 in x[..., None]. What
    lies side by side cannot be told from them.
    """
    return np.ascontiguousarray(x).reshape(-1).reshape(x.shape)


def transform(matrix: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
    """out = matrix x, for x: (..., columns of the matrix, n)."""
    for columns in blocks(x.shape[-1], PIECE // matrix.size):
        np.matmul(matrix, x[..., columns], out=out[..., columns])


def cut(x: np.ndarray, matrix: np.ndarray, start: Pair, tiling: Tiling, block: Block, out: np.ndarray) -> None:
    """matrix d matrix' for every tile d of the block, into out: (6, 6, slices of channels, tiles, channels of a slice).

    x: (N, H, W, C), `contiguous`. Tile i, j of an image begins at row start[0] + 4 i, column start[1] + 4 j; matrix:
    (6, its side). Outside of x are zeros.
    """
    points, side = matrix.shape
    images, height, columns = tiling.shape(block)
    slices, channels = out.shape[2], out.shape[4]
    down = _down(x, matrix, start, tiling, block)
    n, i, a, w, c = down.strides
    tiles = np.ndarray((points, slices, images, height, columns, side, channels), x.dtype, down,
                       strides=(a, c * channels, n, i, TILE * w, w, c))
    if channels < FEW_CHANNELS:
        apart = scratch("tiles apart", (points, slices, side, images, height, columns, channels), x.dtype)
        np.copyto(apart, tiles.transpose(0, 1, 5, 2, 3, 4, 6))
        transform(matrix, apart.reshape(points, slices, side, -1),
                  out.reshape(points, points, slices, -1).transpose(0, 2, 1, 3))
        return
    there = out.reshape(points, points, slices, images, height, columns, channels).transpose(0, 2, 3, 4, 5, 1, 6)
    np.matmul(matrix, tiles, out=there)


def _down(x: np.ndarray, matrix: np.ndarray, start: Pair, tiling: Tiling, block: Block) -> np.ndarray:
    """matrix d, down the rows of tiles of a block only: (images, rows of tiles, 6, columns of pixels under them, C)."""
    points, side = matrix.shape
    images, height, columns = tiling.shape(block)
    n, h, w, c = x.strides
    reach = TILE * (columns - 1) + side
    left, right = max(0, -start[1]), min(reach, x.shape[2] - start[1])
    down = scratch("tiles down", (images, height, points, reach, x.shape[3]), x.dtype)
    down[..., :left, :] = 0
    down[..., right:, :] = 0
    flat = down.reshape(images, height, points, -1)[..., left * x.shape[3]:right * x.shape[3]]
    for i, count in _alike(block[1], start[0], side, x.shape[1]):
        out = flat[:, i - block[1].start:i - block[1].start + count]
        first = start[0] + TILE * i
        top, bottom = max(0, -first), min(side, x.shape[1] - first)
        if top >= bottom:  # a tile all of zeros
            out[...] = 0
            continue
        pixels = np.ndarray((images, count, bottom - top, out.shape[3]), x.dtype, x,
                            block[0].start * n + (first + top) * h + (start[1] + left) * w, (n, TILE * h, h, c))
        transform(matrix[:, top:bottom], pixels, out)
    return down


def _alike(rows: slice, start: int, side: int, height: int) -> Iterator[tuple[int, int]]:
    """Rows of tiles as (first, count): all that lie inside the image at once; one by one those that reach over an edge.

    What an edge cuts off are zeros that add nothing to a product: it is left out.
    """
    first = min(max(rows.start, -(start // TILE)), rows.stop)
    last = max(first, min(rows.stop, (height - side - start) // TILE + 1))
    yield from ((i, 1) for i in range(rows.start, first))
    if last > first:
        yield first, last - first
    yield from ((i, 1) for i in range(last, rows.stop))


def join(tiles: np.ndarray, matrix: np.ndarray, tiling: Tiling, block: Block, bias: np.ndarray | None,
         activation: Callable[[np.ndarray], np.ndarray] | None, y: np.ndarray) -> None:
    """matrix m matrix' for every tile m: (6, 6, slices of channels, tiles, channels of a slice), put in its place in y.

    matrix: (4, 6); y: (N, H, W, C); bias: (C,) or None, activation: both applied on the way.
    """
    images, height, columns = tiling.shape(block)
    slices, channels = tiles.shape[2], tiles.shape[4]
    down = scratch("tiles joined down", (TILE, *tiles.shape[1:]), tiles.dtype)
    rows, out = (array.reshape(*array.shape[:3], -1).transpose(1, 2, 0, 3) for array in (tiles, down))
    transform(matrix, rows, out)
    there = y[block[0], TILE * block[1].start:TILE * block[1].stop]
    full = images, TILE * height, TILE * columns, y.shape[3]
    whole = there if there.shape == full else scratch("tiles whole", full, y.dtype)
    places = whole.reshape(images, height, TILE, columns, TILE, slices, channels).transpose(2, 5, 0, 1, 3, 4, 6)
    if channels < FEW_CHANNELS:
        apart = scratch("tiles apart", (TILE, TILE, *tiles.shape[2:]), tiles.dtype)
        transform(matrix, down.reshape(TILE, POINTS, -1), apart.reshape(TILE, TILE, -1))
        apart = apart.reshape(TILE, TILE, slices, images, height, columns, channels)
        np.copyto(places, apart.transpose(0, 2, 3, 4, 5, 1, 6))
    else:
        apart = down.reshape(TILE, POINTS, slices, images, height, columns, channels)
        np.matmul(matrix, apart.transpose(0, 2, 3, 4, 5, 1, 6), out=places)
    if whole is not there:
        there[...] = whole[:, :there.shape[1], :there.shape[2]]
    if bias is not None:
        there += bias
    if activation is not None:
        apply(activation, there)
