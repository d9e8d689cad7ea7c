"""The few array operations that must be fast.

Each is a `functools.singledispatch` function whose default is its definition: it runs on any array library and reads
like the formula. `cpu` registers NumPy versions, `cuda` versions for CuPy arrays, which where there is none run through
the definition. The tests hold every registered version against the definition: `correlate.registry` names them.
"""
from engine.kernels import cpu, cuda  # noqa: F401
from engine.kernels.activations import relu, relu_gradient
from engine.kernels.adam import adam_update, adam_update_all
from engine.kernels.complex_step import real
from engine.kernels.convolution import correlate, correlate_kernel_gradient, gradients_together, output_size
from engine.kernels.joining import add, concatenate
from engine.kernels.losses import error_sums, logistic_loss, overlap_sums, sigmoids, softmax_loss
from engine.kernels.matrix_product import matrix_product
from engine.kernels.normalization import (
    batch_moments,
    channel_sums,
    combine,
    combine_pooled,
    gradient_sums,
    scale_and_shift,
)
from engine.kernels.pooling import max_pool, max_pool_gradient, windows
from engine.kernels.random import uniform
from engine.kernels.resampling import upsample, upsample_gradient

__all__ = ["adam_update", "adam_update_all", "add", "batch_moments", "channel_sums", "combine", "combine_pooled",
           "concatenate", "correlate", "correlate_kernel_gradient", "error_sums", "gradient_sums", "gradients_together",
           "logistic_loss", "matrix_product", "max_pool", "max_pool_gradient", "output_size", "overlap_sums", "real",
           "relu", "relu_gradient", "scale_and_shift", "sigmoids", "softmax_loss", "uniform", "upsample",
           "upsample_gradient", "windows"]

cuda.leave_to_definitions(list(vars().values()))
