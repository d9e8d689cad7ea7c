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


class LastGradientsScaled(Dense):
    """By as little as the last bit."""

    def last_gradients(self, dy, saved):
        grads = super().last_gradients(dy, saved)
        return grads | {"b": np.nextafter(grads["b"], np.inf)}


class LastGradientsOfOneSample(Dense):
    def last_gradients(self, dy, saved):
        return super().last_gradients(dy[:1], (saved[0][:1], saved[1]))


class LastGradientMissing(Dense):
    def last_gradients(self, dy, saved):
        return {"W": super().last_gradients(dy, saved)["W"]}


class LastGradientOfNobody(Dense):
    def last_gradients(self, dy, saved):
        return super().last_gradients(dy, saved) | {"x": dy}


class LastGradientsRaise(Dense):
    def last_gradients(self, dy, saved):
        return {"W": dy @ saved[0], "b": dy}


class LastGradientsWriteToSaved(Dense):
    """To a copy of x, which nobody guards."""

    def forward(self, x, run):
        return super().forward(x, run)[0], (x.copy(), None)

    def last_gradients(self, dy, saved):
        grads = super().last_gradients(dy, saved)
        saved[0][...] = 0
        return grads


class FirstLayerForgotten(Chain):
    def last_gradients(self, dy, saved):
        grads = super().last_gradients(dy, saved)
        return {path: g for path, g in grads.items() if not path.startswith("0.")}


class InheritedFromAChainThatSavesOtherwise(Chain):
    """As if a class with a backward of its own had the Chain's."""

    def forward(self, x, run):
        y, saved = super().forward(x, run)
        return y, saved[::-1] if saved else None

    def backward(self, dy, saved):
        return super().backward(dy, saved[::-1])

    last_gradients = Chain.last_gradients


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


def two(cls=Chain):
    return cls(*(Dense(6, 6, rng=np.random.default_rng(seed), **F64) for seed in (0, 1)))


def fused(cls):
    return cls(Conv2D(2, 3, rng=np.random.default_rng(0), **F64), ReLU())


# wrong layer, right layer, shape of x, what the message says
GALLERY = [
    (dense(GradientMissing), dense(), FLAT, "backward gives no gradient for 'b'"),
    (dense(GradientOfNobody), dense(), FLAT, "'bias', which is neither"),
    (dense(GradientMisnamed), dense(), FLAT, "backward gives no gradient for 'b'; backward answers with 'bias'"),
    (dense(GradientOfWrongShape), dense(), FLAT, "expected float64 (3,)"),
    (dense(LastGradientsScaled), dense(), FLAT, "last_gradients gives another gradient of 'b' than backward"),
    (dense(LastGradientsOfOneSample), dense(), FLAT, "last_gradients gives another gradient of 'W' than backward"),
    (dense(LastGradientMissing), dense(), FLAT, "of last_gradients and backward only one gives 'b'"),
    (dense(LastGradientOfNobody), dense(), FLAT, "of last_gradients and backward only one gives 'x'"),
    (dense(LastGradientsRaise), dense(), FLAT, "last_gradients raised ValueError"),
    (dense(LastGradientsWriteToSaved), dense(), FLAT, "last_gradients changed `saved`"),
    (two(FirstLayerForgotten), two(), FLAT, "of last_gradients and backward only one gives '0.W'"),
    (two(InheritedFromAChainThatSavesOtherwise), two(), FLAT, "last_gradients gives another gradient of '1.W' than"),
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
