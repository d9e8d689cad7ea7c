"""ReLU and its gradient on a GPU."""
from __future__ import annotations

from engine.arrays import Array
from engine.kernels.activations import relu, relu_gradient
from engine.kernels.cuda.arrays import c_type, contiguous, empty
from engine.kernels.cuda.launch import blocks, launch
from engine.kernels.cuda.registration import on_cuda
from engine.kernels.normalization import channel_sums

THREADS = 256


@on_cuda(relu)
def _(a: Array) -> Array:
    a = contiguous(a)
    o = empty(a.shape, a)
    launch(f"activations.relu<{c_type(a)}>", blocks(a.size, THREADS), THREADS, (a, o, a.size))
    return o


@on_cuda(relu_gradient)
def _(do: Array, o: Array) -> tuple[Array, Array]:
    do, o = contiguous(do), contiguous(o)
    da = empty(do.shape, do)
    launch(f"activations.relu_gradient<{c_type(do)}>", blocks(do.size, THREADS), THREADS, (do, o, da, do.size))
    return da, channel_sums(da)
