import array_api_strict
import numpy as np
import pytest

from engine.layer import Run
from engine.layers import Dense
from models.predict import predict
from models.saliency import saliency
from models.vgg import vgg


def network(dtype="float64"):
    """A small VGG of two channels whose moving averages are not those it was built with."""
    made = vgg(32, 2, width=1 / 16, bias=0.3, rng=np.random.default_rng(0), dtype=dtype)
    x = np.random.default_rng(1).random((8, 32, 32, 2)).astype(dtype)
    for seed in range(20):
        y, saved = made.forward(x, Run(seed=(seed,)))
        made.absorb(made.backward(np.ones_like(y), saved)[1])
    return made


@pytest.fixture(scope="module")
def trained():
    return network()


def images(count=3):
    return np.random.default_rng(2).random((count, 32, 32, 2))


def test_saliency_of_a_linear_network_is_the_row_of_its_class():
    layer = Dense(4, 3, rng=np.random.default_rng(0), dtype="float64")
    W = layer.params["W"]
    gradient = saliency(layer, np.random.default_rng(1).random((3, 4)), [2, 0, 2])
    np.testing.assert_array_equal(gradient, np.stack([W[:, 2], W[:, 0], W[:, 2]]))


@pytest.mark.parametrize("direction", range(3))
def test_saliency_agrees_with_finite_differences_of_each_image_s_logit(direction, trained):
    x, classes, h = images(), [2, 0, 1], 1e-6
    v = np.random.default_rng(direction).standard_normal(x.shape)
    logits = [predict(trained, x + sign * h * v)[1][range(3), classes] for sign in (1, -1)]
    numeric = (logits[0] - logits[1]) / (2 * h)
    analytic = (saliency(trained, x, classes) * v).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(analytic, numeric, rtol=1e-6)
    assert np.abs(analytic).min() > 1e-4


def test_the_pixel_that_saliency_names_is_the_one_that_changes_the_logit_most(trained):
    x, h = images(1), 1e-6
    gradient = np.abs(saliency(trained, x, [1])[0])
    place = np.unravel_index(gradient.argmax(), gradient.shape)
    def change(at):
        moved = x.copy()
        moved[(0, *at)] += h
        return abs(predict(trained, moved)[1][0, 1] - predict(trained, x)[1][0, 1]) / h
    assert change(place) == pytest.approx(gradient.max(), rel=1e-4)
    others = [tuple(np.random.default_rng(seed).integers((32, 32, 2))) for seed in range(10)]
    assert max(map(change, others)) <= change(place) * (1 + 1e-4)


def test_images_do_not_influence_one_another_and_nothing_is_changed(trained):
    x = images()
    before = {path: array.copy() for path, array in (trained.parameters() | trained.moving_averages()).items()}
    together = saliency(trained, x, [0, 1, 2])
    for place in range(3):
        np.testing.assert_allclose(saliency(trained, x[place:place + 1], [place]), together[place:place + 1], rtol=1e-9,
                                   atol=1e-12)
    for path, array in (trained.parameters() | trained.moving_averages()).items():
        np.testing.assert_array_equal(array, before[path])


def test_saliency_on_strict_arrays_is_that_of_numpy():
    twin, here = network("float32"), network("float32")
    twin.convert(array_api_strict.asarray)
    x = images(2).astype("float32")
    measured = saliency(twin, array_api_strict.asarray(x), [0, 2])
    assert str(measured.dtype).endswith("float32")
    expected = saliency(here, x, [0, 2])
    np.testing.assert_allclose(np.asarray(measured), expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
