"""Convolutions with 3x3 kernels and stride 1 by Winograd's minimal filtering F(4x4, 3x3): a quarter of the products.

Four outputs in a row, y[i] = sum over u of w[u] d[i + u], are 12 multiplications as they are written. But correlation
is the transpose of a product of polynomials, and that can be had by values: evaluate both factors at some places,
multiply value by value, interpolate. A product of degree 5 = 3 + 2 needs six places, so six multiplications do:

    y = A' [(G w) . (B' d)]        w: 3 numbers, d: 6, y: 4; the dot multiplies 6 numbers by 6, one by one

With places p, one of them oo, where a polynomial's value is its leading coefficient:

    A   row p: 1, p, p^2, p^3 (oo: 0, 0, 0, 1)
    G   row p: 1, p, p^2, divided by the product of p's distances from the other finite places (oo: 0, 0, 1)
    B'  row p: coefficients of the product of x - q over the other finite places q (oo: over all of them)

so that the sum over places of A[p,i] G[p,u] B'[p,j] is 1 where j = i + u and 0 elsewhere. In two dimensions, row by row
and column by column,

    Y = A' [(G W G') . (B' d B)] A        d: a tile of 6x6 pixels, Y: the 4x4 outputs under it

Tiles lie 4 pixels apart and overlap by 2. At each of the 36 places the sum over the input channels makes the dot
a product of matrices, M = V U, V: (tiles, C), U: (C, O): for 16 outputs 36 multiplications in place of 144, a quarter.
The transforms cost the same for every channel, however many there are on the other side: from some 16 channels on both
sides they are well spent (see ../convolution.py).

The gradient w.r.t. the input is a correlation, too. That w.r.t. the kernel is the transpose of the map from W to Y, and
transposed, the matrices change sides: Z = A da A' for a tile's 4x4 gradients, dU = V' Z summed over all tiles at each
place, dW = G' dU G.

Rounding. Intermediate results are larger than the final ones and cancel, which costs digits; how many, the places
decide. With 0, 1, -1, 2, -2, oo, which are usual because their matrices have many zeros, the root mean square error in
float32 is 1.7e-6 of the outputs' (64 channels, normal numbers), with those below 0.8e-6, and the largest error a
quarter. Zeros would save nothing here, since the transforms are matrix products. Against float64, on normal numbers,
the largest error is 1e-6 to 4e-6 of the largest result in the layers of the VGG and the U-net, forward and both
gradients; computed directly it is 7e-7 at most. Of the gradient of a whole training step (all kernels, batch of 4) the
error is 0.6 % (VGG) and 1.5 % (U-net) of its length, directly 0.1 % and 1.2 %: most of it comes from ReLUs and maxima
that lie within rounding of their kinks (benchmarks/rounding.py).

The error is one of the tile, not of the output. Every output of a tile is made of all of its 36 pixels, and those that
do not lie under the kernel cancel but to rounding: a huge pixel leaves traces in all outputs of the tiles that read it,
up to four of 16, also where directly computed it plays no part. Measured: a pixel of 1e4 among normal numbers, weights
up to 0.2 (64 channels): errors up to 2e-3, root mean square 3e-4, in outputs of the size of 1 whose error is 1e-6
without it; 1e-6 of pixel times weight. All other tiles keep their bits. A kernel's gradient has it in the channel of
that pixel only, where the pixel counts anyway: 0.1 of 4e4, directly 0.04.

Blocks. Where the kernel is small, U is computed once and a block of tiles goes through all the steps while it lies in
the cache. Where it is large (512 channels: 9 million numbers in U), the kernel is cut instead: all tiles of a group of
images are transformed first; then every slice of 64 output channels is transformed, multiplied and transformed back on
its own. Slices also keep every product so small that OpenBLAS computes it without first rearranging its factors, a
quarter faster. The partition and the order of all sums depend on the shapes alone.

Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016; Winograd, "Arithmetic complexity of
computations", 1980; on the places, Barabasz et al., "Error analysis and improving the accuracy of Winograd convolution
for deep neural networks", 2020.
"""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.arrays import Array
from engine.kernels.convolution import Pair, output_size
from engine.kernels.cpu.threads import blocks, parallel, run, scratch
from engine.kernels.cpu.winograd.tiles import POINTS, SMALL_PRODUCT, Block, Tiling, contiguous, cut, join
from engine.kernels.cpu.winograd.transforms import AT, BT, transform_back, transform_kernel

# Channels that go through a product together.
SLICE = 64
# A kernel of more pairs of channels than this is cut into slices; U of a smaller one is read again for every block.
SMALL_KERNEL = 1 << 15
# Numbers of V or M of one of the 36 places, for a block that stays in a core's cache. The kernel's gradient, whose sum
# is read and written once a block, is better off with larger ones.
BLOCK = 1 << 14
GRADIENT_BLOCK = 1 << 14
# Tiles transformed by one job, and all tiles that are transformed before the first slice of the kernel.
CUT = 32
GROUP_BYTES = 32 << 20
# A small kernel's gradient is summed in this many parts, whatever the number of threads.
PARTS = 8


def takes(*arrays: np.ndarray) -> bool:
    """Whether all have one dtype that this works in: float32 or float64."""
    return arrays[0].dtype in (np.float32, np.float64) and all(array.dtype == arrays[0].dtype for array in arrays)


def tiling_of(shape: tuple[int, ...], padding: tuple[Pair, Pair]) -> Tiling:
    """The tiles of the output for x: shape (N, H, W, C)."""
    height, width = (output_size(shape[1 + axis], 3, 1, padding[axis]) for axis in (0, 1))
    return Tiling(shape[0], height, width)


def transformed_kernel(kernel: np.ndarray) -> np.ndarray:
    """U of all slices of a kernel (3, 3, C, O), for `correlate`: (6, 6, slices, C, outputs of a slice), a new array."""
    parts = _slices(kernel.shape[3])
    U = np.empty((POINTS, POINTS, len(parts), kernel.shape[2], _width(parts)), kernel.dtype)
    _transform_slices(kernel, U)
    return U


def _transform_slices(kernel: np.ndarray, U: np.ndarray) -> None:
    parts = _slices(kernel.shape[3])
    run(lambda k: transform_kernel(kernel[..., parts[k]], U[:, :, k]), range(len(parts)))


def correlate(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray | None, padding: tuple[Pair, Pair],
              activation: Callable[[np.ndarray], np.ndarray] | None = None,
              U: np.ndarray | None = None) -> np.ndarray:
    """`engine.kernels.correlate` for a 3x3 kernel and stride 1; all arrays of one dtype, float32 or float64.

    U: `transformed_kernel` of the kernel, where it is kept; the result has the same bits.
    """
    x = contiguous(x)
    channels, outputs = kernel.shape[2:]
    tiling = tiling_of(x.shape, padding)
    y = np.empty((tiling.images, tiling.height, tiling.width, outputs), x.dtype)
    bt, at = BT.astype(x.dtype), AT.astype(x.dtype)
    parts = _slices(outputs)

    def transformed(block: Block, V: np.ndarray) -> np.ndarray:
        cut(x, bt, (-padding[0][0], -padding[1][0]), tiling, block, V)
        return V

    def outputs_of(block: Block, V: np.ndarray, U: np.ndarray, bias: np.ndarray | None,
                   y: np.ndarray) -> None:
        M = scratch("winograd M", (*U.shape[:3], V.shape[3], U.shape[4]), x.dtype)
        _multiply(V, U, M)
        join(M, at, tiling, block, bias, activation, y)

    if channels * outputs <= SMALL_KERNEL:
        if U is None:
            U = scratch("winograd whole U", (POINTS, POINTS, len(parts), channels, _width(parts)), x.dtype)
            _transform_slices(kernel, U)

        def job(block: Block) -> None:
            V = scratch("winograd V", (POINTS, POINTS, 1, tiling.count(block), channels), x.dtype)
            outputs_of(block, transformed(block, V), U, bias, y)

        run(job, tiling.jobs(BLOCK // max(channels, outputs)))
        return y

    for group in tiling.blocks(_group_size(channels, x.itemsize)):
        V = scratch("winograd whole V", (POINTS, POINTS, 1, tiling.count(group), channels), x.dtype)

        def cut_job(job: tuple[Block, slice], V: np.ndarray = V) -> None:
            transformed(job[0], V[:, :, :, job[1]])

        def slice_job(k: int, V: np.ndarray = V, group: Block = group) -> None:
            part = parts[k]
            if U is None:
                mine = scratch("winograd U", (POINTS, POINTS, 1, channels, _width(parts)), x.dtype)
                transform_kernel(kernel[..., part], mine[:, :, 0])
            else:
                mine = U[:, :, k:k + 1]
            for block, tiles in tiling.numbered(BLOCK // SLICE, group):
                outputs_of(block, V[:, :, :, tiles], mine, None if bias is None else bias[part], y[..., part])

        run(cut_job, tiling.numbered(CUT, group))
        run(slice_job, range(len(parts)))
    return y


def kernel_gradient(x: np.ndarray, da: np.ndarray, padding: tuple[Pair, Pair]) -> np.ndarray:
    """`engine.kernels.correlate_kernel_gradient` for a 3x3 kernel and stride 1; both arrays float32 or both float64."""
    x, da = contiguous(x), contiguous(da)
    channels, outputs = x.shape[3], da.shape[3]
    tiling = tiling_of(x.shape, padding)
    bt, a = BT.astype(x.dtype), np.ascontiguousarray(AT.T, x.dtype)
    dW = np.empty((3, 3, channels, outputs), x.dtype)
    rows, columns = _slices(channels), _slices(outputs)
    pairs = [(i, j) for i in range(len(rows)) for j in range(len(columns))]

    def buffers(name: str, block: Block) -> tuple[np.ndarray, np.ndarray]:
        tiles = tiling.count(block)
        return (scratch(f"winograd {name} V", (POINTS, POINTS, len(rows), tiles, _width(rows)), x.dtype),
                scratch(f"winograd {name} Z", (POINTS, POINTS, len(columns), tiles, _width(columns)), x.dtype))

    def transformed(block: Block, V: np.ndarray, Z: np.ndarray) -> None:
        cut(x, bt, (-padding[0][0], -padding[1][0]), tiling, block, V)
        cut(da, a, (0, 0), tiling, block, Z)

    def put(pair: tuple[int, int], dU: np.ndarray, first: bool) -> None:
        place = dW[:, :, rows[pair[0]], columns[pair[1]]]
        gradient = transform_back(dU)
        np.copyto(place, gradient if first else place + gradient)

    if channels * outputs <= SMALL_KERNEL:
        def part(mine: list[Block]) -> Array:
            dU: Array = None
            for block in mine:
                V, Z = buffers("block", block)
                transformed(block, V, Z)
                dU = _multiply_transposed(V, Z, dU)
            return dU

        every = tiling.jobs(GRADIENT_BLOCK // max(channels, outputs))
        dU, *dUs = parallel(part, [every[i::PARTS] for i in range(min(PARTS, len(every)))])
        for other in dUs:
            dU += other
        for pair in pairs:
            put(pair, dU[:, :, pair[0], pair[1]], True)
        return dW

    for n, group in enumerate(tiling.blocks(_group_size(channels + outputs, x.itemsize))):
        V, Z = buffers("whole", group)

        def cut_job(job: tuple[Block, slice], V: np.ndarray = V, Z: np.ndarray = Z) -> None:
            transformed(job[0], V[:, :, :, job[1]], Z[:, :, :, job[1]])

        def pair_job(pair: tuple[int, int], n: int = n, V: np.ndarray = V, Z: np.ndarray = Z) -> None:
            i, j = pair
            dU = _multiply_transposed(V[:, :, i:i + 1], Z[:, :, j:j + 1], None)
            put(pair, dU[:, :, 0, 0], n == 0)

        run(cut_job, tiling.numbered(CUT, group))
        run(pair_job, pairs)
    return dW


def _slices(channels: int) -> list[slice]:
    """Slices of SLICE channels; all channels in one where that leaves a rest."""
    return blocks(channels, SLICE if channels % SLICE == 0 else channels)


def _width(slices: list[slice]) -> int:
    return slices[0].stop


def _group_size(channels: int, itemsize: int) -> int:
    return max(1, GROUP_BYTES // (POINTS * POINTS * channels * itemsize))


def _multiply(V: np.ndarray, U: np.ndarray, M: np.ndarray) -> None:
    """M = V U. V: (6, 6, 1, tiles, C), U: (6, 6, slices, C, outputs of a slice), M: (6, 6, slices, tiles, outputs)."""
    tiles = V.shape[3]
    products = -(-tiles * U.shape[3] * U.shape[4] // SMALL_PRODUCT)
    step = -(-tiles // products)
    for some in (slice(0, tiles // step * step), slice(tiles // step * step, tiles)):
        if some.start < some.stop:
            v, m = (array[:, :, :, some] for array in (V, M))
            v, m = (array.reshape(*array.shape[:3], -1, min(step, array.shape[3]), array.shape[4]) for array in (v, m))
            np.matmul(v, U[:, :, :, None], out=m)


def _multiply_transposed(V: np.ndarray, Z: np.ndarray, dU: np.ndarray | None) -> np.ndarray:
    """dU + V' Z (dU is overwritten), V' Z where dU is None. V: (6, 6, slices, tiles, channels of a slice), Z likewise.

    dU: (6, 6, slices of V, slices of Z, channels, channels).
    """
    V, Z = V.transpose(0, 1, 2, 4, 3)[:, :, :, None], Z[:, :, None]

    def product(tiles: slice, out: np.ndarray | None) -> np.ndarray:
        return np.matmul(V[..., tiles], Z[..., tiles, :], out=out)

    first, *others = blocks(V.shape[5], max(1, SMALL_PRODUCT // (V.shape[4] * Z.shape[5])))
    if dU is None:
        dU = product(first, None)
    else:
        dU += product(first, scratch("winograd dU", dU.shape, dU.dtype))
    for tiles in others:
        dU += product(tiles, scratch("winograd dU", dU.shape, dU.dtype))
    return dU
