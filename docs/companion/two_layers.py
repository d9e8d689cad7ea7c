"""The network of the first two chapters: two samples, three inputs, three hidden neurons, two outputs.

The samples are the first two rows of the running example's image, three columns of them; the first layer's weights are
its kernel, read as a matrix. Every number of both passes is a whole one.
"""
import numpy as np

from companion.running_example import BIAS, IMAGE, KERNEL
from engine.combinators import Chain
from engine.layer import assign
from models.mlp import mlp

X = IMAGE[:2, :3].copy()  # (N, I) = (2, 3): a sample is a row
W_1 = KERNEL.copy()  # (I, hidden) = (3, 3)
B_1 = np.full(3, BIAS)
W_2 = np.array([[1, -1],
                [0, 2],
                [-1, 1]], "float64")  # (hidden, O) = (3, 2)
B_2 = np.array([0, 1], "float64")
TARGET = np.array([[2, -1],
                   [3, 4]], "float64")  # (N, O), for least squares


def two_layers() -> Chain:
    """ReLU behind the first layer, none behind the second; float64."""
    network = mlp([3, 3, 2], rng=np.random.default_rng(0), dtype="float64")
    assign(network, {"dense_1.W": W_1, "dense_1.b": B_1, "dense_2.W": W_2, "dense_2.b": B_2})
    return network
