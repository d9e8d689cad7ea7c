"""Layers that answer with the wrong things, or otherwise when they are watched."""
import numpy as np
import pytest

from engine.combinators import Chain
from engine.gradient_check import check
from engine.kernels import channel_sums
from engine.layers import Conv2D, Dense, ReLU

IMAGES, FLAT = (2, 4, 6, 2), (4, 6)
F64 = {"dtype": "float64"}


def dense(cls=Dense):
    return cls(6, 3, rng=np.random.default_rng(0), **F64)


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


class OtherwiseWithoutRecord(ReLU):
    def forward(self, x, run):
        y, saved = super().forward(x, run)
        return (y, saved) if run.record else (y * (1 + 1e-12), None)


class OtherwiseWhereItCanWrite(ReLU):
    def forward(self, x, run):
        y, saved = super().forward(x, run)
        return (y + 1e-9 if x.flags.writeable else y), saved


class Fused(Chain):
    """Takes its own layers together, and a factor with them, but not the watched ones that stand in their places."""
    factor = 1.0

    def __init__(self, *layers):
        super().__init__(*layers)
        self.known = layers

    @property
    def fused(self):
        return all(layer is known for layer, known in zip(self.children.values(), self.known, strict=True))

    def forward(self, x, run):
        y, saved = super().forward(x, run)
        return (y * self.factor if self.fused else y), saved

    def backward(self, dy, saved):
        return super().backward(dy * self.factor, saved)


class FusedWithAnotherFactor(Fused):
    factor = 1 + 1e-8


class FusedToAnotherShape(Fused):
    def forward(self, x, run):
        y, saved = super().forward(x, run)
        return (y[:, :1] if self.fused else y), saved

    def backward(self, dy, saved):
        return super().backward(dy.repeat(4, axis=1), saved)


def fused(cls):
    return cls(Conv2D(2, 3, rng=np.random.default_rng(0), **F64), ReLU())


# wrong layer, right layer, shape of x, what the message says
GALLERY = [
    (dense(GradientMissing), dense(), FLAT, "backward gives no gradient for 'b'"),
    (dense(GradientOfNobody), dense(), FLAT, "'bias', which is neither"),
    (dense(GradientMisnamed), dense(), FLAT, "backward gives no gradient for 'b'; backward answers with 'bias'"),
    (dense(GradientOfWrongShape), dense(), FLAT, "expected float64 (3,)"),
    (RaisesInBackward(), ReLU(), FLAT, "backward raised ValueError"),
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
