"""Layers against values worked out by hand, their limits, their errors, and what they keep for backward."""
import numpy as np
import pytest

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
    TransposedConv2D,
    Upsample,
)

RNG = np.random.default_rng
TRAIN, INFERENCE = Run(), Run(train=False)


def test_dense_by_hand():
    dense = Dense(2, 3, rng=RNG(0), dtype="float64")
    dense.params = {"W": np.array([[1.0, 2, 3], [4, 5, 6]]), "b": np.array([0.5, 0, -1])}
    x = np.array([[1.0, 10], [2, 0]])
    y, saved = dense.forward(x, TRAIN)
    np.testing.assert_array_equal(y, [[41.5, 52, 62], [2.5, 4, 5]])
    assert saved[0] is x
    assert saved[1] is None
    dx, grads = dense.backward(np.array([[1.0, 0, -1], [0, 2, 0]]), saved)
    np.testing.assert_array_equal(dx, [[-2, -2], [4, 10]])
    np.testing.assert_array_equal(grads["W"], [[1, 4, -1], [10, 0, -10]])
    np.testing.assert_array_equal(grads["b"], [1, 2, -1])


def grid(*rows):
    return np.array(rows, float).reshape(1, len(rows), len(rows[0]), 1)


def test_upsample_by_hand():
    up = Upsample(2)
    y, saved = up.forward(grid([1, 2]), TRAIN)
    np.testing.assert_array_equal(y, grid([1, 1, 2, 2], [1, 1, 2, 2]))
    np.testing.assert_array_equal(up.backward(grid([1, 2, 3, 4], [5, 6, 7, 8]), saved)[0], grid([14, 22]))
    assert Upsample(3).forward(np.zeros((2, 4, 5, 6)), TRAIN)[0].shape == (2, 12, 15, 6)


def test_flatten_goes_rows_first_and_back():
    flatten, x = Flatten(), RNG(12).normal(size=(2, 3, 4, 5))
    y, saved = flatten.forward(x, TRAIN)
    assert y[1, (2 * 4 + 3) * 5 + 4] == x[1, 2, 3, 4]
    np.testing.assert_array_equal(flatten.backward(y, saved)[0], x)


@pytest.mark.parametrize(("build", "message"), [
    (lambda: BatchNorm(3, "running"), "statistics is 'running'; expected 'batch' or 'moving'"),
    (lambda: Dropout(0), r"keep_probability is 0; expected a number in \(0, 1\]"),
    (lambda: Dropout(1.5), r"keep_probability is 1.5; expected a number in \(0, 1\]"),
    (lambda: LeakyReLU(1), "slope is 1; expected 0 < slope < 1"),
    (lambda: LeakyReLU(0), "slope is 0; expected 0 < slope < 1"),
    (lambda: LeakyReLU(-0.1), "slope is -0.1; expected 0 < slope < 1"),
    (lambda: MaxPool(0), "0 was given; expected a whole number of at least 1"),
    (lambda: AveragePool(2, (1, 0)), r"\(1, 0\) was given; expected a whole number of at least 1"),
    (lambda: MaxPool((16, 17)), "the window is 16x17; expected at most 256 pixels"),
    (lambda: MaxPool(2.5), "2.5 was given; expected a whole number of at least 1"),
    (lambda: MaxPool("2"), "'2' was given; expected a whole number of at least 1"),
    (lambda: Upsample(0), "factor is 0; expected a whole number of at least 1"),
    (lambda: Upsample(2.5), "factor is 2.5; expected a whole number of at least 1"),
])
def test_wrong_arguments_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(("layer", "shape", "message"), [
    (Dense(4, 2, rng=RNG(0)), (3, 5), r"the input is \(3, 5\); the layer expects \(N, 4\)"),
    (Dense(4, 2, rng=RNG(0)), (3, 2, 2, 4), r"expects \(N, 4\)"),
    (BatchNorm(4), (3, 1), r"the input is \(3, 1\); the layer expects \(\.\.\., 4\)"),
    (BatchNorm(1), (3, 4), r"expects \(\.\.\., 1\)"),
    (MaxPool(2), (3, 4), r"expects \(N, H, W, C\)"),
    (MaxPool(3), (1, 2, 5, 1), "the image is 2x5 and the window 3x3: it fits nowhere. Use a larger image"),
    (AveragePool(3), (1, 5, 2, 1), "the image is 5x2 and the window 3x3: it fits nowhere"),
], ids=lambda value: type(value).__name__ if hasattr(value, "forward") else None)
def test_wrong_inputs_are_refused(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer.forward(np.zeros(shape, "float32"), TRAIN)


@pytest.mark.parametrize("kind", [Dense, Conv2D, TransposedConv2D])
def test_biases_start_at_0_and_layers_are_linear(kind):
    """A.3.3, A.3.4."""
    layer = kind(3, 2, rng=RNG(0))
    assert (layer.params["b"] == 0).all() and layer.activation is None


def test_the_sizes_that_need_not_be_said():
    x = np.zeros((1, 4, 6, 2), "float32")
    for layer, shape in ((Conv2D(2, 3, rng=RNG(0)), (1, 4, 6, 3)), (TransposedConv2D(2, 3, rng=RNG(0)), (1, 8, 12, 3)),
                         (MaxPool(), (1, 2, 3, 2)), (AveragePool(), (1, 2, 3, 2)), (Upsample(), (1, 8, 12, 2))):
        assert layer.forward(x, TRAIN)[0].shape == shape
    assert Conv2D(2, 3, rng=RNG(0)).kernel_size == (3, 3) and TransposedConv2D(2, 3, rng=RNG(0)).kernel_size == (2, 2)
    y, _ = LeakyReLU().forward(np.array([-100.0]), TRAIN)
    assert y == -1
    assert Dropout().keep_probability == 0.5
    assert (BatchNorm(2).alpha, BatchNorm(2).epsilon) == (0.9, 1e-5)
