"""Pooling by hand: ties, windows, what is kept."""
import numpy as np
import pytest

from engine.layer import Run
from engine.layers import AveragePool, GlobalAveragePool, MaxPool, pooling

RNG = np.random.default_rng
TRAIN, INFERENCE = Run(), Run(train=False)


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
