"""The test of the gradient checker: a gallery of mistakes that people make, each of which it must catch."""
from dataclasses import replace

import numpy as np
import pytest

from engine import losses
from engine.combinators import Chain, Skip
from engine.gradient_check import Loss, check, check_complex, check_elements, check_subgradient, distinct
from engine.gradient_check.case import scatter
from engine.gradient_check.probe import Probe
from engine.kernels import channel_sums, correlate, correlate_kernel_gradient
from engine.layer import Run
from engine.layers import (
    AveragePool,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    LeakyReLU,
    MaxPool,
    ReLU,
    Sigmoid,
    Softmax,
    Upsample,
)
from engine.layers.conv2d import input_gradient, rotate


def conv(cls=Conv2D, channels=(2, 3), **how):
    return cls(*channels, **how, rng=np.random.default_rng(0), dtype="float64")


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


class NormTerms(BatchNorm):
    """dx with each of its parts in reach: what a wrong backward leaves out."""
    mean_term = variance_term = gamma = kappa = True
    sample_variance = False

    def backward(self, dy, saved):
        x, measured = saved
        batch, m, s, M = measured.batch, measured.m, measured.s, measured.M
        _, grads = super().backward(dy, saved)
        kappa = (1 - self.alpha if self.statistics == "moving" else 1) if self.kappa else 1
        s_squared = s * s * ((M / (M - 1)) if self.sample_variance else 1)
        g = dy * (self.params["c1"] if self.gamma else 1)
        axes = tuple(range(x.ndim - 1))
        dx = s * g
        if self.mean_term:
            dx = dx - kappa / M * s * g.sum(axes)
        if self.variance_term:
            dx = dx - kappa / M * s * s_squared * (x - batch["mean"]) * (g * (x - m)).sum(axes)
        return dx, grads


class NormMeanForgotten(NormTerms):
    mean_term = False


class NormVarianceForgotten(NormTerms):
    variance_term = False


class NormSampleVariance(NormTerms):
    sample_variance = True


class NormScaleForgotten(NormTerms):
    gamma = False


class MovingFactorForgotten(NormTerms):
    kappa = False


class NormEpsilonForgotten(BatchNorm):
    def backward(self, dy, saved):
        x, measured = saved
        return super().backward(dy, (x, replace(measured, s=1 / np.sqrt(measured.batch["variance"]))))


class NormUpdatesAverages(BatchNorm):
    def forward(self, x, run):
        self.buffers["mean"][...] = 0.9 * self.buffers["mean"] + 0.1 * x.mean((0, 1, 2))
        return super().forward(x, run)


class NormReplacesAverages(BatchNorm):
    def forward(self, x, run):
        self.buffers["mean"] = 0.9 * self.buffers["mean"] + 0.1 * x.mean((0, 1, 2))
        return super().forward(x, run)


class MaximumToFirstPlace(MaxPool):
    def backward(self, dy, saved):
        place, shape = saved
        return super().backward(dy, (np.zeros_like(place), shape))


class MaximumToTransposedPlace(MaxPool):
    def backward(self, dy, saved):
        place, shape = saved
        return super().backward(dy, (np.array([0, 2, 1, 3], np.uint8)[place], shape))


class AverageNotDivided(AveragePool):
    def backward(self, dy, saved):
        return super().backward(dy * 4, saved)


class MaskNotRescaled(Dropout):
    def backward(self, dy, saved):
        return super().backward(dy, saved)[0] * self.keep_probability, {}


class MaskDrawnAnew(Dropout):
    def backward(self, dy, saved):
        return super().backward(dy, (saved[0].child(1), saved[1]))


class MaskOutsideTheSeed(Dropout):
    rng = np.random.default_rng(5)

    def forward(self, x, run):
        return super().forward(x, replace(run, seed=(int(self.rng.integers(1 << 30)),)))


class MaskFromTheGradient(ReLU):
    def backward(self, dy, saved):
        return dy * (dy > 0), {}


class LeakyWithoutSlope(LeakyReLU):
    def gradient(self, do, o):
        return do * (o > 0)


class SigmoidOfInput(Sigmoid):
    def forward(self, x, run):
        return super().forward(x, run)[0], x


class SoftmaxElementWise(Softmax):
    def backward(self, dy, saved):
        return dy * saved * (1 - saved), {}


class UpsampleNotSummed(Upsample):
    def backward(self, dy, saved):
        return dy[:, ::self.factor, ::self.factor], {}


class FlattenColumnsFirst(Flatten):
    def backward(self, dy, saved):
        n, height, width, channels = saved
        return dy.reshape(n, width, height, channels).swapaxes(1, 2), {}


class SkipGradientDropped(Skip):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx - dy[..., saved[0]:], grads


class SkipOrderSwapped(Skip):
    def backward(self, dy, saved):
        return super().backward(np.roll(dy, saved[0], axis=-1), saved)


class WritesToGradient(ReLU):
    def backward(self, dy, saved):
        dy *= saved > 0
        return dy, {}


class WritesToInput(ReLU):
    def forward(self, x, run):
        return np.maximum(x, 0, out=x), x


class WritesToSaved(ReLU):
    def backward(self, dy, saved):
        saved[...] = dy * (saved > 0)
        return saved, {}


class PopsFromSaved(Chain):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        saved.clear()
        return dx, grads


class KeepsState(ReLU):
    calls = 0

    def forward(self, x, run):
        self.calls += 1
        return super().forward(x, run)


class GradientMissing(Dense):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, {"W": grads["W"]}


class GradientMisnamed(Dense):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"bias": grads["b"]}


class GradientInFloat32(Dense):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"b": grads["b"].astype(np.float32)}


class GradientOfWrongShape(Dense):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"b": channel_sums(dy)[None]}


class ComputesInFloat32(Dense):
    def forward(self, x, run):
        y, saved = super().forward(x, run)
        return y.astype(np.float32).astype(np.float64), saved


class RaisesInBackward(ReLU):
    def backward(self, dy, saved):
        return dy @ saved, {}


def entropy_of_the_sum(z, y):
    value, gradient = losses.binary_cross_entropy_with_logits(z, y)
    return value, gradient * len(z)


def dice_with_one_fraction(p, y):
    value, _ = losses.dice(p, y)
    a, b = (p * y).sum(), (p + y).sum()
    return value, -(y * b - a) / b ** 2


def least_squares_twice(p, y):
    value, gradient = losses.least_squares(p, y)
    return value, 2 * gradient


def logits_taken_for_probabilities(z, y):
    value, _ = losses.from_logits(losses.dice)(z, y)
    return value, losses.dice(z, y)[1]


IMAGES, FLAT = (2, 4, 6, 2), (4, 6)
F64 = {"dtype": "float64"}


def dense(cls):
    return cls(6, 3, rng=np.random.default_rng(0), **F64)


def loss(function):
    return Loss(function, np.random.default_rng(1).integers(0, 2, FLAT).astype(float))


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
    (dense(DenseProductOfInputs), dense(Dense), FLAT, {"W"}),
    (NormMeanForgotten(2, **F64), NormTerms(2, **F64), IMAGES, {"x"}),
    (NormVarianceForgotten(2, **F64), NormTerms(2, **F64), IMAGES, {"x"}),
    (NormSampleVariance(2, **F64), BatchNorm(2, **F64), IMAGES, {"x"}),
    (NormScaleForgotten(2, **F64), BatchNorm(2, **F64), IMAGES, {"x"}),
    (NormEpsilonForgotten(2, **F64), BatchNorm(2, **F64), IMAGES, {"x", "c1"}),
    (MovingFactorForgotten(2, "moving", **F64), NormTerms(2, "moving", **F64), IMAGES, {"x"}),
    (NormUpdatesAverages(2, **F64), BatchNorm(2, **F64), IMAGES, {"(purity)"}),
    (NormReplacesAverages(2, **F64), BatchNorm(2, **F64), IMAGES, {"(purity)"}),
    (MaximumToFirstPlace(), MaxPool(), IMAGES, {"x"}),
    (MaximumToTransposedPlace(), MaxPool(), IMAGES, {"x"}),
    (AverageNotDivided(), AveragePool(), IMAGES, {"x"}),
    (MaskNotRescaled(), Dropout(), FLAT, {"x"}),
    (MaskDrawnAnew(), Dropout(), FLAT, {"x"}),
    (MaskOutsideTheSeed(), Dropout(), FLAT, {"(purity)", "x"}),
    (MaskFromTheGradient(), ReLU(), FLAT, {"x"}),
    (LeakyWithoutSlope(0.2), LeakyReLU(0.2), FLAT, {"x"}),
    (SigmoidOfInput(), Sigmoid(), FLAT, {"x"}),
    (SoftmaxElementWise(), Softmax(), FLAT, {"x"}),
    (UpsampleNotSummed(), Upsample(), IMAGES, {"x"}),
    (FlattenColumnsFirst(), Flatten(), IMAGES, {"x"}),
    (SkipGradientDropped(conv()), Skip(conv()), IMAGES, {"x"}),
    (SkipOrderSwapped(conv(channels=(2, 2))), Skip(conv(channels=(2, 2))), IMAGES, {"x", "inner.W", "inner.b"}),
    (WritesToGradient(), ReLU(), FLAT, {"(purity)"}),
    (WritesToInput(), ReLU(), FLAT, {"(purity)"}),
    (WritesToSaved(), ReLU(), FLAT, {"(purity)"}),
    (PopsFromSaved(dense(Dense)), Chain(dense(Dense)), FLAT, {"(purity)"}),
    (KeepsState(), ReLU(), FLAT, {"(purity)"}),
    (dense(GradientMissing), dense(Dense), FLAT, {"(purity)"}),
    (dense(GradientMisnamed), dense(Dense), FLAT, {"(purity)"}),
    (dense(GradientInFloat32), dense(Dense), FLAT, {"(purity)"}),
    (dense(GradientOfWrongShape), dense(Dense), FLAT, {"(purity)"}),
    (dense(ComputesInFloat32), dense(Dense), FLAT, {"x", "W", "b"}),
    (RaisesInBackward(), ReLU(), FLAT, {"(purity)"}),
    (loss(entropy_of_the_sum), loss(losses.binary_cross_entropy_with_logits), FLAT, {"x"}),
    (loss(dice_with_one_fraction), loss(losses.dice), FLAT, {"x"}),
    (loss(least_squares_twice), loss(losses.least_squares), FLAT, {"x"}),
    (loss(logits_taken_for_probabilities), loss(losses.from_logits(losses.dice)), FLAT, {"x"}),
]


def name_of(layer):
    return layer.loss.__name__ if isinstance(layer, Loss) else type(layer).__name__


def failures(checked, layer, shape):
    rng = np.random.default_rng(3)
    scatter(layer, rng)
    low = 0.1 if isinstance(layer, Loss) else -1
    return {result.parameter: result for result in checked(layer, distinct(rng, *shape, low=low), Run(), rng)
            if not result.passed}


@pytest.mark.parametrize(("wrong", "right", "shape", "rows"), GALLERY, ids=[name_of(row[0]) for row in GALLERY])
def test_the_wrong_one_is_caught_and_the_right_one_passes(wrong, right, shape, rows):
    caught = failures(check, wrong, shape)
    assert caught.keys() == rows
    assert not any(result.kink for result in caught.values())
    least = 5e-6 if isinstance(wrong, NormEpsilonForgotten) else 1e-4  # an epsilon of 1e-5 is the smallest mistake here
    assert all(result.error > least for result in caught.values()), caught
    assert not failures(check, right, shape)


@pytest.mark.parametrize("checked", [check_elements, check_complex])
@pytest.mark.parametrize(("wrong", "right", "shape", "rows"), GALLERY, ids=[name_of(row[0]) for row in GALLERY])
def test_the_other_checks_catch_it_too(checked, wrong, right, shape, rows):
    caught = failures(checked, wrong, shape).keys()
    if checked is check_complex and isinstance(wrong, GradientInFloat32):
        rows = rows | {"b"}  # exact enough to see the rounding of the gradient itself
    assert caught == rows
    assert not failures(checked, right, shape)


class TiesDoubled(MaxPool):
    def forward(self, x, run):
        y, _ = super().forward(x, run)
        return y, (x == y.repeat(2, 1).repeat(2, 2))

    def backward(self, dy, saved):
        return dy.repeat(2, 1).repeat(2, 2) * saved, {}


class TiesShared(TiesDoubled):
    def backward(self, dy, saved):
        n, height, width, channels = dy.shape
        winners = saved.reshape(n, height, 2, width, 2, channels).sum((2, 4))
        return super().backward(dy / winners, saved)


class SlopeTwoAtZero(ReLU):
    def gradient(self, do, o):
        return do * np.where(o > 0, 1, 2)


def test_a_tie_given_to_all_is_caught_where_there_is_a_tie():
    rng = np.random.default_rng(0)
    tied = np.repeat(distinct(rng, 2, 2, 3, 2), 2, axis=1).repeat(2, axis=2)
    assert check_subgradient(MaxPool(), tied, Run(), rng).passed
    assert check_subgradient(TiesShared(), tied, Run(), rng).passed
    assert not check_subgradient(TiesDoubled(), tied, Run(), rng).passed
    assert not failures(check, TiesDoubled(), (2, 4, 6, 2))  # without ties it is right


def test_a_slope_that_is_no_subgradient_is_caught_at_the_kink():
    zeros = np.zeros((3, 4))
    rng = np.random.default_rng(0)
    assert check_subgradient(ReLU(), zeros, Run(), rng).passed
    assert not check_subgradient(SlopeTwoAtZero(), zeros, Run(), rng).passed


def test_a_dy_of_ones_would_miss_the_batch_norm_without_its_variance_term():
    rng = np.random.default_rng(0)
    layer = NormVarianceForgotten(2, **F64)
    x = distinct(rng, *IMAGES)
    v = rng.standard_normal(x.shape)
    probe = Probe(layer, x, Run())
    change = probe.difference([x], [v], 1e-6)
    _, saved = layer.forward(x, Run())
    wrong_by = []
    for dy in (np.ones(IMAGES), rng.standard_normal(IMAGES)):
        numeric = np.vdot(dy, change.above - change.below) / 2e-6
        exact = np.vdot(layer.backward(dy, saved)[0], v)
        wrong_by.append(abs(numeric - exact))
    assert wrong_by[0] < 1e-8 < 1e-2 < wrong_by[1]
