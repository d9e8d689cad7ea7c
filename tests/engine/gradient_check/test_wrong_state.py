"""Layers with the right numbers that remember earlier calls, in places where nobody looks."""
import itertools
from dataclasses import replace

import numpy as np
import pytest

from engine.gradient_check import check
from engine.layers import Dense, Dropout, ReLU

IMAGES, FLAT = (2, 4, 6, 2), (4, 6)
F64 = {"dtype": "float64"}


def dense(cls=Dense):
    return cls(6, 3, rng=np.random.default_rng(0), **F64)


CALLS = []
COUNTER = itertools.count()


class KeepsState(ReLU):
    calls = 0

    def forward(self, x, run):
        self.calls += 1
        return super().forward(x, run)


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


class Counting:
    calls = 0

    def __call__(self):
        self.calls += 1


class CountsInACallable(ReLU):
    def __init__(self):
        super().__init__()
        self.own = Counting()

    def forward(self, x, run):
        self.own()
        return super().forward(x, run)


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


class MaskOutsideTheSeed(Dropout):
    rng = np.random.default_rng(5)

    def forward(self, x, run):
        return super().forward(x, replace(run, seed=(int(self.rng.integers(1 << 30)),)))


class MemoryOfTheGradient(Dense):
    """Adds to what it gave before, where nothing of it is seen but the sum."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.scale = itertools.cycle([1.0, 2.0, 3.0])

    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"W": grads["W"] * next(self.scale)}


# wrong layer, right layer, shape of x, what the message says
GALLERY = [
    (MaskOutsideTheSeed(), Dropout(), FLAT, "forward twice gives other outputs"),
    (KeepsState(), ReLU(), FLAT, "attribute 'calls'"),
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
]


@pytest.mark.parametrize(("wrong", "right", "shape", "message"), GALLERY, ids=[type(r[0]).__name__ for r in GALLERY])
def test_the_breach_is_named_and_not_taken_for_a_wrong_gradient_or_a_kink(wrong, right, shape, message, failures):
    found = failures(check, wrong, shape)
    assert message in found["(purity)"].message
    assert found.keys() == {"(purity)"}
    assert not failures(check, right, shape)
