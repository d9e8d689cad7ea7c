"""Wrong backwards of activations, dropout, pooling and of what only moves numbers about."""
import numpy as np
import pytest

from engine.kernels import windows
from engine.layer import Run
from engine.layers import (
    AveragePool,
    Dropout,
    Flatten,
    GlobalAveragePool,
    LeakyReLU,
    MaxPool,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
    Upsample,
)

IMAGES, FLAT = (2, 4, 6, 2), (4, 6)


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


class DropoutKeepingRun(Dropout):
    """The layer, with its mask in the reach of those below."""

    def forward(self, x, run):
        return super().forward(x, run)[0], run

    def mask(self, dy, run):
        return run.uniform(dy) < self.keep_probability

    def backward(self, dy, saved):
        return dy * self.mask(dy, saved) / self.keep_probability, {}


class MaskDrawnAnew(DropoutKeepingRun):
    def mask(self, dy, run):
        return super().mask(dy, run.child(1))


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


class MaximumShared(MaxPool):
    def backward(self, dy, saved):
        return dy.repeat(2, 1).repeat(2, 2) / 4, {}


class OverlapsOverwritten(MaxPool):
    """Where windows overlap, the last one's contribution replaces the others."""

    def backward(self, dy, saved):
        place, shape = saved
        dx = np.zeros(shape)
        for k, index in enumerate(windows(shape, self.size, self.stride)):
            dx[index] = np.where(place == k, dy, dx[index])
        return dx, {}


class AverageOverlapsOverwritten(AveragePool):
    def backward(self, dy, saved):
        dx = np.zeros(saved)
        for index in windows(saved, self.size, self.stride):
            dx[index] = dy / 9
        return dx, {}


class GlobalAverageOfRows(GlobalAveragePool):
    def backward(self, dy, saved):
        return super().backward(dy, saved)[0] * saved[1], {}


class UpsampleAveraged(Upsample):
    def backward(self, dy, saved):
        return super().backward(dy, saved)[0] / self.factor ** 2, {}


class FlattenBatchReversed(Flatten):
    def backward(self, dy, saved):
        return super().backward(dy[::-1], saved)


class MaskInverted(DropoutKeepingRun):
    def mask(self, dy, run):
        return ~super().mask(dy, run)


class MaskInInference(DropoutKeepingRun):
    """Drops in every backward pass."""


class MaskPerSample(DropoutKeepingRun):
    def mask(self, dy, run):
        return super().mask(dy, run)[:1]


class StraightThrough(ReLU):
    def backward(self, dy, saved):
        return dy, {}


class MaskRolled(ReLU):
    def backward(self, dy, saved):
        return dy * np.roll(saved > 0, 1, axis=-1), {}


class LeakySlopeSquared(LeakyReLU):
    def gradient(self, do, o):
        return do * np.where(o > 0, 1, self.slope ** 2)


class TanhOfInput(Tanh):
    def forward(self, x, run):
        return super().forward(x, run)[0], x


class SigmoidWithoutComplement(Sigmoid):
    def gradient(self, do, o):
        return do * o


class SoftmaxSumOverBatch(Softmax):
    def backward(self, dy, saved):
        return saved * (dy - (dy * saved).sum(0)), {}


class SoftmaxOfCrossEntropy(Softmax):
    """What a fused loss would hand on."""

    def backward(self, dy, saved):
        return saved - dy, {}


GALLERY = [
    (MaximumToFirstPlace(), MaxPool(), IMAGES, {"x"}),
    (MaximumToTransposedPlace(), MaxPool(), IMAGES, {"x"}),
    (MaximumShared(), MaxPool(), IMAGES, {"x"}),
    (OverlapsOverwritten(3, 1), MaxPool(3, 1), IMAGES, {"x"}),
    (AverageNotDivided(), AveragePool(), IMAGES, {"x"}),
    (AverageOverlapsOverwritten(3, 1), AveragePool(3, 1), IMAGES, {"x"}),
    (GlobalAverageOfRows(), GlobalAveragePool(), IMAGES, {"x"}),
    (UpsampleNotSummed(), Upsample(), IMAGES, {"x"}),
    (UpsampleAveraged(), Upsample(), IMAGES, {"x"}),
    (FlattenColumnsFirst(), Flatten(), IMAGES, {"x"}),
    (FlattenBatchReversed(), Flatten(), IMAGES, {"x"}),
    (MaskNotRescaled(), Dropout(), FLAT, {"x"}),
    (MaskDrawnAnew(), DropoutKeepingRun(), FLAT, {"x"}),
    (MaskInverted(), Dropout(), FLAT, {"x"}),
    (MaskPerSample(), Dropout(), FLAT, {"x"}),
    (MaskFromTheGradient(), ReLU(), FLAT, {"x"}),
    (StraightThrough(), ReLU(), FLAT, {"x"}),
    (MaskRolled(), ReLU(), FLAT, {"x"}),
    (LeakyWithoutSlope(0.2), LeakyReLU(0.2), FLAT, {"x"}),
    (LeakySlopeSquared(0.2), LeakyReLU(0.2), FLAT, {"x"}),
    (SigmoidOfInput(), Sigmoid(), FLAT, {"x"}),
    (SigmoidWithoutComplement(), Sigmoid(), FLAT, {"x"}),
    (TanhOfInput(), Tanh(), FLAT, {"x"}),
    (SoftmaxElementWise(), Softmax(), FLAT, {"x"}),
    (SoftmaxSumOverBatch(), Softmax(), FLAT, {"x"}),
    (SoftmaxOfCrossEntropy(), Softmax(), FLAT, {"x"}),
]


@pytest.mark.parametrize(("wrong", "right", "shape", "rows"), GALLERY, ids=[type(row[0]).__name__ for row in GALLERY])
def test_every_check_catches_it(wrong, right, shape, rows, assert_caught):
    assert_caught(wrong, right, shape, rows)


def test_a_mask_in_inference_is_caught_in_inference(assert_caught):
    assert_caught(MaskInInference(), Dropout(), FLAT, {"x"}, run=Run(train=False))
