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
    GlobalAveragePool,
    LeakyReLU,
    MaxPool,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
    TransposedConv2D,
    Upsample,
    pooling,
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


def test_a_fused_activation_of_dense_gives_the_bits_of_a_separate_one():
    x, dy = RNG(1).normal(size=(4, 5)).astype("float32"), RNG(2).normal(size=(4, 3)).astype("float32")
    fused, plain, relu = Dense(5, 3, ReLU(), 0.1, rng=RNG(3)), Dense(5, 3, None, 0.1, rng=RNG(3)), ReLU()
    y, saved = fused.forward(x, TRAIN)
    a, saved_a = plain.forward(x, TRAIN)
    o, saved_o = relu.forward(a, TRAIN)
    np.testing.assert_array_equal(y, o)
    assert saved[1] is y
    dx, grads = fused.backward(dy, saved)
    expected_dx, expected = plain.backward(relu.backward(dy, saved_o)[0], saved_a)
    np.testing.assert_array_equal(dx, expected_dx)
    for name in expected:
        np.testing.assert_array_equal(grads[name], expected[name])


@pytest.mark.parametrize(("activation", "values", "slopes"), [
    (ReLU(), [0, 0, 3], [0, 0, 1]),
    (LeakyReLU(0.25), [-0.5, 0, 3], [0.25, 0.25, 1]),
    (Sigmoid(), [1 / (1 + np.e**2), 0.5, 1 / (1 + np.e**-3)],
     [np.e**2 / (1 + np.e**2) ** 2, 0.25, np.e**3 / (1 + np.e**3) ** 2]),
    (Tanh(), np.tanh([-2, 0, 3]), 1 / np.cosh([-2, 0, 3]) ** 2)], ids=lambda value: type(value).__name__)
def test_activations_and_their_slopes(activation, values, slopes):
    y, saved = activation.forward(np.array([-2.0, 0, 3]), TRAIN)
    np.testing.assert_allclose(y, values, rtol=1e-14)
    assert saved is y
    dx, grads = activation.backward(np.full(3, 2.0), saved)
    np.testing.assert_allclose(dx, 2 * np.array(slopes), rtol=1e-12)
    assert grads == {}


@pytest.mark.parametrize("activation", [ReLU(), LeakyReLU(), Sigmoid(), Tanh()], ids=lambda value: type(value).__name__)
def test_activations_let_a_nan_through_and_do_not_overflow(activation):
    with np.errstate(over="raise", divide="raise"):
        y, _ = activation.forward(np.array([np.nan, -1e4, 1e4], "float32"), TRAIN)
    assert np.isnan(y[0])
    assert np.isfinite(y[1:]).all()


def test_softmax_by_hand():
    softmax = Softmax()
    y, saved = softmax.forward(np.log([[1.0, 2, 5], [1, 1, 2]]), TRAIN)
    np.testing.assert_allclose(y, [[0.125, 0.25, 0.625], [0.25, 0.25, 0.5]], rtol=1e-15)
    dx, _ = softmax.backward(np.array([[1.0, 0, 0], [1, 1, 1]]), saved)
    np.testing.assert_allclose(dx, [[0.125 * 0.875, -0.125 * 0.25, -0.125 * 0.625], [0, 0, 0]], atol=1e-16)


def test_softmax_neither_overflows_nor_moves_with_a_constant():
    softmax, x = Softmax(), RNG(4).normal(size=(3, 5))
    with np.errstate(over="raise", invalid="raise"):
        large = softmax.forward(np.array([[1e4, 0, 1e4]]), TRAIN)[0]
    np.testing.assert_array_equal(large, [[0.5, 0, 0.5]])
    np.testing.assert_allclose(softmax.forward(x + 100, TRAIN)[0], softmax.forward(x, TRAIN)[0], rtol=1e-12)


def test_softmax_of_a_sample_does_not_depend_on_the_others():
    x = np.array([[2000.0, 2001, 2002], [0, 1, 2]])  # beside the first, the exponentials of the second are all 0
    y, _ = Softmax().forward(x, TRAIN)
    np.testing.assert_array_equal(y[0], y[1])
    np.testing.assert_array_equal(y[1:], Softmax().forward(x[1:], TRAIN)[0])


@pytest.mark.parametrize("shape", [(6, 4), (2, 3, 5, 4)])
def test_batch_norm_by_the_batch(shape):
    norm, x = BatchNorm(4, dtype="float64"), 3 + 2 * RNG(5).normal(size=shape)
    norm.params = {"c1": np.array([1.0, 2, 3, 4]), "c2": np.array([0.0, 1, 0, -1])}
    y, _ = norm.forward(x, TRAIN)
    axes = tuple(range(x.ndim - 1))
    expected = (x - x.mean(axes)) / np.sqrt(x.var(axes) + 1e-5) * norm.params["c1"] + norm.params["c2"]
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-13)
    np.testing.assert_allclose(y.mean(axes), norm.params["c2"], atol=1e-13)


def test_batch_norm_by_the_moving_averages_this_batch_included():
    norm, x = BatchNorm(1, "moving", alpha=0.75, epsilon=0.25, dtype="float64"), np.array([[1.0], [5.0]])
    norm.buffers = {"mean": np.array([1.0]), "variance": np.array([2.0])}
    y, _ = norm.forward(x, TRAIN)  # mu 3, var 4: m = 0.75 + 0.75, v = 1.5 + 1
    np.testing.assert_allclose(y, [[-0.5 / np.sqrt(2.75)], [3.5 / np.sqrt(2.75)]], rtol=1e-14)


def test_moving_averages_without_memory_are_the_usual_form():
    x, dy = RNG(6).normal(size=(7, 3)), RNG(7).normal(size=(7, 3))
    usual, printed = BatchNorm(3, dtype="float64"), BatchNorm(3, "moving", alpha=0.0, dtype="float64")
    y, saved = usual.forward(x, TRAIN)
    y0, saved0 = printed.forward(x, TRAIN)
    np.testing.assert_allclose(y0, y, rtol=0, atol=1e-15)
    np.testing.assert_allclose(printed.backward(dy, saved0)[0], usual.backward(dy, saved)[0], rtol=0, atol=1e-14)


@pytest.mark.parametrize("statistics", ["batch", "moving"])
def test_batch_norm_in_inference(statistics):
    norm, x = BatchNorm(2, statistics, epsilon=1.0, dtype="float64"), np.array([[1.0, 2], [3, 4]])
    norm.buffers = {"mean": np.array([1.0, 0]), "variance": np.array([3.0, 8])}
    y, saved = norm.forward(x, INFERENCE)
    np.testing.assert_allclose(y, [[0, 2 / 3], [1, 4 / 3]], rtol=1e-15)
    dx, grads = norm.backward(np.ones((2, 2)), saved)
    np.testing.assert_allclose(dx, [[1 / 2, 1 / 3], [1 / 2, 1 / 3]], rtol=1e-15)
    np.testing.assert_allclose(grads["c1"], [1, 2], rtol=1e-15)
    assert grads.keys() == {"c1", "c2"}
    before = {name: average.copy() for name, average in norm.buffers.items()}
    norm.absorb(grads)  # a pass of inference measured nothing
    np.testing.assert_equal(norm.buffers, before)


def test_absorb_moves_the_averages_and_forward_and_backward_do_not():
    norm, x = BatchNorm(1, alpha=0.75, dtype="float64"), np.array([[1.0], [5.0]])
    for _ in range(2):
        y, saved = norm.forward(x, TRAIN)
        _, grads = norm.backward(y, saved)
    assert (norm.buffers["mean"], norm.buffers["variance"]) == (0, 1)
    assert (grads["mean"], grads["variance"]) == (3, 4)
    norm.absorb(grads)
    assert (norm.buffers["mean"], norm.buffers["variance"]) == (0.75, 1.75)


def test_batch_norm_of_a_constant_channel_is_finite():
    norm = BatchNorm(2)
    y, saved = norm.forward(np.full((3, 4, 4, 2), 0.1, "float32"), TRAIN)
    dx, _ = norm.backward(np.ones_like(y), saved)
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()
    assert np.abs(y).max() < 1e-3


def test_what_batch_norm_keeps():
    norm, x = BatchNorm(4), RNG(8).normal(size=(2, 3, 3, 4)).astype("float32")
    kept, measured = norm.forward(x, TRAIN)[1]
    assert kept is x and measured.M == 18
    assert {array.shape for array in (*measured.batch.values(), measured.m, measured.s)} == {(4,)}


def test_dropout_keeps_a_share_rescaled_so_that_the_expectation_stays():
    x = np.ones((200, 500), "float32")
    y, saved = Dropout(0.8).forward(x, TRAIN)
    np.testing.assert_array_equal(np.unique(y), np.array([0, 1 / 0.8], "float32"))
    assert abs((y > 0).mean() - 0.8) < 5 * np.sqrt(0.8 * 0.2 / x.size)
    assert abs(y.mean() - 1) < 5 * np.sqrt(0.25 / x.size)
    assert saved == (TRAIN, x.shape)  # the seed, not the mask


def test_dropouts_mask_is_the_same_in_backward():
    dropout, x = Dropout(0.5), RNG(9).normal(size=(6, 7))
    y, saved = dropout.forward(x, Run(seed=(3, 1)))
    np.testing.assert_array_equal(dropout.backward(x, saved)[0], y)


def test_dropouts_mask_differs_by_step_and_place_and_returns_with_the_seed():
    dropout, x = Dropout(0.5), np.ones((10, 10))
    runs = [Run(seed=(step,)).child(place) for step in range(3) for place in range(3)]
    masks = [dropout.forward(x, run)[0].tobytes() for run in runs]
    assert len(set(masks)) == len(runs)
    assert masks == [dropout.forward(x, run)[0].tobytes() for run in runs]


def test_dropout_does_nothing_in_inference_or_when_all_is_kept():
    x = RNG(10).normal(size=(4, 5))
    y, saved = Dropout(0.3).forward(x, INFERENCE)
    assert y is x  # not even copied
    np.testing.assert_array_equal(Dropout(0.3).backward(x, saved)[0], x)
    np.testing.assert_array_equal(Dropout(1.0).forward(x, TRAIN)[0], x)


def grid(*rows):
    return np.array(rows, float).reshape(1, len(rows), len(rows[0]), 1)


def test_max_pool_gives_a_tie_to_the_first_and_adds_where_windows_overlap():
    pool = MaxPool(2)
    y, saved = pool.forward(grid([1, 1, 0, 5], [1, 1, 5, 0]), TRAIN)
    np.testing.assert_array_equal(y, grid([1, 5]))
    np.testing.assert_array_equal(pool.backward(grid([3, 7]), saved)[0], grid([3, 0, 0, 7], [0, 0, 0, 0]))
    overlapping = MaxPool(2, 1)
    y, saved = overlapping.forward(grid([0, 9, 0], [0, 0, 8]), TRAIN)
    np.testing.assert_array_equal(y, grid([9, 9]))
    np.testing.assert_array_equal(overlapping.backward(grid([3, 4]), saved)[0], grid([0, 7, 0], [0, 0, 0]))


def test_pooling_leaves_out_what_fills_no_window():
    x = grid([1, 2, 3], [4, 5, 6], [7, 8, 9])
    for pool, expected in ((MaxPool(2), 5), (AveragePool(2), 3)):
        y, saved = pool.forward(x, TRAIN)
        np.testing.assert_array_equal(y, grid([expected]))
        dx, _ = pool.backward(np.ones_like(y), saved)
        assert dx.shape == x.shape
        assert dx.sum() == 1
        assert (dx[0, 2] == 0).all()
        assert (dx[0, :, 2] == 0).all()


def test_max_pool_keeps_a_byte_for_each_output_and_nan_passes_through():
    x = RNG(11).normal(size=(2, 4, 6, 3)).astype("float32")
    x[0, 0, 0, 0] = np.nan
    y, (place, shape) = MaxPool(2).forward(x, TRAIN)
    assert (place.dtype, place.shape, shape) == (np.uint8, y.shape, x.shape)
    assert np.isnan(y[0, 0, 0, 0])
    assert np.isnan(y).sum() == 1


def test_sizes_may_be_numpys():
    assert (MaxPool(np.int64(2)).size, MaxPool([np.int32(2), 3]).size) == ((2, 2), (2, 3))


def test_max_pool_has_a_byte_for_256_places_and_no_more():
    pool, x = MaxPool(16), np.zeros((1, 16, 16, 1))
    x[0, 15, 15] = 1  # the last place, 255
    dx, _ = pool.backward(np.full((1, 1, 1, 1), 3.0), pool.forward(x, TRAIN)[1])
    np.testing.assert_array_equal(dx, 3 * x)
    with pytest.raises(ValueError, match="the window is 1x257; expected at most 256 pixels"):
        MaxPool((1, 257))


@pytest.mark.parametrize("kind", [MaxPool, AveragePool])
def test_windows_lie_side_by_side_unless_a_stride_is_given(kind):
    x = np.zeros((1, 6, 9, 1))
    assert kind(3).forward(x, TRAIN)[0].shape == (1, 2, 3, 1)
    assert kind((2, 3)).forward(x, TRAIN)[0].shape == (1, 3, 3, 1)
    assert kind(3, 1).forward(x, TRAIN)[0].shape == (1, 4, 7, 1)


def test_inference_looks_for_no_places(monkeypatch):
    """They cost about half of a pooling."""
    asked, max_pool = [], pooling.max_pool
    monkeypatch.setattr(pooling, "max_pool", lambda x, size, stride, places: (asked.append(places),
                                                                              max_pool(x, size, stride, places))[1])
    for record in (True, False):
        MaxPool(2).forward(np.zeros((1, 2, 2, 1)), Run(record=record))
    assert asked == [True, False]


def test_average_pool_by_hand():
    pool = AveragePool((1, 2), 1)
    y, saved = pool.forward(grid([1, 3, 7]), TRAIN)
    np.testing.assert_array_equal(y, grid([2, 5]))
    np.testing.assert_array_equal(pool.backward(grid([2, 4]), saved)[0], grid([1, 3, 2]))


def test_global_average_pool_by_hand():
    pool, x = GlobalAveragePool(), np.arange(12.0).reshape(1, 2, 3, 2)
    y, saved = pool.forward(x, TRAIN)
    np.testing.assert_array_equal(y, [[5, 6]])
    dx, _ = pool.backward(np.array([[6.0, 12]]), saved)
    np.testing.assert_array_equal(dx, np.broadcast_to([1.0, 2], x.shape))


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


@pytest.mark.parametrize("statistics", ["batch", "moving"])
def test_batch_norms_gradient_by_complex_step(statistics):
    norm, x, v, dy = BatchNorm(3, statistics, 0.6, dtype="float64"), *RNG(13).normal(size=(3, 5, 3))
    numeric = np.vdot(dy, norm.forward(x + 1e-200j * v, TRAIN)[0].imag) / 1e-200
    np.testing.assert_allclose(np.vdot(norm.backward(dy, norm.forward(x, TRAIN)[1])[0], v), numeric, rtol=1e-12)
