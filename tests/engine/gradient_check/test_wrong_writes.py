"""Layers with the right numbers that write to what is not theirs, or hand out what they will write to again."""
import numpy as np
import pytest

from engine.combinators import Chain
from engine.gradient_check import check
from engine.layer import Run
from engine.layers import BatchNorm, Dense, ReLU

IMAGES, FLAT = (2, 4, 6, 2), (4, 6)
F64 = {"dtype": "float64"}


def dense(cls=Dense):
    return cls(6, 3, rng=np.random.default_rng(0), **F64)


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


class NormUpdatesAverages(BatchNorm):
    def forward(self, x, run):
        self.buffers["mean"][...] = 0.9 * self.buffers["mean"] + 0.1 * x.mean((0, 1, 2))
        return super().forward(x, run)


class NormReplacesAverages(BatchNorm):
    def forward(self, x, run):
        self.buffers["mean"] = 0.9 * self.buffers["mean"] + 0.1 * x.mean((0, 1, 2))
        return super().forward(x, run)


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
        return y, np.greater(x, 0, out=self.memory) if run.record else None

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


# wrong layer, right layer, shape of x, what the message says
GALLERY = [
    (NormUpdatesAverages(2, **F64), BatchNorm(2, **F64), IMAGES, "read-only"),
    (NormReplacesAverages(2, **F64), BatchNorm(2, **F64), IMAGES, "wrote to buffer 'mean', or replaced it"),
    (WritesToGradient(), ReLU(), FLAT, "backward wrote to x, dy, a parameter or a buffer"),
    (WritesToInput(), ReLU(), FLAT, "forward wrote to x, dy, a parameter or a buffer"),
    (WritesToSaved(), ReLU(), FLAT, "backward changed `saved`"),
    (PopsFromSaved(dense()), Chain(dense()), FLAT, "backward changed `saved`"),
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
]


@pytest.mark.parametrize(("wrong", "right", "shape", "message"), GALLERY, ids=[type(r[0]).__name__ for r in GALLERY])
def test_the_breach_is_named_and_not_taken_for_a_wrong_gradient_or_a_kink(wrong, right, shape, message, failures):
    found = failures(check, wrong, shape)
    assert message in found["(purity)"].message
    assert found.keys() == {"(purity)"}
    assert not failures(check, right, shape)


@pytest.mark.parametrize(("wrong", "shape"), [row[::2] for row in GALLERY], ids=[type(r[0]).__name__ for r in GALLERY])
def test_whatever_a_layer_writes_its_arrays_and_x_come_back(wrong, shape):
    x = np.random.default_rng(0).normal(size=shape)
    arrays = {"x": x, **wrong.parameters(), **wrong.moving_averages()}
    before = {name: array.tobytes() for name, array in arrays.items()}
    check(wrong, x, Run(), np.random.default_rng(1))
    assert {name: array.tobytes() for name, array in arrays.items()} == before
    assert all(own is arrays[name] for name, own in (wrong.parameters() | wrong.moving_averages()).items())
