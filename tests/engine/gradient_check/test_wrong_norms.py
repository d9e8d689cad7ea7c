"""Wrong backwards of batch normalization."""
from dataclasses import replace

import numpy as np
import pytest

from engine.gradient_check import distinct
from engine.gradient_check.probe import Probe
from engine.kernels import gradient_sums
from engine.layer import Run
from engine.layers import BatchNorm, PooledNorm

IMAGES = (2, 4, 6, 2)
F64 = {"dtype": "float64"}


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


class NormStatisticsConstant(NormTerms):
    mean_term = variance_term = False


class NormSumsOverTheBatchOnly(BatchNorm):
    """The sums of the backward pass run over n, and forget i and j."""

    def backward(self, dy, saved):
        x, measured = saved
        _, grads = super().backward(dy, saved)
        scale, M = self.params["c1"] * measured.s, len(x)
        deviation = x - measured.m
        return scale * (dy - dy.sum(0) / M - measured.s ** 2 / M * deviation * (dy * deviation).sum(0)), grads


class NormScaleGradientNotNormalized(BatchNorm):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"c1": (dy * saved[0]).sum((0, 1, 2))}


class NormShiftGradientScaled(BatchNorm):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"c2": grads["c2"] * self.params["c1"]}


class PlacesForgotten(PooledNorm):
    """The gradient goes to the first pixel of every window."""

    def backward(self, dy, saved):
        x, z, measured, places = saved
        return super().backward(dy, (x, z, measured, 0 * places))


class FallForgotten(PooledNorm):
    """The gradient goes to the largest number of a window, also where the smallest is the one that counts."""

    def backward(self, dy, saved):
        x, z, measured, _ = saved
        return super().backward(dy, (x, z, measured, self.pool.forward(x, Run())[1][0]))


class PooledMeanOfTheKept(PooledNorm):
    """M counts what the pooling kept, where the moments are of all numbers."""

    def backward(self, dy, saved):
        x, z, measured, places = saved
        return super().backward(dy, (x, z, replace(measured, M=measured.M // 4), places))


class PooledSumsOverWindows(PooledNorm):
    """dc1 from the mean of each window, where it is from the number that was kept."""

    def backward(self, dy, saved):
        x, _, measured, _ = saved
        dx, grads = super().backward(dy, saved)
        n, height, width, channels = dy.shape
        means = x.reshape(n, height, 2, width, 2, channels).mean((2, 4))
        return dx, grads | {"c1": self.parameter_gradients(measured, gradient_sums(dy, means, measured.m))["c1"]}


def pooled(kind=PooledNorm, statistics="batch"):
    layer = kind(2, statistics, **F64)
    layer.params["c1"][...] = [0.8, -1.2]
    return layer


class InferenceAsInTraining(NormTerms):
    """dx with the sums of training, where the averages do not depend on x."""

    def backward(self, dy, saved):
        x, measured = saved
        batch = {"mean": x.mean((0, 1, 2)), "variance": x.var((0, 1, 2))}
        dx, grads = super().backward(dy, (x, replace(measured, batch=batch)))
        return dx, {"c1": grads["c1"], "c2": grads["c2"]}


class InferenceWithoutAverages(BatchNorm):
    """Right as long as the averages are those that a new layer has: 0 and 1."""

    def backward(self, dy, saved):
        x, measured = saved
        return super().backward(dy, (x, replace(measured, s=np.ones(2) / np.sqrt(1 + self.epsilon))))


GALLERY = [
    (NormMeanForgotten(2, **F64), NormTerms(2, **F64), {"x"}),
    (NormVarianceForgotten(2, **F64), NormTerms(2, **F64), {"x"}),
    (NormStatisticsConstant(2, **F64), NormTerms(2, **F64), {"x"}),
    (NormSampleVariance(2, **F64), BatchNorm(2, **F64), {"x"}),
    (NormScaleForgotten(2, **F64), BatchNorm(2, **F64), {"x"}),
    (NormSumsOverTheBatchOnly(2, **F64), BatchNorm(2, **F64), {"x"}),
    (NormScaleGradientNotNormalized(2, **F64), BatchNorm(2, **F64), {"c1"}),
    (NormShiftGradientScaled(2, **F64), BatchNorm(2, **F64), {"c2"}),
    (NormEpsilonForgotten(2, **F64), BatchNorm(2, **F64), {"x", "c1"}),
    (MovingFactorForgotten(2, "moving", **F64), NormTerms(2, "moving", **F64), {"x"}),
    (pooled(PlacesForgotten), pooled(), {"x"}),
    (pooled(PlacesForgotten, "moving"), pooled(statistics="moving"), {"x"}),
    (pooled(FallForgotten), pooled(), {"x"}),
    (pooled(PooledMeanOfTheKept), pooled(), {"x"}),
    (pooled(PooledSumsOverWindows), pooled(), {"c1"}),
]


@pytest.mark.parametrize(("wrong", "right", "rows"), GALLERY, ids=[type(row[0]).__name__ for row in GALLERY])
def test_every_check_catches_it(wrong, right, rows, assert_caught):
    # an epsilon of 1e-5 is the smallest mistake here
    assert_caught(wrong, right, IMAGES, rows, least=5e-6 if isinstance(wrong, NormEpsilonForgotten) else 1e-4)


@pytest.mark.parametrize(("wrong", "rows"), [(InferenceAsInTraining, {"x"}), (InferenceWithoutAverages, {"x", "c1"})])
def test_what_is_wrong_in_inference_alone_is_caught_there(wrong, rows, assert_caught):
    assert_caught(wrong(2, **F64), BatchNorm(2, **F64), IMAGES, rows, run=Run(train=False))


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
