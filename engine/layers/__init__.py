"""The layers, one derivation a file."""
from engine.layers.activations import Activation, LeakyReLU, ReLU, Sigmoid, Tanh
from engine.layers.batch_norm import BatchNorm
from engine.layers.conv2d import Conv2D
from engine.layers.dense import Dense
from engine.layers.dropout import Dropout
from engine.layers.pooled_norm import PooledNorm
from engine.layers.pooling import AveragePool, GlobalAveragePool, MaxPool
from engine.layers.reshaping import Flatten, Upsample
from engine.layers.softmax import Softmax
from engine.layers.transposed_conv2d import TransposedConv2D

__all__ = ["Activation", "AveragePool", "BatchNorm", "Conv2D", "Dense", "Dropout", "Flatten", "GlobalAveragePool",
           "LeakyReLU", "MaxPool", "PooledNorm", "ReLU", "Sigmoid", "Softmax", "Tanh", "TransposedConv2D", "Upsample"]
