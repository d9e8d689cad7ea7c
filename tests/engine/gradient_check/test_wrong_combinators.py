"""Wrong combinators: gradients that do not add, go to the wrong place or come from another pass."""
from dataclasses import replace

import numpy as np
import pytest

from engine.combinators import Chain, Fork, Merge, Recompute, Skip, SlicedRecompute, SlicedStage
from engine.layers import Conv2D, Dense, Dropout, PooledNorm, Tanh, Upsample

IMAGES, FLAT = (2, 4, 6, 2), (4, 6)
F64 = {"dtype": "float64"}


def conv(channels=(2, 3)):
    return Conv2D(*channels, rng=np.random.default_rng(0), **F64)


def dense():
    return Dense(6, 6, Tanh(), rng=np.random.default_rng(0), **F64)


class SkipGradientDropped(Skip):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx - dy[..., saved[1][0]:], grads


class SkipOrderSwapped(Skip):
    def backward(self, dy, saved):
        return super().backward(np.roll(dy, saved[1][0], axis=-1), saved)


class SkipGradientDoubled(Skip):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx + dy[..., saved[1][0]:], grads


class NamesExchanged(Chain):
    """Two layers of one shape: each is handed the other's gradients."""

    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, {f"{1 - int(path[0])}{path[1:]}": g for path, g in grads.items()}


class SavedExchanged(Chain):
    def backward(self, dy, saved):
        return super().backward(dy, saved[::-1])


class LastLayerForgotten(Chain):
    def backward(self, dy, saved):
        first, second = self.children.values()
        dx, grads = first.backward(dy, saved[0])
        _, others = second.backward(dy, saved[1])
        return dx, {f"0.{path}": g for path, g in grads.items()} | {f"1.{path}": g for path, g in others.items()}


class RecomputedWithAnotherMask(Recompute):
    def backward(self, dy, saved):
        x, run = saved
        return super().backward(dy, (x, run.child(9)))


class RecomputedInInference(Recompute):
    def backward(self, dy, saved):
        x, run = saved
        return super().backward(dy, (x, replace(run, train=False)))


class RecomputedFromHalf(Recompute):
    """Gradients of the parameters from a part of the batch."""

    def backward(self, dy, saved):
        dx, _ = super().backward(dy, saved)
        half = len(dy) // 2
        return dx, super().backward(dy[:half], (saved[0][:half], saved[1]))[1]


class SlicesNotAdded(SlicedRecompute):
    """The last slice's gradients, where all of them should be added up."""

    def backward(self, dy, saved):
        x, run = saved
        dx, _ = super().backward(dy, saved)
        return dx, super().backward(dy[-1:], (x[-1:], run))[1]


class ForkWithoutTheShortcut(Fork):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx - dy[1], grads


class MergeExchanged(Merge):
    def backward(self, dy, saved):
        (da, db), grads = super().backward(dy, saved)
        return (da, db[..., ::-1]), grads


class StageSlicesNotAdded(SlicedStage):
    """The last slice's gradients of the convolutions, where all of them should be added up."""

    def backward(self, dy, saved):
        x, (z, measured, places), run = saved
        dx, grads = super().backward(dy, saved)
        _, last = super().backward(dy[-1:], (x[-1:], (z[-1:], measured, places[-1:]), run))
        return dx, grads | {path: g for path, g in last.items() if path.startswith("0.")}


class StageNormalizedBySlices(SlicedStage):
    """The sums of the norm's backward over each half of the batch, where they are sums over all of it."""

    def backward(self, dy, saved):
        x, (z, measured, places), run = saved
        _, grads = super().backward(dy, saved)
        halves = [super(StageNormalizedBySlices, self).backward(dy[k], (x[k], (z[k], measured, places[k]), run))[0]
                  for k in (slice(0, 1), slice(1, 2))]
        return np.concatenate(halves), grads


def stage(kind=SlicedStage):
    return kind(conv(), PooledNorm(3, **F64))


def forked(fork=Fork, merge=Merge):
    return Chain(fork(Upsample(1)), merge(Upsample(1)))


GALLERY = [
    (SkipGradientDropped(conv()), Skip(conv()), IMAGES, {"x"}),
    (SkipGradientDoubled(conv()), Skip(conv()), IMAGES, {"x"}),
    (SkipOrderSwapped(conv((2, 2))), Skip(conv((2, 2))), IMAGES, {"x", "fork.0.W", "fork.0.b"}),
    (NamesExchanged(dense(), dense()), Chain(dense(), dense()), FLAT, {"0.W", "0.b", "1.W", "1.b"}),
    (SavedExchanged(dense(), dense()), Chain(dense(), dense()), FLAT, {"x", "0.W", "0.b", "1.W", "1.b"}),
    (LastLayerForgotten(dense(), dense()), Chain(dense(), dense()), FLAT, {"x", "0.W", "0.b"}),
    (RecomputedWithAnotherMask(Dropout(), dense()), Recompute(Dropout(), dense()), FLAT, {"x", "1.W", "1.b"}),
    (RecomputedInInference(Dropout(), dense()), Recompute(Dropout(), dense()), FLAT, {"x", "1.W", "1.b"}),
    (RecomputedFromHalf(dense()), Recompute(dense()), FLAT, {"0.W", "0.b"}),
    (SlicesNotAdded(conv()), SlicedRecompute(conv()), IMAGES, {"0.W", "0.b"}),
    (stage(StageSlicesNotAdded), stage(), IMAGES, {"0.W", "0.b"}),
    (stage(StageNormalizedBySlices), stage(), IMAGES, {"x"}),
    (forked(ForkWithoutTheShortcut), forked(), IMAGES, {"x"}),
    (forked(merge=MergeExchanged), forked(), IMAGES, {"x"}),
]


@pytest.mark.parametrize(("wrong", "right", "shape", "rows"), GALLERY, ids=[type(row[0]).__name__ for row in GALLERY])
def test_every_check_catches_it(wrong, right, shape, rows, assert_caught):
    assert_caught(wrong, right, shape, rows)
