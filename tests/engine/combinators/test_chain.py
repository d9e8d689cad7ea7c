"""Chain: composition, the product of transposed Jacobians, and paths."""
import gc
import weakref

import numpy as np

from engine.combinators import Chain
from engine.layer import Layer, Run
from engine.layers import BatchNorm, Dense, Tanh

RNG = np.random.default_rng


def batch(seed=1, dtype="float64"):
    return RNG(seed).normal(size=(5, 4, 4, 2)).astype(dtype)


def test_chain_is_composition_and_the_product_of_transposed_jacobians():
    first, second = Dense(3, 4, Tanh(), rng=RNG(0), dtype="float64"), Dense(4, 2, rng=RNG(1), dtype="float64")
    chain, x, dy = Chain(first, second), RNG(2).normal(size=(5, 3)), RNG(3).normal(size=(5, 2))
    y, saved = chain.forward(x, Run())
    hidden, saved_1 = first.forward(x, Run())
    expected, saved_2 = second.forward(hidden, Run())
    np.testing.assert_array_equal(y, expected)
    dx, grads = chain.backward(dy, saved)
    dh, grads_2 = second.backward(dy, saved_2)
    expected_dx, grads_1 = first.backward(dh, saved_1)
    np.testing.assert_array_equal(dx, expected_dx)
    for path, g in {"0.W": grads_1["W"], "0.b": grads_1["b"], "1.W": grads_2["W"], "1.b": grads_2["b"]}.items():
        np.testing.assert_array_equal(grads[path], g)
    assert len(grads) == 4


def test_an_empty_chain_is_the_identity():
    x = batch()
    y, saved = Chain().forward(x, Run())
    assert y is x
    assert Chain().backward(x, saved) == (x, {})


def test_absorb_tells_1_from_10():
    chain = Chain(*(BatchNorm(1, alpha=0.0, dtype="float64") for _ in range(11)))
    chain.absorb({f"{place}.{name}": np.array([float(place)]) for place in range(11) for name in ("mean", "variance")})
    assert [float(chain.children[str(place)].buffers["mean"][0]) for place in range(11)] == list(range(11))


def test_absorb_tells_a_path_from_the_same_names_one_level_deeper():
    deep, flat = (BatchNorm(1, alpha=0.0, dtype="float64") for _ in range(2))
    chain = Chain(**{"1": Chain(**{"10": deep}), "10": flat})
    chain.absorb({"10.mean": np.array([5.0]), "10.variance": np.array([6.0])})
    assert flat.buffers == {"mean": 5, "variance": 6} and deep.buffers == {"mean": 0, "variance": 1}


class Told(Layer):
    """The identity; tells how many of the gradients that such layers made are still alive."""

    def __init__(self, made, seen):
        super().__init__()
        self.made, self.seen = made, seen

    def forward(self, x, run):
        return x, None

    def backward(self, dy, saved):
        self.seen.append(sum(reference() is not None for reference in self.made))
        dx = dy.copy()
        self.made.append(weakref.ref(dx))
        return dx, {}


def test_a_gradient_goes_as_soon_as_it_was_used_however_deep_the_chains():
    """What comes in from an outer chain, too: of a stage with many channels it is large."""
    made, seen = [], []
    told = [Told(made, seen) for _ in range(5)]
    network, x = Chain(told[0], Chain(told[1], Chain(told[2], told[3])), told[4]), np.zeros(3)
    gc.disable()  # by counting references alone
    try:
        network.backward(np.zeros(3), network.forward(x, Run())[1])
    finally:
        gc.enable()
    assert seen == [0, 1, 1, 1, 1]
