"""A U-net that recomputes: the same parameters, bits and gradients from fewer kept numbers."""
import numpy as np
import pytest

from engine.layer import Run, assign
from models.unet import unet


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
