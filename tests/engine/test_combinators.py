"""Chain, Skip, Recompute and Observed, and what the protocol promises: paths, purity, what is kept and when it goes."""
import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest

from engine import losses
from engine.combinators import Chain, Recompute, Skip, observe
from engine.gradient_check.cases import cases
from engine.layer import Layer, Run, assign, parameter_count
from engine.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, MaxPool, ReLU, Tanh, Upsample

RNG = np.random.default_rng


def network(seed=0, dtype="float64"):
    """Everything inside everything: named and numbered layers, a skip, a recomputation, dropout and batch norm."""
    rng = RNG(seed)

    def conv(*channels):
        return Conv2D(*channels, activation=ReLU(), rng=rng, dtype=dtype)

    inner = Chain(norm=BatchNorm(3, dtype=dtype), pool=MaxPool(2), drop=Dropout(0.7), conv=conv(3, 4), up=Upsample(2))
    recomputed = Recompute(conv(7, 2), BatchNorm(2, dtype=dtype), Dropout(0.5))
    return Chain(conv(2, 3), Skip(inner), recomputed, Flatten(), head=Dense(32, 3, rng=rng, dtype=dtype))


def batch(seed=1, dtype="float64"):
    return RNG(seed).normal(size=(5, 4, 4, 2)).astype(dtype)


def test_paths_name_parameters_gradients_and_averages():
    net = network()
    assert list(net.parameters()) == ["0.W", "0.b", "1.inner.norm.c1", "1.inner.norm.c2", "1.inner.conv.W",
                                      "1.inner.conv.b", "2.0.W", "2.0.b", "2.1.c1", "2.1.c2",
                                      "head.W", "head.b"]
    assert list(net.moving_averages()) == ["1.inner.norm.mean", "1.inner.norm.variance", "2.1.mean",
                                           "2.1.variance"]
    y, saved = net.forward(batch(), Run())
    _, grads = net.backward(np.ones_like(y), saved)
    assert grads.keys() == net.parameters().keys() | net.moving_averages().keys()
    for path, array in (net.parameters() | net.moving_averages()).items():
        assert grads[path].shape == array.shape
    assert parameter_count(net) == sum(array.size for array in net.parameters().values())


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


class Scale(Layer):
    """y = factor x, and nothing else."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x, run):
        return self.factor * x, None

    def backward(self, dy, saved):
        return self.factor * dy, {}


def test_skip_puts_fx_before_x_and_adds_the_gradients():
    skip, x = Skip(Scale(10)), np.array([1.0, 2]).reshape(1, 1, 1, 2)
    y, saved = skip.forward(x, Run())
    np.testing.assert_array_equal(y.ravel(), [10, 20, 1, 2])
    dx, _ = skip.backward(np.array([1.0, 2, 3, 4]).reshape(1, 1, 1, 4), saved)
    np.testing.assert_array_equal(dx.ravel(), [13, 24])


def test_skip_refuses_sides_that_were_halved_and_doubled_unevenly():
    message = r"the shortcut is \(1, 5, 4, 2\) .* is \(1, 4, 4, 2\): only the channels may differ"
    with pytest.raises(ValueError, match=message):
        Skip(Chain(MaxPool(2), Upsample(2))).forward(np.zeros((1, 5, 4, 2)), Run())


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


def test_absorb_tells_1_from_10():
    chain = Chain(*(BatchNorm(1, alpha=0.0, dtype="float64") for _ in range(11)))
    chain.absorb({f"{place}.{name}": np.array([float(place)]) for place in range(11) for name in ("mean", "variance")})
    assert [float(chain.children[str(place)].buffers["mean"][0]) for place in range(11)] == list(range(11))


def test_absorb_tells_a_path_from_the_same_names_one_level_deeper():
    deep, flat = (BatchNorm(1, alpha=0.0, dtype="float64") for _ in range(2))
    chain = Chain(**{"1": Chain(**{"10": deep}), "10": flat})
    chain.absorb({"10.mean": np.array([5.0]), "10.variance": np.array([6.0])})
    assert flat.buffers == {"mean": 5, "variance": 6} and deep.buffers == {"mean": 0, "variance": 1}


def test_observe_sees_every_layer_in_order_and_changes_nothing():
    net, seen = network(), []
    x = batch()
    observed = observe(net, lambda path, layer, x, y: seen.append((path, type(layer), x, y)))
    y, saved = observed.forward(x, Run())
    np.testing.assert_array_equal(y, net.forward(x, Run())[0])
    assert [(path, kind) for path, kind, _, _ in seen] == [
        ("0", Conv2D), ("1.inner.norm", BatchNorm), ("1.inner.pool", MaxPool), ("1.inner.drop", Dropout),
        ("1.inner.conv", Conv2D), ("1.inner.up", Upsample), ("2.0", Conv2D), ("2.1", BatchNorm),
        ("2.2", Dropout), ("3", Flatten), ("head", Dense)]
    assert seen[0][2] is x
    assert seen[-1][3] is y
    dx, grads = observed.backward(np.ones_like(y), saved)
    expected_dx, expected = net.backward(np.ones_like(y), net.forward(x, Run())[1])
    np.testing.assert_array_equal(dx, expected_dx)
    assert grads.keys() == expected.keys()
    assert all(array is net.parameters()[path] for path, array in observed.parameters().items())


def test_the_dropouts_of_a_network_and_of_its_steps_differ():
    masks = []
    net = observe(Chain(Dropout(), Chain(Dropout(), Dropout()), Skip(Dropout()), Recompute(Dropout())),
                  lambda path, layer, x, y: masks.append((y[..., :9] / np.where(x == 0, 1, x)[..., :9]).tobytes()))
    x = np.ones((3, 3, 3, 9))
    for step in range(2):
        for layer in net.children.values():
            layer.forward(x, Run(seed=(step,)).child(list(net.children.values()).index(layer)))
    assert len(masks) == len(set(masks)) == 10


def test_assign_copies_and_keeps_dtypes():
    net, other = network(dtype="float32"), network(seed=5)
    arrays = other.parameters() | other.moving_averages()
    own = net.parameters()
    assign(net, arrays)
    for path, array in (net.parameters() | net.moving_averages()).items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, arrays[path].astype("float32"))
        assert not np.shares_memory(array, arrays[path])
    assert all(array is own[path] for path, array in net.parameters().items())


@pytest.mark.parametrize(("change", "message"), [
    (lambda arrays: arrays.pop("head.b"), r"'head.b' is absent in what was given and \(3,\) in the network"),
    (lambda arrays: arrays.update(extra=np.zeros(2)), r"'extra' is \(2,\) in what was given and absent in the network"),
    (lambda arrays: arrays.update({"head.b": np.zeros(4)}), r"'head.b' is \(4,\) in what was given and \(3,\) in the"),
])
def test_assign_refuses_other_networks_before_it_writes(change, message):
    net, arrays = network(), network(seed=5).parameters() | network(seed=5).moving_averages()
    change(arrays)
    before = {path: array.copy() for path, array in net.parameters().items()}
    with pytest.raises(ValueError, match=message):
        assign(net, arrays)
    np.testing.assert_equal(net.parameters(), before)


def test_convert_replaces_every_parameter_and_average():
    net = network()
    net.convert(lambda array: array.astype("float32"))
    arrays = net.parameters() | net.moving_averages()
    assert len(arrays) == 16
    assert {str(array.dtype) for array in arrays.values()} == {"float32"}


def test_run_is_frozen_and_its_numbers_are_the_seeds():
    run = Run()
    with pytest.raises(AttributeError):
        run.train = False
    like = np.zeros((2, 3))
    assert run.child(2).child(0) == Run(seed=(0, 2, 0))
    np.testing.assert_array_equal(run.uniform(like), run.uniform(like))
    assert (run.uniform(like) != run.child(1).uniform(like)).all()
    assert run.uniform(like).dtype == np.float32
    drawn = np.random.default_rng((3, 1)).random((2, 3), dtype=np.float32)  # a run begun yesterday goes on with these
    np.testing.assert_array_equal(Run(seed=(3, 1)).uniform(like), drawn)


def test_a_layer_without_forward_or_backward_says_so():
    for call in (lambda: Layer().forward(None, Run()), lambda: Layer().backward(None, None)):
        with pytest.raises(NotImplementedError):
            call()
