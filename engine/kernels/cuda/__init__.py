"""TODO"""
from engine.kernels.cuda import activations, convolution, resampling  # noqa: F401
from engine.kernels.cuda.registration import leave_to_definitions

__all__ = ["leave_to_definitions"]
