"""Xavier initialization: variances, bounds, fans, and the scales that it is there to keep."""
import numpy as np
import pytest

from engine.initializers import fans, xavier_normal, xavier_uniform

DRAWS = [xavier_uniform, xavier_normal]


def test_fans_of_dense_weights_and_kernels():
    assert fans((30, 20)) == (30, 20)
    assert fans((3, 5, 8, 16)) == (15 * 8, 15 * 16)


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("shape", [(400, 600), (3, 3, 64, 128)])
def test_mean_and_variance(draw, shape):
    w = draw(np.random.default_rng(1), shape, "float64")
    variance = 2 / sum(fans(shape))
    # the standard error of the variance is at most sqrt(2 / size) of it; five of them
    assert abs(w.var() / variance - 1) < 5 * np.sqrt(2 / w.size)
    assert abs(w.mean()) < 5 * np.sqrt(variance / w.size)


def test_the_uniform_bound_is_reached_and_kept():
    w = xavier_uniform(np.random.default_rng(2), (100, 200), "float64")
    bound = np.sqrt(6) / np.sqrt(300)
    assert 0.999 * bound < np.abs(w).max() <= bound


def test_the_normal_form_has_tails_beyond_the_uniform_bound():
    w = xavier_normal(np.random.default_rng(2), (100, 200), "float64")
    kurtosis = np.mean(w**4) / np.mean(w**2) ** 2
    assert abs(kurtosis - 3) < 0.15  # 9/5 for uniform numbers


@pytest.mark.parametrize("draw", DRAWS)
def test_every_dtype_starts_from_the_same_numbers(draw):
    single, double = (draw(np.random.default_rng(3), (3, 3, 4, 5), dtype) for dtype in ("float32", "float64"))
    assert single.dtype == np.float32 and double.dtype == np.float64
    assert np.array_equal(single, double.astype(np.float32))


@pytest.mark.parametrize("draw", DRAWS)
def test_activations_and_gradients_keep_their_scale_through_many_layers(draw):
    rng = np.random.default_rng(4)
    weights = [draw(rng, (256, 256), "float64") for _ in range(10)]
    x = dy = rng.standard_normal((64, 256))
    for w in weights:
        x = x @ w
    for w in reversed(weights):
        dy = dy @ w.T
    assert 0.8 < x.std() < 1.25
    assert 0.8 < dy.std() < 1.25


def test_a_shape_without_fans_is_refused():
    with pytest.raises(ValueError, match=r"\(7,\) have no fans"):
        xavier_normal(np.random.default_rng(0), (7,))
