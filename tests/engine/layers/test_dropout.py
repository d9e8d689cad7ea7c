"""Dropout: shares, masks and seeds."""
import numpy as np

from engine.layer import Run
from engine.layers import Dropout

RNG = np.random.default_rng
TRAIN, INFERENCE = Run(), Run(train=False)


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
