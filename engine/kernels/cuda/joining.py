"""What a shortcut does with two tensors, on a GPU."""
from __future__ import annotations

from engine.arrays import Array
from engine.kernels.cuda.arrays import c_type, contiguous, empty
from engine.kernels.cuda.channels import THREADS, parts_of
from engine.kernels.cuda.launch import blocks, launch
from engine.kernels.cuda.registration import on_cuda
from engine.kernels.joining import add, concatenate


@on_cuda(concatenate)
def _(a: Array, b: Array) -> Array:
    a, b = contiguous(a), contiguous(b)
    y = empty((*a.shape[:-1], a.shape[-1] + b.shape[-1]), a)
    parts = parts_of(y)
    launch(f"joining.concatenate<{c_type(a)}>", parts.grid, THREADS,
           (a, b, y, parts.rows, parts.rows_of_part, a.shape[-1], b.shape[-1]))
    return y


@on_cuda(add)
def _(a: Array, b: Array) -> Array:
    a, b = contiguous(a), contiguous(b)
    total = empty(a.shape, a)
    launch(f"joining.add<{c_type(a)}>", blocks(a.size, THREADS), THREADS, (a, b, total, a.size))
    return total
