"""Where arrays live: --device cpu is NumPy, --device cuda is CuPy."""
from __future__ import annotations

from types import ModuleType

import numpy as np

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
