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

The gradient w.r.t. the input is a correlation, too: dx = da * W~, W~ the rotated kernel. That w.r.t. the kernel is the
transpose of a map from the kernel to the outputs, and transposed, the matrices change sides. Of the map from W to Y it
would need tiles of x and of da, transformed for it alone. But the map from W~ to dx is as good: the sum of x . dx is
the same number as the sum of W . dW for every W, so that dW, rotated, is the transpose of that map, applied to x. The
transformed tiles of da, V, then serve both gradients, in one walk:

    dx = A' [V U~] A        dW~ = G' [sum over tiles of Z' V] G        V = B' da B, Z = A x A', x: its 4x4 under a tile

(dW~ with in and out as in W).

Rounding. Intermediate results are larger than the final ones and cancel, which costs digits; how many, the places
decide. With 0, 1, -1, 2, -2, oo, which are usual because their matrices have many zeros, the root mean square error in
float32 is 1.7e-6 of the outputs' (64 channels, normal numbers), with those below 0.8e-6, and the largest error a
quarter. Zeros would save nothing here, since the transforms are matrix products. Against float64, on normal numbers,
the largest error is 1e-6 to 4e-6 of the largest result in the layers of the VGG and the U-net, forward and both
gradients; computed directly it is 7e-7 at most. Behind a ReLU, where x is positive and the powers in Z add up, a
kernel's gradient has a root mean square error of 1.3e-6 to 1.7e-6; with x and da exchanged, tiles of x by B' and of da
by A, it would be 0.9e-6 to 1.1e-6. Of the gradient of a whole training step (all kernels, batch of 4) the error is 0.4
% (VGG) and 1.7 % (U-net) of its length, directly 0.3 % and 1.1 %: most of it comes from ReLUs and maxima that lie
within rounding of their kinks (benchmarks/rounding.py).

The error is one of the tile, not of the output. Every output of a tile is made of all of its 36 pixels, and those that
do not lie under the kernel cancel but to rounding: a huge pixel leaves traces in all outputs of the tiles that read it,
up to four of 16, also where directly computed it plays no part. Measured: a pixel of 1e4 among normal numbers, weights
up to 0.2 (64 channels): errors up to 2e-3, root mean square 3e-4, in outputs of the size of 1 whose error is 1e-6
without it; 1e-6 of pixel times weight. All other tiles keep their bits. A kernel's gradient has it in the channel of
that pixel only, where the pixel counts anyway: 0.1 of 4e4, directly 0.04.

Blocks. Where the kernel is small, U is computed once and a block of tiles goes through all the steps: see small.py.
Where it is large (512 channels: 9 million numbers in U), the kernel is cut instead: see large.py, and few_tiles.py
where there is little else. The partition and the order of all sums depend on the shapes and on the BLAS library's
kernel for this processor alone (see products.py).

Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016; Winograd, "Arithmetic complexity of
computations", 1980; on the places, Barabasz et al., "Error analysis and improving the accuracy of Winograd convolution
for deep neural networks", 2020.
"""
from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np

from engine.kernels.convolution import Pair, output_size
from engine.kernels.cpu.winograd import few_tiles, large, small
from engine.kernels.cpu.winograd.products import width
from engine.kernels.cpu.winograd.tiles import POINTS, Tiling, contiguous
from engine.kernels.cpu.winograd.transforms import transform_whole

# A kernel of at most so many pairs of channels is small; for both gradients together U and dU have to be near.
SMALL_KERNEL, SMALL_FOR_BOTH = 1 << 15, 1 << 14
# So many tiles are few.
FEW_TILES = 128


def takes(*arrays: np.ndarray) -> bool:
    """Whether all have one dtype that this works in: float32 or float64."""
    return arrays[0].dtype in (np.float32, np.float64) and all(array.dtype == arrays[0].dtype for array in arrays)


def tiling_of(shape: tuple[int, ...], padding: tuple[Pair, Pair]) -> Tiling:
    """The tiles of the output for x: shape (N, H, W, C)."""
    height, width = (output_size(shape[1 + axis], 3, 1, padding[axis]) for axis in (0, 1))
    return Tiling(shape[0], height, width)


def transformed_kernel(kernel: np.ndarray) -> np.ndarray:
    """U of a kernel (3, 3, C, O), for `correlate`: (6, 6, slices, C, outputs of a slice), a new array."""
    channels, outputs = kernel.shape[2:]
    U = np.empty((POINTS, POINTS, outputs // width(outputs), channels, width(outputs)), kernel.dtype)
    transform_whole(kernel, U)
    return U


def correlate(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray | None, padding: tuple[Pair, Pair],
              activation: Callable[[np.ndarray], np.ndarray] | None = None,
              U: np.ndarray | None = None) -> np.ndarray:
    """`engine.kernels.correlate` for a 3x3 kernel and stride 1; all arrays of one dtype, float32 or float64.

    U: `transformed_kernel` of the kernel, where it is kept.
    """
    tiling = tiling_of(x.shape, padding)
    y = np.empty((tiling.images, tiling.height, tiling.width, kernel.shape[3]), x.dtype)
    way = _way(kernel.shape, tiling, SMALL_KERNEL)
    way.correlate(contiguous(x), kernel, U, bias, activation, _start(padding), tiling, y)
    return y


def kernel_gradient(x: np.ndarray, da: np.ndarray, padding: tuple[Pair, Pair]) -> np.ndarray:
    """`engine.kernels.correlate_kernel_gradient` for a 3x3 kernel and stride 1; both arrays float32 or both float64."""
    dW = np.empty((3, 3, x.shape[3], da.shape[3]), x.dtype)
    _gradients(x, da, dW, padding, None, dW)
    return dW


def both_gradients(x: np.ndarray, da: np.ndarray, kernel: np.ndarray,
                   padding: tuple[Pair, Pair]) -> tuple[np.ndarray, np.ndarray]:
    """`engine.kernels.gradients_together`, dx and dW; all arrays of one dtype, float32 or float64.

    dW has the bits of `kernel_gradient`, and dx those of da correlated with the rotated kernel.
    """
    dx, dW = np.empty(x.shape, x.dtype), np.empty(kernel.shape, x.dtype)
    _gradients(x, da, kernel, padding, dx, dW)
    return dx, dW


def _gradients(x: np.ndarray, da: np.ndarray, kernel: np.ndarray, padding: tuple[Pair, Pair], dx: np.ndarray | None,
               dW: np.ndarray) -> None:
    around = padding_back(x.shape, da.shape, padding)
    tiling, rotated, rotated_dW = tiling_of(da.shape, around), kernel[::-1, ::-1].swapaxes(2, 3), dW[::-1, ::-1]
    way = _way(kernel.shape, tiling, SMALL_FOR_BOTH)
    way.gradients(contiguous(da), rotated, contiguous(x), _start(around), tiling, dx, rotated_dW)


def padding_back(shape: tuple[int, ...], back: tuple[int, ...], padding: tuple[Pair, Pair]) -> tuple[Pair, Pair]:
    """The zeros around da, of shape `back`, for (3.41), where x: `shape` had those of `padding` around."""
    (top, bottom), (left, right) = ((2 - before, size - back_size + before) for size, back_size, (before, _)
                                    in zip(shape[1:3], back[1:3], padding, strict=True))
    return (top, bottom), (left, right)


def _start(padding: tuple[Pair, Pair]) -> Pair:
    """Where the first tile begins."""
    return -padding[0][0], -padding[1][0]


def _way(kernel: tuple[int, ...], tiling: Tiling, small_kernel: int) -> ModuleType:
    if kernel[2] * kernel[3] <= small_kernel:
        return small
    return few_tiles if tiling.count(tiling.whole) <= FEW_TILES else large
