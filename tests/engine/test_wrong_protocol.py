"""Layers that compute the right numbers and break the protocol: they write, remember, or hand out what is not theirs."""
import itertools
from dataclasses import replace

import numpy as np
import pytest

from engine.combinators import Chain
from engine.gradient_check import check
from engine.kernels import channel_sums
from engine.layers import BatchNorm, Conv2D, Dense, Dropout, ReLU

IMAGES, FLAT = (2, 4, 6, 2), (4, 6)
F64 = {"dtype": "float64"}


def dense(cls=Dense):
    return cls(6, 3, rng=np.random.default_rng(0), **F64)


class NormUpdatesAverages(BatchNorm):
    def forward(self, x, run):
        self.buffers["mean"][...] = 0.9 * self.buffers["mean"] + 0.1 * x.mean((0, 1, 2))
        return super().forward(x, run)


class NormReplacesAverages(BatchNorm):
    def forward(self, x, run):
        self.buffers["mean"] = 0.9 * self.buffers["mean"] + 0.1 * x.mean((0, 1, 2))
        return super().forward(x, run)


class MaskOutsideTheSeed(Dropout):
    rng = np.random.default_rng(5)

    def forward(self, x, run):
        return super().forward(x, replace(run, seed=(int(self.rng.integers(1 << 30)),)))


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
        return dx, {"W": grads["W"], "bias": grads["b"]}


class GradientOfNobody(Dense):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"bias": grads["b"]}


class GradientOfWrongShape(Dense):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"b": channel_sums(dy)[None]}


class GradientInFloat32(Dense):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"b": grads["b"].astype(np.float32)}


class RaisesInBackward(ReLU):
    def backward(self, dy, saved):
        return dy @ saved, {}


# What is written to only where it can be, as code that reuses memory does.

class WritesToInputIfItCan(ReLU):
    def forward(self, x, run):
        return super().forward(np.maximum(x, 0, out=x) if x.flags.writeable else x, run)


class WritesToInputIfNothingIsRecorded(ReLU):
    def forward(self, x, run):
        if not run.record and x.flags.writeable:
            return np.maximum(x, 0, out=x), None
        return super().forward(x, run)


class WritesToGradientIfItCan(ReLU):
    def backward(self, dy, saved):
        return np.multiply(dy, saved > 0, out=dy if dy.flags.writeable else None), {}


class NormalizesItsKernelIfItCan(Dense):
    def forward(self, x, run):
        W = self.params["W"]
        if W.flags.writeable:
            W /= np.abs(W).max()
        return super().forward(x, run)


class UpdatesAveragesIfItCan(BatchNorm):
    def forward(self, x, run):
        if self.buffers["mean"].flags.writeable:
            self.buffers["mean"] += 0.1
        return super().forward(x, run)


class StepsInBackwardIfItCan(Dense):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        if self.params["b"].flags.writeable:
            self.params["b"] -= 0.1 * grads["b"]
        return dx, grads


class WritesThroughAnotherView(Dense):
    """Its kernel is a view of memory that it can always write to."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.memory = self.params["W"].ravel().copy()
        self.params["W"] = self.memory.reshape(self.params["W"].shape)

    def forward(self, x, run):
        self.memory *= 1.5
        return super().forward(x, run)


# Results in memory that the next call uses again.

class OutputReused(Dense):
    y = np.zeros((4, 3))

    def forward(self, x, run):
        y, saved = super().forward(x, run)
        self.y[...] = y
        return self.y, saved


class SavedReused(ReLU):
    memory = np.zeros(FLAT, bool)

    def forward(self, x, run):
        y, _ = super().forward(x, run)
        return y, np.greater(x, 0, out=self.memory)

    def backward(self, dy, saved):
        return dy * saved, {}


class InputGradientReused(ReLU):
    memory = np.zeros(FLAT)

    def backward(self, dy, saved):
        return np.multiply(dy, saved > 0, out=self.memory), {}


class ParameterGradientReused(Dense):
    memory = np.zeros((6, 3))

    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        self.memory[...] = grads["W"]
        return dx, grads | {"W": self.memory}


# State where nobody looks for it.

CALLS = []
COUNTER = itertools.count()


class CountsInItsClass(ReLU):
    calls = 0

    def forward(self, x, run):
        type(self).calls += 1
        return super().forward(x, run)


class CollectsInItsClass(ReLU):
    shapes: set = set()  # noqa: RUF012

    def forward(self, x, run):
        self.shapes.add((len(self.shapes), x.shape))
        return super().forward(x, run)


class CollectsInASet(ReLU):
    def __init__(self):
        super().__init__()
        self.seen = set()

    def forward(self, x, run):
        self.seen.add(len(self.seen))
        return super().forward(x, run)


class CollectsInAGlobal(ReLU):
    def forward(self, x, run):
        CALLS.append(x.shape)
        return super().forward(x, run)


class CountsInAGlobal(ReLU):
    def forward(self, x, run):
        next(COUNTER)
        return super().forward(x, run)


class CollectsInADefault(ReLU):
    def forward(self, x, run, seen=[]):  # noqa: B006
        seen.append(x.shape)
        return super().forward(x, run)


def helper(x):
    helper.calls = getattr(helper, "calls", 0) + 1
    return x


class CountsInAFunction(ReLU):
    def forward(self, x, run):
        return super().forward(helper(x), run)


class CountsInAClosure(ReLU):
    def __init__(self):
        super().__init__()
        calls = 0

        def count():
            nonlocal calls
            calls += 1
        self.count = count

    def forward(self, x, run):
        self.count()
        return super().forward(x, run)


class Slotted:
    __slots__ = ("calls",)

    def __init__(self):
        self.calls = 0


class CountsInSlots(ReLU):
    def __init__(self):
        super().__init__()
        self.own = Slotted()

    def forward(self, x, run):
        self.own.calls += 1
        return super().forward(x, run)


class CountsInACallable(ReLU):
    def __init__(self):
        super().__init__()
        self.own = Counting()

    def forward(self, x, run):
        self.own()
        return super().forward(x, run)


class Counting:
    calls = 0

    def __call__(self):
        self.calls += 1


class AdvancesAGenerator(ReLU):
    def __init__(self):
        super().__init__()
        self.numbers = (k for k in range(10 ** 6))

    def backward(self, dy, saved):
        next(self.numbers)
        return super().backward(dy, saved)


class DrawsFromTheGlobalGenerator(ReLU):
    def forward(self, x, run):
        np.random.rand()  # noqa: NPY002
        return super().forward(x, run)


class MemoryOfTheGradient(Dense):
    """Adds to what it gave before, where nothing of it is seen but the sum."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.scale = itertools.cycle([1.0, 2.0, 3.0])

    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"W": grads["W"] * next(self.scale)}


class OtherwiseWithoutRecord(ReLU):
    def forward(self, x, run):
        y, saved = super().forward(x, run)
        return (y, saved) if run.record else (y * (1 + 1e-12), None)


class OtherwiseWhereItCanWrite(ReLU):
    def forward(self, x, run):
        y, saved = super().forward(x, run)
        return (y + 1e-9 if x.flags.writeable else y), saved


class Fused(Chain):
    """Takes its layers together, and a factor with them, unless somebody looks."""
    factor = 1.0

    def forward(self, x, run):
        y, saved = super().forward(x, run)
        fused = all(type(layer) in (Conv2D, ReLU) for layer in self.children.values())
        return (y * self.factor if fused else y), saved

    def backward(self, dy, saved):
        return super().backward(dy * self.factor, saved)


class FusedWithAnotherFactor(Fused):
    factor = 1 + 1e-8


class FusedToAnotherShape(Fused):
    def forward(self, x, run):
        y, saved = super().forward(x, run)
        return (y[:, :1] if type(self.children["0"]) is Conv2D else y), saved

    def backward(self, dy, saved):
        return super().backward(dy.repeat(4, axis=1), saved)


def fused(cls):
    return cls(Conv2D(2, 3, rng=np.random.default_rng(0), **F64), ReLU())


# wrong layer, right layer, shape of x, what the message says
GALLERY = [
    (NormUpdatesAverages(2, **F64), BatchNorm(2, **F64), IMAGES, "read-only"),
    (NormReplacesAverages(2, **F64), BatchNorm(2, **F64), IMAGES, "wrote to buffer 'mean', or replaced it"),
    (MaskOutsideTheSeed(), Dropout(), FLAT, "forward twice gives other outputs"),
    (WritesToGradient(), ReLU(), FLAT, "backward wrote to x, dy, a parameter or a buffer"),
    (WritesToInput(), ReLU(), FLAT, "forward wrote to x, dy, a parameter or a buffer"),
    (WritesToSaved(), ReLU(), FLAT, "backward changed `saved`"),
    (PopsFromSaved(dense()), Chain(dense()), FLAT, "backward changed `saved`"),
    (KeepsState(), ReLU(), FLAT, "attribute 'calls'"),
    (dense(GradientMissing), dense(), FLAT, "backward gives no gradient for 'b'"),
    (dense(GradientOfNobody), dense(), FLAT, "'bias', which is neither"),
    (dense(GradientMisnamed), dense(), FLAT, "backward gives no gradient for 'b'; backward answers with 'bias'"),
    (dense(GradientOfWrongShape), dense(), FLAT, "expected float64 (3,)"),
    (RaisesInBackward(), ReLU(), FLAT, "backward raised ValueError"),
    (WritesToInputIfItCan(), ReLU(), FLAT, "wrote to x, or"),
    (WritesToInputIfNothingIsRecorded(), ReLU(), FLAT, "wrote to x, or"),
    (WritesToGradientIfItCan(), ReLU(), FLAT, "backward wrote to dy"),
    (dense(NormalizesItsKernelIfItCan), dense(), FLAT, "wrote to parameter 'W'"),
    (UpdatesAveragesIfItCan(2, **F64), BatchNorm(2, **F64), IMAGES, "wrote to buffer 'mean'"),
    (dense(StepsInBackwardIfItCan), dense(), FLAT, "wrote to parameter 'b'"),
    (dense(WritesThroughAnotherView), dense(), FLAT, "wrote to parameter 'W'"),
    (dense(OutputReused), dense(), FLAT, "the next forward overwrites y"),
    (SavedReused(), ReLU(), FLAT, "the next forward overwrites `saved`"),
    (InputGradientReused(), ReLU(), FLAT, "the next backward overwrites the gradient of 'x'"),
    (dense(ParameterGradientReused), dense(), FLAT, "the next backward overwrites the gradient of 'W'"),
    (CountsInItsClass(), ReLU(), FLAT, "class CountsInItsClass"),
    (CollectsInItsClass(), ReLU(), FLAT, "class CollectsInItsClass"),
    (CollectsInASet(), ReLU(), FLAT, "attribute 'seen'"),
    (CollectsInAGlobal(), ReLU(), FLAT, "class CollectsInAGlobal: its attributes, or what its functions reach"),
    (CountsInAGlobal(), ReLU(), FLAT, "class CountsInAGlobal"),
    (CollectsInADefault(), ReLU(), FLAT, "class CollectsInADefault"),
    (CountsInAFunction(), ReLU(), FLAT, "class CountsInAFunction"),
    (CountsInAClosure(), ReLU(), FLAT, "attribute 'count'"),
    (CountsInSlots(), ReLU(), FLAT, "attribute 'own'"),
    (CountsInACallable(), ReLU(), FLAT, "attribute 'own'"),
    (AdvancesAGenerator(), ReLU(), FLAT, "attribute 'numbers'"),
    (DrawsFromTheGlobalGenerator(), ReLU(), FLAT, "the global random generators"),
    (dense(MemoryOfTheGradient), dense(), FLAT, "backward twice gives another gradient of 'W'"),
    (OtherwiseWithoutRecord(), ReLU(), FLAT, "forward with record=False gives other outputs"),
    (OtherwiseWhereItCanWrite(), ReLU(), FLAT, "forward gives other outputs where arrays can be written to"),
    (fused(FusedWithAnotherFactor), fused(Fused), IMAGES, "watched one by one, give different outputs: off by 1.0e-08"),
    (fused(FusedToAnotherShape), fused(Fused), IMAGES, "different outputs: (2, 4, 6, 3), not (2, 1, 6, 3)"),
]


@pytest.mark.parametrize(("wrong", "right", "shape", "message"), GALLERY, ids=[type(r[0]).__name__ for r in GALLERY])
def test_the_breach_is_named_and_not_taken_for_a_wrong_gradient_or_a_kink(wrong, right, shape, message, failures):
    found = failures(check, wrong, shape)
    assert message in found["(purity)"].message
    assert found.keys() == {"(purity)"}
    assert not failures(check, right, shape)
