"""Where arrays live: --device cpu is NumPy, --device cuda is CuPy.

A network is placed once, where it is built or loaded; from then on its arrays say where others have to go.
"""
from __future__ import annotations

from types import ModuleType

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of

from engine.arrays import Array
from engine.layer import Layer
from experiments.system.errors import UsageError


def array_module(device: str) -> ModuleType:
    """numpy or cupy. Raises UsageError, with what to install, where there is no CuPy or no GPU."""
    if device == "cpu":
        return np
    try:
        import cupy
    except ImportError:
        raise UsageError('--device cuda needs CuPy: pip install -e ".[cuda]"') from None
    try:
        cupy.cuda.runtime.getDeviceCount()
        cupy.zeros(1)
    except Exception as error:  # CuPy raises errors of its own and of the CUDA libraries
        raise UsageError(f"--device cuda: CuPy finds no GPU that works ({error}); --device cpu needs none") from None
    return cupy


def placed(network: Layer, device: str) -> Layer:
    """The network itself, its parameters and moving averages on the device. Raises UsageError as `array_module`."""
    network.convert(array_module(device).asarray)
    return network


def beside(network: Layer, array: np.ndarray) -> Array:
    """The array where the network's parameters are."""
    parameter = next(iter(network.parameters().values()))
    return array_namespace(parameter).asarray(array, device=device_of(parameter))
