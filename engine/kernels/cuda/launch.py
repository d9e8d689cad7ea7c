"""The one way from the engine to a CUDA kernel: on the GPU, or on the CPU where that stands in for one."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.arrays import Array
from engine.kernels.cuda.arrays import CudaArray, EmulatedArray
from engine.kernels.cuda.signatures import signatures

Extent = int | tuple[int, ...]
MOST_BLOCKS, MOST_THREADS, MOST_SHARED = (2**31 - 1, 2**16 - 1, 2**16 - 1), 1024, 227 << 10  # of compute capability 9.0


def launch(kernel: str, grid: Extent, block: Extent, arguments: Sequence[Any], shared_bytes: int = 0) -> None:
    """Run a kernel, "activations.relu<float>", in `grid` blocks of `block` threads each (x, y, z, or x alone).

    arguments: as the kernel's parameters, arrays of one library for pointers (or None), lists of them for pointers to
    pointers, numbers for the rest, which are converted to the parameters' types. shared_bytes: of DYNAMIC_SHARED.
    Nothing happens in a grid of no blocks.
    Raises KeyError for a kernel that there is not, TypeError and ValueError for arguments that do not fit it.
    """
    file, _, instance = kernel.partition(".")
    if instance not in signatures(file):
        raise KeyError(f"no kernel {kernel}; {file}.cu has {', '.join(signatures(file))}")
    signature = signatures(file)[instance]
    signature.expect(arguments)
    grid, block = _three(grid), _three(block)
    if any(size > most for size, most in zip(grid, MOST_BLOCKS, strict=True)):
        raise ValueError(f"{kernel}: a grid of {grid} blocks; expected at most {MOST_BLOCKS}")
    if not 0 < block[0] * block[1] * block[2] <= MOST_THREADS or shared_bytes > MOST_SHARED:
        raise ValueError(f"{kernel}: a block of {block} threads with {shared_bytes} bytes of shared memory; expected "
                         f"1 to {MOST_THREADS} threads and at most {MOST_SHARED} bytes")
    if 0 in grid:
        return
    arguments = [argument if parameter.is_pointer else parameter.scalar(argument, kernel)
                 for parameter, argument in zip(signature.parameters, arguments, strict=True)]
    if _are_emulated([array for parameter, array in signature.each(arguments)
                      if parameter.is_pointer and array is not None], kernel):
        from engine.kernels.cuda.on_cpu import run
    else:
        from engine.kernels.cuda.on_device import run
    run(signature, grid, block, arguments, shared_bytes)


def blocks(count: int, each: int) -> int:
    """How many blocks of `each` are needed for `count`."""
    return -(-count // each)


def _three(extent: Extent) -> tuple[int, int, int]:
    x, y, z = (*((extent,) if isinstance(extent, int) else extent), 1, 1)[:3]
    return x, y, z


def _are_emulated(arrays: list[Array], kernel: str) -> bool:
    kinds = {type(array) for array in arrays}
    if len(kinds) != 1 or not issubclass(next(iter(kinds)), CudaArray):
        raise TypeError(f"{kernel} was given arrays of {', '.join(sorted(map(str, kinds)))}; expected arrays of CuPy "
                        "alone, or of EmulatedArray alone: move them there first")
    return issubclass(kinds.pop(), EmulatedArray)
