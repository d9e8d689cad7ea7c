"""NumPy versions of the kernels: blocked, threaded, memory bounded. Importing this package registers them."""
from engine.kernels.cpu import channels, convolution, matrix_product, pooling  # noqa: F401
