"""Images cut into the tiles of Winograd's minimal filtering, transformed, and put together again: see winograd.py.

A transform is a pair of small matrix products, one down the rows of a tile and one along its columns. The first reads
the image where it lies: six rows of it are a 6 x (W C) matrix already. Then the tiles are copied apart, and the second
product goes over all of them. Back it is the other way round.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, groupby

import numpy as np
from numpy.lib.stride_tricks import as_strided

from engine.kernels.convolution import Pair
from engine.kernels.cpu.threads import blocks, scratch

# Outputs along one side of a tile, and the places at which its polynomials are evaluated.
TILE = 4
POINTS = 6
# OpenBLAS copies ("packs") the factors of a product unless it has at most this many multiplications. The matrices here
# are so small that this would cost as much as the product: larger ones are cut.
SMALL_PRODUCT = 1_000_000

Block = tuple[slice, slice]


@dataclass(frozen=True)
class Tiling:
    """N images of height x width outputs, cut into tiles of 4 x 4, the last row and column perhaps not filled."""
    images: int
    height: int
    width: int

    @property
    def rows(self) -> int:
        return -(-self.height // TILE)

    @property
    def columns(self) -> int:
        return -(-self.width // TILE)

    @property
    def whole(self) -> Block:
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

    def numbered(self, tiles: int, within: Block) -> list[tuple[Block, slice]]:
        """The blocks within a block, each with the place of its tiles among all of them."""
        cut = self.blocks(tiles, within)
        ends = list(accumulate(self.count(block) for block in cut))
        return [(block, slice(end - self.count(block), end)) for block, end in zip(cut, ends, strict=True)]

    def shape(self, block: Block) -> tuple[int, int, int]:
        """(images, rows of tiles, columns of tiles)."""
        images, rows = block
        return images.stop - images.start, rows.stop - rows.start, self.columns


def transform(matrix: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
    """out = matrix x, for x: (..., columns of the matrix, n)."""
    for columns in blocks(x.shape[-1], SMALL_PRODUCT // matrix.size):
        np.matmul(matrix, x[..., columns], out=out[..., columns])


def cut(x: np.ndarray, matrix: np.ndarray, start: Pair, tiling: Tiling, block: Block, out: np.ndarray) -> None:
    """matrix d matrix' for every tile d of the block, into out: (6, 6, slices of channels, tiles, channels of a slice).

    x: (N, H, W, C). Tile i, j of an image begins at row start[0] + 4 i, column start[1] + 4 j; matrix: (6, its side).
    Outside of x are zeros.
    """
    points, side = matrix.shape
    images, height, columns = tiling.shape(block)
    slices, channels = out.shape[2], out.shape[4]
    down = _down(x, matrix, start, tiling, block)
    n, i, a, w, c = down.strides
    tiles = as_strided(down, (points, side, slices, images, height, columns, channels),
                       (a, w, c * channels, n, i, TILE * w, c), writeable=False)
    apart = scratch("tiles apart", tiles.shape, out.dtype)
    np.copyto(apart, tiles)
    for k in range(slices):
        transform(matrix, apart[:, :, k].reshape(points, side, -1), out[:, :, k].reshape(points, points, -1))


def _down(x: np.ndarray, matrix: np.ndarray, start: Pair, tiling: Tiling, block: Block) -> np.ndarray:
    """matrix d, down the rows of tiles of a block only: (images, rows of tiles, 6, columns of pixels under them, C)."""
    points, side = matrix.shape
    x, rows = x[block[0]], block[1]
    images, height, width, channels = x.shape
    reach = TILE * (tiling.columns - 1) + side
    left, right = max(0, -start[1]), min(reach, width - start[1])
    down = scratch("tiles down", (images, rows.stop - rows.start, points, reach, channels), x.dtype)
    down[..., :left, :] = 0
    down[..., right:, :] = 0
    n, h, _, c = x.strides

    def inside(i: int) -> Pair:
        """Which rows of the tiles in row i lie in x. The others are zeros and add nothing: they are left out."""
        first = start[0] + TILE * i
        return max(0, -first), min(side, height - first)

    for (top, bottom), alike in groupby(range(rows.start, rows.stop), inside):
        first, *more = alike
        out = down[:, first - rows.start:first - rows.start + 1 + len(more)]
        if top >= bottom:
            out[...] = 0
            continue
        origin = x[:, start[0] + TILE * first + top:, start[1] + left:]
        pixels = as_strided(origin, (images, 1 + len(more), bottom - top, (right - left) * channels),
                            (n, TILE * h, h, c), writeable=False)
        transform(matrix[:, top:bottom], pixels, out[:, :, :, left:right].reshape(images, 1 + len(more), points, -1))
    return down


def join(tiles: np.ndarray, matrix: np.ndarray, tiling: Tiling, block: Block, bias: np.ndarray | None,
         activation: Callable[[np.ndarray], np.ndarray] | None, y: np.ndarray) -> None:
    """matrix m matrix' for every tile m: (6, 6, slices of channels, tiles, channels of a slice), put in its place in y.

    matrix: (4, 6); y: (N, H, W, C); bias: (C,) or None, activation: both applied on the way.
    """
    images, height, columns = tiling.shape(block)
    slices, channels = tiles.shape[2], tiles.shape[4]
    down = scratch("tiles joined down", (TILE, *tiles.shape[1:]), tiles.dtype)
    out = scratch("tiles joined", (TILE, TILE, *tiles.shape[2:]), tiles.dtype)
    transform(matrix, tiles.reshape(POINTS, -1), down.reshape(TILE, -1))
    transform(matrix, down.reshape(TILE, POINTS, -1), out.reshape(TILE, TILE, -1))
    if bias is not None:
        out += bias.reshape(slices, 1, channels)
    if activation is not None:
        for rows in out:  # some at a time: their copies stay in the cache
            rows[...] = activation(rows)
    there = y[block[0], TILE * block[1].start:TILE * block[1].stop]
    full = images, TILE * height, TILE * columns, y.shape[3]
    whole = there if there.shape == full else scratch("tiles whole", full, y.dtype)
    parts = out.reshape(TILE, TILE, slices, images, height, columns, channels)
    whole.reshape(images, height, TILE, columns, TILE, slices, channels)[...] = parts.transpose(3, 4, 0, 5, 1, 2, 6)
    if whole is not there:
        there[...] = whole[:, :there.shape[1], :there.shape[2]]
