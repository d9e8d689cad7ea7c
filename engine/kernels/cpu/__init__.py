"""NumPy versions of the kernels: blocked, threaded, memory bounded. Importing this package registers them, and changes
nothing else in the process. What a program may want to set once, at its start: `use_threads`, `keep_freed_memory`.
"""
from engine.kernels.cpu import (  # noqa: F401
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
from engine.kernels.cpu.memory import keep_freed_memory
from engine.kernels.cpu.threads import use_threads

__all__ = ["keep_freed_memory", "use_threads"]
