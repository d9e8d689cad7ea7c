"""NumPy versions of the kernels: blocked, threaded, memory bounded. Importing this package registers them."""
from engine.kernels.cpu import activations, adam, channels, convolution, matrix_product, moving, pooling  # noqa: F401
from engine.kernels.cpu.memory import keep_freed_memory

keep_freed_memory()
