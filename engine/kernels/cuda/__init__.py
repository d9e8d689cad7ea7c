"""CUDA versions of the kernels, through CuPy on a GPU; on a machine without one the same text runs on the CPU.

Importing this package imports nothing of CuPy. A launcher is registered for `CudaArray`, which CuPy's arrays are, and
`EmulatedArray`, a NumPy array that stands in for one: `relu(emulated(x))` compiles the kernel with g++ and runs it
thread by thread (on_cpu/). There is no device to choose and no flag: the type of the arrays decides.
Products of float32 arrays are computed in float32; precision.py has TF32 for those who ask for it.

To add a kernel:

1. The text, CUDA C++ in `<file>.cu` here, one idea a file: a `__global__` function, a template over float and double
   where that costs nothing, and below it a line for every instance that there shall be:

       template <typename T> __global__ void relu(const T* __restrict__ a, T* __restrict__ o, long long count) { ... }
       INSTANTIATE(relu<float>)  // registers: 16

   The number is a ceiling, a test holds NVRTC's to it. Parameters are pointers and numbers of the types in
   signatures.py (or a template's parameter); what is only read is const: it may be passed to other kernels at the same
   time, and the checks are cheaper. Indices of numbers are long long where an array may have more than 2^31.
   Shared memory: SHARED(float, tile, [32][33]); or DYNAMIC_SHARED(float, memory), whose size the launch gives.
   cp_async, to_tf32 and mma_tf32 stand in prelude.cuh with what they demand; whatever else of CUDA a kernel uses must
   be in on_cpu/emulator.h, too: add it there in the same words. No inline PTX and no #include in kernel files; device
   functions that several of them use are for common.cuh: Rows and add_slots for all that goes over channels, one order
   of sums included; normalization.add_parts launches what adds up the parts.
   A parameter T* const* is a table of arrays: the launch gives a list of them (adam.cu).
   max(NaN, 0) is 0 in CUDA and NaN in the definitions: write a < 0 ? 0 : a.
   Only __syncthreads and __syncwarp order accesses to memory; shuffles and mma do not.

2. The launcher, in `<file>.py` here (import it below), with the signature of the kernel in engine.kernels:

       @on_cuda(relu)
       def _(a):
           a = contiguous(a)
           o = empty(a.shape, a)
           launch(f"activations.relu<{c_type(a)}>", blocks(a.size, THREADS), THREADS, (a, o, a.size))
           return o

   It is given arrays that are all float32 or all float64 (uint8 beside them: places of maxima), also in lists, of any
   strides; everything else goes to the definition, as do kernels without a launcher. What has no numbers is no special
   case: a grid of 0 blocks is not launched. Arrays that are overwritten (Adam's) must not be copied by `contiguous`:
   give them to the definition where they are not contiguous. Code around the launch is array code as in the
   definitions. One instance or another is chosen in Python, by shapes.

3. The cases, in tests/engine/kernels/cuda/cases/<file>.py: what the launcher shall be called with, small (some thousand
   threads), odd, with tails, of more than one block, so that every instance in the file is launched: a test counts.
   Each is held to the definition in all orders of threads, and every access to memory is checked (on_cpu/). Below them,
   PLANTED: the lines of the kernel that could be wrong (a bound, a barrier, an index), in its file or in common.cuh,
   each broken once, and a pattern of what is to be reported (LINE in it: where the broken text stands).
   To look at one alone:

       with emulating("shuffled", seed=3, checked=True):
           relu(emulated(x))                     # KernelError names the lines of every race

       python -m pytest tests/engine/kernels/cuda    # needs g++; with the wheels of NVRTC it compiles for GPUs, too
"""
from engine.kernels.cuda import (  # noqa: F401
    activations,
    adam,
    convolution,
    joining,
    losses,
    matrix_product,
    normalization,
    pooling,
    random,
    resampling,
)
from engine.kernels.cuda.registration import leave_to_definitions

__all__ = ["leave_to_definitions"]
