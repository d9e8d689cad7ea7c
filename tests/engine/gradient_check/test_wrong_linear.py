"""Wrong backwards of dense and convolutional layers, each of which every check must catch."""
import numpy as np
import pytest

from engine.kernels import channel_sums, correlate, correlate_kernel_gradient
from engine.layers import Conv2D, Dense, LeakyReLU, ReLU, Tanh, TransposedConv2D
from engine.layers.conv2d import dilate, input_gradient, rotate

IMAGES, FLAT = (2, 4, 6, 2), (4, 6)


def conv(cls=Conv2D, channels=(2, 3), **how):
    return cls(*channels, **how, rng=np.random.default_rng(0), dtype="float64")


def dense(cls=Dense, sizes=(6, 3), activation=None):
    return cls(*sizes, activation, rng=np.random.default_rng(0), dtype="float64")


class KernelNotRotated(Conv2D):
    def backward(self, dy, saved):
        _, grads = super().backward(dy, saved)
        return input_gradient(dy, self.params["W"][::-1, ::-1], saved[0].shape, (1, 1), ((1, 1), (1, 1))), grads


class ChannelsNotExchanged(Conv2D):
    def backward(self, dy, saved):
        _, grads = super().backward(dy, saved)
        return correlate(dy, np.flip(self.params["W"], (0, 1)), None, (1, 1), ((1, 1), (1, 1))), grads


class KernelGradientRotated(Conv2D):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"W": grads["W"][::-1, ::-1]}


class StrideForgotten(Conv2D):
    def backward(self, dy, saved):
        _, grads = super().backward(dy, saved)
        height, width = saved[0].shape[1:3]
        undilated = correlate(dy, rotate(self.params["W"]), None, (1, 1), ((1, height - dy.shape[1] + 1),
                                                                           (1, width - dy.shape[2] + 1)))
        return undilated, grads


class PaddingOffByOne(Conv2D):
    def backward(self, dy, saved):
        _, grads = super().backward(dy, saved)
        return input_gradient(dy, self.params["W"], saved[0].shape, (1, 1), ((0, 2), (1, 1))), grads


class KernelGradientWithoutPadding(Conv2D):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        shifted = correlate_kernel_gradient(saved[0], dy, self.kernel_size, (1, 1), ((0, 2), (0, 2)))
        return dx, grads | {"W": shifted}


class BiasSummedOverWrongAxes(Conv2D):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"b": dy[0].sum((0, 1))}


class BiasGradientAveraged(Conv2D):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"b": dy.mean((0, 1, 2))}


class FusedActivationForgotten(Conv2D):
    def backward(self, dy, saved):
        return super().backward(dy, (saved[0], np.ones_like(saved[1])))


class DenseProductOfInputs(Dense):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"W": np.ones_like(saved[0]).T @ dy}


class KernelRotatedSideways(Conv2D):
    def backward(self, dy, saved):
        _, grads = super().backward(dy, saved)
        mirrored = self.params["W"][::-1].swapaxes(2, 3)
        return correlate(dy, np.ascontiguousarray(mirrored), None, (1, 1), ((1, 1), (1, 1))), grads


class KernelGradientExchanged(Conv2D):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"W": grads["W"].swapaxes(2, 3)}


class BorderWrapsRound(Conv2D):
    """dx as if the image went on at its other side."""

    def backward(self, dy, saved):
        _, grads = super().backward(dy, saved)
        W = self.params["W"]
        return sum(np.roll(dy @ W[u, v].T, (u - 1, v - 1), (1, 2)) for u in range(3) for v in range(3)), grads


class BorderForgotten(Conv2D):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        inside = np.zeros_like(dx)
        inside[:, 1:-1, 1:-1] = dx[:, 1:-1, 1:-1]
        return inside, grads


class ZerosBehindTheirPixel(Conv2D):
    """Stride: the zeros that belong between the pixels of dy, one place off."""

    def backward(self, dy, saved):
        _, grads = super().backward(dy, saved)
        off = np.roll(dilate(dy, self.stride), 1, axis=2)
        shape = saved[0].shape
        right = input_gradient(off, self.params["W"], shape, (1, 1), ((0, 1), (0, 1)))
        return right, grads


class SlopeFromTheGradient(Conv2D):
    def backward(self, dy, saved):
        return super().backward(dy, (saved[0], dy))


class BatchEntryForgotten(Conv2D):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        x, o = saved
        first = super().backward(dy[:1], (x[:1], o))[1]
        return dx, grads | {"W": first["W"]}


class TransposedKernelGradient(TransposedConv2D):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"W": grads["W"][:, ::-1]}


class TransposedBiasOfInput(TransposedConv2D):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"b": grads["b"] / np.prod(self.stride)}


class DenseNotTransposed(Dense):
    def backward(self, dy, saved):
        _, grads = super().backward(dy, saved)
        return dy @ self.params["W"], grads


class DenseActivationForgottenInOnePlace(Dense):
    def backward(self, dy, saved):
        _, grads = super().backward(dy, saved)
        return dy @ self.params["W"].T, grads


class DenseActivationTwice(Dense):
    def backward(self, dy, saved):
        return super().backward(self.activation.gradient(dy, saved[1]), saved)


class DenseGradientAveraged(Dense):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, {path: g / len(dy) for path, g in grads.items()}


class DenseLastSampleForgotten(Dense):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"W": saved[0][:-1].T @ dy[:-1]}


class DenseBiasOfOneSample(Dense):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"b": channel_sums(dy[:1])}


class DenseRegularized(Dense):
    """Weight decay in the gradient, and no penalty in forward."""

    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"W": grads["W"] + 1e-2 * self.params["W"]}


class DenseClipped(Dense):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, {path: np.clip(g, -0.5, 0.5) for path, g in grads.items()}


# wrong layer, right layer, shape of x, the rows that must fail
GALLERY = [
    (conv(KernelNotRotated), conv(), IMAGES, {"x"}),
    (conv(ChannelsNotExchanged, (2, 2)), conv(channels=(2, 2)), IMAGES, {"x"}),
    (conv(KernelGradientRotated), conv(), IMAGES, {"W"}),
    (conv(StrideForgotten, stride=2), conv(stride=2), IMAGES, {"x"}),
    (conv(PaddingOffByOne), conv(), IMAGES, {"x"}),
    (conv(KernelGradientWithoutPadding), conv(), IMAGES, {"W"}),
    (conv(BiasSummedOverWrongAxes), conv(), IMAGES, {"b"}),
    (conv(BiasGradientAveraged), conv(), IMAGES, {"b"}),
    (conv(FusedActivationForgotten, activation=ReLU()), conv(activation=ReLU()), IMAGES, {"x", "W", "b"}),
    (conv(KernelRotatedSideways), conv(), IMAGES, {"x"}),
    (conv(KernelGradientExchanged, (2, 2)), conv(channels=(2, 2)), IMAGES, {"W"}),
    (conv(BorderWrapsRound), conv(), IMAGES, {"x"}),
    (conv(BorderForgotten), conv(), IMAGES, {"x"}),
    (conv(ZerosBehindTheirPixel, stride=2), conv(stride=2), IMAGES, {"x"}),
    (conv(SlopeFromTheGradient, activation=LeakyReLU(0.2)), conv(activation=LeakyReLU(0.2)), IMAGES, {"x", "W", "b"}),
    (conv(BatchEntryForgotten), conv(), IMAGES, {"W"}),
    (conv(TransposedKernelGradient, stride=2), conv(TransposedConv2D, stride=2), IMAGES, {"W"}),
    (conv(TransposedBiasOfInput, stride=2), conv(TransposedConv2D, stride=2), IMAGES, {"b"}),
    (dense(DenseProductOfInputs), dense(), FLAT, {"W"}),
    (dense(DenseNotTransposed, (6, 6)), dense(sizes=(6, 6)), FLAT, {"x"}),
    (dense(DenseActivationForgottenInOnePlace, activation=Tanh()), dense(activation=Tanh()), FLAT, {"x"}),
    (dense(DenseActivationTwice, activation=Tanh()), dense(activation=Tanh()), FLAT, {"x", "W", "b"}),
    (dense(DenseGradientAveraged), dense(), FLAT, {"W", "b"}),
    (dense(DenseLastSampleForgotten), dense(), FLAT, {"W"}),
    (dense(DenseBiasOfOneSample), dense(), FLAT, {"b"}),
    (dense(DenseRegularized), dense(), FLAT, {"W"}),
    (dense(DenseClipped), dense(), FLAT, {"W", "b"}),
]


@pytest.mark.parametrize(("wrong", "right", "shape", "rows"), GALLERY, ids=[type(row[0]).__name__ for row in GALLERY])
def test_every_check_catches_it(wrong, right, shape, rows, assert_caught):
    assert_caught(wrong, right, shape, rows)
