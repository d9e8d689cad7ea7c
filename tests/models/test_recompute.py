"""Networks that recompute: the same parameters and gradients from fewer kept numbers."""
import numpy as np
import pytest

from engine.layer import Run, assign
from models.unet import unet
from models.vgg import vgg


def make(seed, **options):
    return unet(1, 3, 2, rng=np.random.default_rng(seed), **options)


def kept_bytes(saved):
    """Of all the arrays that backward is handed, each counted once."""
    found = {}

    def collect(value):
        if isinstance(value, np.ndarray):
            found[id(value)] = value.nbytes
        elif isinstance(value, (list, tuple)):
            for part in value:
                collect(part)

    collect(saved)
    return sum(found.values())


@pytest.mark.parametrize("train", [True, False])
def test_the_same_bits_with_and_without(train):
    x, run = np.random.default_rng(1).random((2, 16, 24, 1), "float32"), Run(train=train, seed=(3,))
    network, less = make(0), make(0, recompute=True)
    y, saved = network.forward(x, run)
    y_less, saved_less = less.forward(x, run)
    np.testing.assert_array_equal(y_less, y)
    assert kept_bytes(saved_less) < 0.8 * kept_bytes(saved)
    dy = np.random.default_rng(2).normal(size=y.shape).astype("float32")
    (dx, grads), (dx_less, grads_less) = network.backward(dy, saved), less.backward(dy, saved_less)
    np.testing.assert_array_equal(dx_less, dx)
    assert grads_less.keys() == grads.keys()
    for path in grads:
        np.testing.assert_array_equal(grads_less[path], grads[path])
    network.absorb(grads)
    less.absorb(grads_less)
    np.testing.assert_equal(less.moving_averages(), network.moving_averages())


def test_the_arrays_of_one_load_into_the_other():
    network, less = make(0), make(1, recompute=True)
    assert list(less.parameters()) == list(network.parameters())
    assign(less, network.parameters() | network.moving_averages())
    np.testing.assert_equal(less.parameters(), network.parameters())


def test_a_vgg_that_recomputes_has_the_same_parameters_and_gradients():
    x, run = np.random.default_rng(1).random((3, 32, 32, 2)), Run(seed=(3,))
    network, less = (vgg(32, 2, width=1 / 8, bias=0.3, rng=np.random.default_rng(0), dtype="float64",
                         recompute=recompute) for recompute in (False, True))
    (y, saved), (y_less, saved_less) = network.forward(x, run), less.forward(x, run)
    np.testing.assert_allclose(y_less, y, rtol=1e-12)
    assert kept_bytes(saved_less) < 0.8 * kept_bytes(saved)
    dy = np.random.default_rng(2).normal(size=y.shape)
    grads, grads_less = network.backward(dy, saved)[1], less.backward(dy, saved_less)[1]
    assert grads_less.keys() == grads.keys()
    for path, g in grads.items():
        np.testing.assert_allclose(grads_less[path], g, rtol=1e-9, atol=1e-9 * abs(g).max(), err_msg=path)
