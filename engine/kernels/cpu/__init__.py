"""NumPy versions of the kernels: blocked, threaded, memory bounded. Importing this package registers them."""
from engine.kernels.cpu import adam, channels, convolution, matrix_product, pooling  # noqa: F401
