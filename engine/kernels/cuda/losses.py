"""The losses' sums on a GPU."""
from __future__ import annotations

from engine.arrays import Array
from engine.kernels.cuda.arrays import c_type, contiguous, empty
from engine.kernels.cuda.channels import THREADS, parts_of
from engine.kernels.cuda.launch import blocks, launch
from engine.kernels.cuda.normalization import add_parts
from engine.kernels.cuda.registration import on_cuda
from engine.kernels.losses import error_sums, logistic_loss, overlap_sums, sigmoids, softmax_loss


@on_cuda(overlap_sums)
def _(p: Array, y: Array) -> tuple[Array, ...]:
    return _four_sums("overlap_sums", p, y)


@on_cuda(error_sums)
def _(p: Array, y: Array) -> tuple[Array, ...]:
    return _four_sums("error_sums", p, y)


def _four_sums(kernel: str, p: Array, y: Array) -> tuple[Array, ...]:
    p, y = contiguous(p), contiguous(y)
    cut = parts_of(p.reshape(-1, 1))
    partial = empty((cut.parts, 4), p, "float64")
    launch(f"losses.{kernel}<{c_type(p)}>", cut.grid, THREADS, (p, y, partial, cut.rows, cut.rows_of_part))
    sums = add_parts(partial, p)
    return tuple(sums[k, ...] for k in range(4))


@on_cuda(sigmoids)
def _(z: Array) -> tuple[Array, Array]:
    p, q = empty(z.shape, z), empty(z.shape, z)
    launch(f"losses.sigmoids<{c_type(z)}>", blocks(z.size, THREADS), THREADS, (contiguous(z), p, q, z.size))
    return p, q


@on_cuda(logistic_loss)
def _(z: Array, y: Array, omega: float) -> tuple[Array, Array]:
    z, y = contiguous(z), contiguous(y)
    cut = parts_of(z.reshape(-1, 1))
    gradient, partial = empty(z.shape, z), empty((cut.parts, 1), z, "float64")
    launch(f"losses.logistic_loss<{c_type(z)}>", cut.grid, THREADS,
           (z, y, gradient, partial, cut.rows, cut.rows_of_part, omega))
    return add_parts(partial, z)[0, ...], gradient


@on_cuda(softmax_loss)
def _(z: Array, y: Array) -> tuple[Array, Array]:
    z, y = contiguous(z), contiguous(y)
    cut = parts_of(z[..., :1])
    gradient, partial = empty(z.shape, z), empty((cut.parts, 1), z, "float64")
    launch(f"losses.softmax_loss<{c_type(z)}>", cut.grid, THREADS,
           (z, y, gradient, partial, cut.rows, cut.rows_of_part, z.shape[-1]))
    return add_parts(partial, z)[0, ...], gradient
