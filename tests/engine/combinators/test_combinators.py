"""What holds for all combinators: paths, purity, what is kept and when it goes."""
import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest

from engine import losses
from engine.combinators import Chain, Recompute, Skip
from engine.gradient_cases import cases
from engine.layer import Layer, Run, parameter_count
from engine.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, MaxPool, ReLU, Upsample
from engine.observing import observe

RNG = np.random.default_rng


def network(seed=0, dtype="float64"):
    """Everything inside everything: named and numbered layers, a skip, a recomputation, dropout and batch norm."""
    rng = RNG(seed)

    def conv(*channels):
        return Conv2D(*channels, activation=ReLU(), rng=rng, dtype=dtype)

    skip = Skip(norm=BatchNorm(3, dtype=dtype), pool=MaxPool(2), drop=Dropout(0.7), conv=conv(3, 4), up=Upsample(2))
    recomputed = Recompute(conv(7, 2), BatchNorm(2, dtype=dtype), Dropout(0.5))
    return Chain(conv(2, 3), skip, recomputed, Flatten(), head=Dense(32, 3, rng=rng, dtype=dtype))


def batch(seed=1, dtype="float64"):
    return RNG(seed).normal(size=(5, 4, 4, 2)).astype(dtype)


def test_paths_name_parameters_gradients_and_averages():
    net = network()
    assert list(net.parameters()) == ["0.W", "0.b", "1.fork.norm.c1", "1.fork.norm.c2", "1.fork.conv.W",
                                      "1.fork.conv.b", "2.0.W", "2.0.b", "2.1.c1", "2.1.c2",
                                      "head.W", "head.b"]
    assert list(net.moving_averages()) == ["1.fork.norm.mean", "1.fork.norm.variance", "2.1.mean",
                                           "2.1.variance"]
    y, saved = net.forward(batch(), Run())
    _, grads = net.backward(np.ones_like(y), saved)
    assert grads.keys() == net.parameters().keys() | net.moving_averages().keys()
    for path, array in (net.parameters() | net.moving_averages()).items():
        assert grads[path].shape == array.shape
    assert parameter_count(net) == sum(array.size for array in net.parameters().values())


def test_recompute_gives_the_same_paths_and_bits_as_a_chain_and_keeps_only_x():
    x, run, net = batch(dtype="float32"), Run(seed=(7,)), network(dtype="float32")
    less = Recompute(**net.children)
    y, saved = net.forward(x, run)
    y_less, saved_less = less.forward(x, run)
    np.testing.assert_array_equal(y_less, y)
    assert saved_less[0] is x and saved_less[1] == run
    dy = RNG(4).normal(size=y.shape).astype("float32")
    (dx, grads), (dx_less, grads_less) = net.backward(dy, saved), less.backward(dy, saved_less)
    np.testing.assert_array_equal(dx_less, dx)
    assert list(less.parameters()) == list(net.parameters())
    assert grads_less.keys() == grads.keys()
    for path in grads:
        np.testing.assert_array_equal(grads_less[path], grads[path])


def test_recompute_lets_nothing_inside_it_record_on_the_way_forward():
    class Told(Watched):
        def forward(self, x, run):
            self.seen.append(run.record)
            return super().forward(x, run)

        def backward(self, dy, saved):
            return dy, {}

    seen = []
    recompute = Recompute(Told([], seen), Told([], seen))
    y, saved = recompute.forward(np.ones(3), Run())
    assert seen == [False, False]
    recompute.backward(y, saved)
    assert seen == [False, False, True, True]


@pytest.mark.parametrize("train", [True, False])
def test_nothing_big_is_kept_where_nothing_is_recorded(train):
    net, x = network(), batch()
    for layer in (net, *net.children.values()):
        y, saved = layer.forward(x, Run(train, record=False))
        recorded, _ = layer.forward(x, Run(train))
        np.testing.assert_array_equal(y, recorded)
        assert saved is None or (isinstance(layer, Flatten) and saved == x.shape)
        x = x if layer is net else y


def arrays_in(value):
    if isinstance(value, tuple | list):
        return [array for item in value for array in arrays_in(item)]
    return [value] if isinstance(value, np.ndarray) else []


@pytest.mark.parametrize("case", [case for case in cases() if case.kind not in dir(losses)], ids=lambda case: case.name)
def test_no_layer_keeps_an_array_where_nothing_is_recorded(case):
    y, saved = case.layer.forward(case.x, replace(case.run, record=False))
    assert arrays_in(saved) == []
    np.testing.assert_array_equal(y, case.layer.forward(case.x, case.run)[0])


class Watched(Layer):
    """The identity, which keeps an array of its own and tells how many of all that were kept are still alive."""

    def __init__(self, alive, seen):
        super().__init__()
        self.alive, self.seen = alive, seen

    def forward(self, x, run):
        if not run.record:
            return x, None
        kept = np.zeros(3)
        self.alive.append(weakref.ref(kept))
        return x, kept

    def backward(self, dy, saved):
        self.seen.append(sum(reference() is not None for reference in self.alive))
        return dy, {}


@pytest.mark.parametrize("wrap", [lambda layer: layer, Skip, Recompute, lambda layer: Chain(Chain(layer))],
                         ids=["Chain", "Skip", "Recompute", "Chain of Chain"])
def test_saved_values_go_as_soon_as_they_were_used(wrap):
    alive, seen = [], []
    chain = wrap(Chain(*(Watched(alive, seen) for _ in range(4))))
    x = np.zeros((1, 1, 1, 2))
    gc.disable()  # by counting references alone, not when the collector happens to come
    try:
        y, _ = chain.forward(x, Run(record=False))
        chain.backward(np.zeros_like(y), chain.forward(x, Run())[1])
    finally:
        gc.enable()
    assert seen == [4, 3, 2, 1]


def test_backward_may_be_repeated_with_the_same_saved_values():
    net, x = network(), batch()
    y, saved = net.forward(x, Run())
    dx, grads = net.backward(np.ones_like(y), saved)
    again, grads_again = net.backward(np.ones_like(y), saved)
    np.testing.assert_array_equal(dx, again)
    for path in grads:
        np.testing.assert_array_equal(grads[path], grads_again[path])


def test_absorb_reaches_every_batch_norm():
    net, observed = network(), observe(network(), lambda *_: None)
    for layer in (net, observed):
        y, saved = layer.forward(batch(), Run())
        layer.absorb(layer.backward(y, saved)[1])
        averages = layer.moving_averages()
        assert all((averages[path] != (1 if path.endswith("variance") else 0)).all() for path in averages)
    np.testing.assert_equal(observed.moving_averages(), net.moving_averages())


def test_the_dropouts_of_a_network_and_of_its_steps_differ():
    masks = []

    def see(path, layer, x, y):
        if isinstance(layer, Dropout):
            masks.append((y / np.where(x == 0, 1, x)).tobytes())

    net = observe(Chain(Dropout(), Chain(Dropout(), Dropout()), Skip(Dropout()), Recompute(Dropout())), see)
    x = np.ones((3, 3, 3, 9))
    for step in range(2):
        for layer in net.children.values():
            layer.forward(x, Run(seed=(step,)).child(list(net.children.values()).index(layer)))
    assert len(masks) == len(set(masks)) == 10
