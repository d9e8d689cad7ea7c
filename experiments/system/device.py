"""Where arrays live: --device cpu is NumPy, --device cuda is CuPy.

A network is placed once, where it is built or loaded; from then on its arrays say where others have to go.
"""
from __future__ import annotations

from collections.abc import Callable, Generator
from types import ModuleType
from typing import TypeVar

import numpy as np
from array_api_compat import array_namespace, is_cupy_array
from array_api_compat import device as device_of

from engine.arrays import Array
from engine.doctor.cuda import INSTALL_CUPY
from engine.layer import Layer
from experiments.system.errors import Failure, UsageError

T = TypeVar("T")
Images = tuple[np.ndarray, np.ndarray]


def array_module(device: str) -> ModuleType:
    """numpy or cupy. Raises UsageError, with what to install, where there is no CuPy or no GPU."""
    if device == "cpu":
        return np
    try:
        import cupy
    except ImportError:
        raise UsageError(f"--device cuda needs CuPy: {INSTALL_CUPY}. python -m engine.doctor shows what there is") \
            from None
    try:
        cupy.cuda.runtime.getDeviceCount()
        cupy.zeros(1)
    except Exception as error:  # CuPy raises errors of its own and of the CUDA libraries
        raise UsageError(f"--device cuda: CuPy finds no GPU that works ({error}); --device cpu needs none, "
                         "python -m engine.doctor shows what there is") from None
    return cupy


def free_bytes_of_gpu() -> int:
    """Of the GPU's memory. Raises UsageError as `array_module`."""
    return int(array_module("cuda").cuda.runtime.memGetInfo()[0])


def placed(network: Layer, device: str) -> Layer:
    """The network itself, its parameters and moving averages on the device. Raises UsageError as `array_module`."""
    network.convert(array_module(device).asarray)
    return network


def beside(network: Layer, array: np.ndarray) -> Array:
    """The array where the network's parameters are."""
    parameter = next(iter(network.parameters().values()))
    return array_namespace(parameter).asarray(array, device=device_of(parameter))


def uploading(network: Layer, batches: Callable[[int], Images]) -> Callable[[int], tuple[Array, Array]]:
    """batches(step) with its arrays beside the network.

    For a network on a GPU they are copied on a stream of their own, by the thread that calls: prepared in the
    background, they are there when a step begins, and the kernels of the steps before do not wait for the copy.
    """
    parameter = next(iter(network.parameters().values()))
    if not is_cupy_array(parameter):
        return lambda step: _both(batches(step), lambda array: beside(network, array))
    cupy = array_module("cuda")
    stream = cupy.cuda.Stream(non_blocking=True)

    def upload(step: int) -> tuple[Array, Array]:
        images = batches(step)
        with parameter.device, stream:
            # The memory is that of a batch before, which was freed as soon as the kernels that read it were enqueued.
            stream.wait_event(cupy.cuda.Stream.null.record())
            copied = _both(images, cupy.asarray)
            stream.synchronize()
        return copied

    return upload


def _both(images: Images, function: Callable[[np.ndarray], Array]) -> tuple[Array, Array]:
    x, y = images
    return function(x), function(y)


def within_memory(steps: Generator[T, None, None], batch: int, recompute: bool) -> Generator[T, None, None]:
    """The steps of a training on batches of so many images. Raises Failure where the memory is not enough for one.

    What a step needs grows with the batch, beside what the parameters do: half of it is the estimate of what fits.
    """
    try:
        yield from steps
    except MemoryError as error:  # CuPy's is one
        smaller = f"--batch {batch // 2} may fit, needing about half" if batch >= 4 else "A smaller --side needs less"
        again = "" if recompute else "; --recompute needs about half, too, and more time"
        raise Failure(f"out of memory in a training step with --batch {batch}: {error or 'no more is said'}. "
                      f"{smaller}{again}") from error
