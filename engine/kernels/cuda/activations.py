"""ReLU and its gradient on a GPU."""
from __future__ import annotations

from engine.arrays import Array
from engine.kernels.activations import relu, relu_gradient
from engine.kernels.cuda import channels
from engine.kernels.cuda.arrays import c_type, contiguous, empty
from engine.kernels.cuda.channels import parts_of
from engine.kernels.cuda.launch import blocks, launch
from engine.kernels.cuda.normalization import add_parts
from engine.kernels.cuda.registration import on_cuda

THREADS = 256


@on_cuda(relu)
def _(a: Array) -> Array:
    a = contiguous(a)
    o = empty(a.shape, a)
    launch(f"activations.relu<{c_type(a)}>", blocks(a.size, THREADS), THREADS, (a, o, a.size))
    return o


@on_cuda(relu_gradient)
def _(do: Array, o: Array) -> tuple[Array, Array]:
    do, o, cut = contiguous(do), contiguous(o), parts_of(do)
    da, partial = empty(do.shape, do), empty((cut.parts, cut.channels), do, "float64")
    launch(f"activations.relu_gradient<{c_type(do)}>", cut.grid, channels.THREADS, (do, o, da, partial, *cut.numbers))
    return da, add_parts(partial, do)
