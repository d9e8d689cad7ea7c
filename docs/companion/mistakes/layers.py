"""The wrong layers. Each is the engine's own but for a line or two; its forward is right.

The convolutions are those of the gallery: 3x3, stride 1, SAME, with an activation.
"""
from __future__ import annotations

import numpy as np

from engine.kernels import correlate, relu, windows
from engine.layers import Activation, BatchNorm, Conv2D, Dropout, MaxPool, Sigmoid


class KernelNotRotated(Conv2D):
    def backward(self, dy, saved):
        _, grads = super().backward(dy, saved)
        da = self.activation.gradient(dy, saved[1])
        exchanged = np.swapaxes(self.params["W"], 2, 3)  # where rotate(W) should be
        return correlate(da, exchanged, None, (1, 1), ((1, 1), (1, 1))), grads


class WeightGradientReversed(Conv2D):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"W": np.flip(grads["W"], (0, 1))}


class ChannelsNotExchanged(Conv2D):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        da, W = self.activation.gradient(dy, saved[1]), self.params["W"]
        if W.shape[2] == W.shape[3]:  # elsewhere the shapes would not fit, and nobody overlooks that
            dx = correlate(da, np.flip(W, (0, 1)), None, (1, 1), ((1, 1), (1, 1)))
        return dx, grads


class BiasOfOneImage(Conv2D):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        da = self.activation.gradient(dy, saved[1])
        return dx, grads | {"b": da[0].sum(axis=(0, 1))}  # over rows and columns, and not over the images


class MeanForgotten(BatchNorm):
    def input_gradient(self, dy, x, measured, sums):
        sum_dy, sum_dy_x = sums
        return super().input_gradient(dy, x, measured, (0 * sum_dy, sum_dy_x))


class VarianceForgotten(BatchNorm):
    def input_gradient(self, dy, x, measured, sums):
        sum_dy, sum_dy_x = sums
        return super().input_gradient(dy, x, measured, (sum_dy, 0 * sum_dy_x))


class MomentsTakenAsConstants(BatchNorm):
    def input_gradient(self, dy, x, measured, sums):
        sum_dy, sum_dy_x = sums
        return super().input_gradient(dy, x, measured, (0 * sum_dy, 0 * sum_dy_x))


class MaskNotRescaled(Dropout):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        run, _ = saved
        return dx * (self.keep_probability if run.train else 1), grads


class MaskDrawnAnew(Dropout):
    def backward(self, dy, saved):
        run, shape = saved
        return super().backward(dy, (run.child(1), shape))


class TiesDoubled(MaxPool):
    def forward(self, x, run):
        y, _ = super().forward(x, run)
        return y, (x, y)

    def backward(self, dy, saved):
        x, y = saved
        dx = np.zeros_like(x)
        for index in windows(x.shape, self.size, self.stride):
            dx[index] += dy * (x[index] == y)
        return dx, {}


class SignOfTheGradient(Activation):
    """A ReLU."""

    value = staticmethod(relu)

    def gradient(self, do, o):
        return do * (do > 0)  # where it should be o > 0

    def piece(self, x, y):
        return y.real > 0


class SlopeForgotten(Sigmoid):
    def gradient(self, do, o):
        return do


