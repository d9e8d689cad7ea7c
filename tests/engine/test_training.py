"""The loop of steps: what it computes, that no NaN is taken in, and that it can stop and go on anywhere."""
import os
import weakref

import array_api_strict
import numpy as np
import pytest

from engine.combinators import Chain, Recompute, Skip
from engine.kernels.cpu import use_threads
from engine.layer import Layer, Run
from engine.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, MaxPool, ReLU
from engine.losses import binary_cross_entropy_with_logits, least_squares
from engine.optimizers import SGD, Adam, Momentum
from engine.training import NotFinite, Step, gradients, train


def image_network(seed=0):
    """All that could make a resumed run differ: batch norm's averages, dropout, recomputation."""
    rng = np.random.default_rng(seed)
    return Chain(
        conv=Conv2D(1, 4, activation=ReLU(), rng=rng), norm=BatchNorm(4), pool=MaxPool(2),
        level=Recompute(Skip(Conv2D(4, 3, rng=rng), Dropout(0.7))),
        flatten=Flatten(), dense=Dense(4 * 4 * 7, 8, ReLU(), rng=rng), dropout=Dropout(0.5), out=Dense(8, 3, rng=rng))


def batches(start, stop, seed=9):
    for number in range(start, stop):
        rng = np.random.default_rng((seed, number))
        x = rng.standard_normal((6, 8, 8, 1)).astype("float32")
        yield number, (x, np.eye(3, dtype="float32")[rng.integers(0, 3, 6)])


def run(network, optimizer, start, stop):
    return list(train(network, binary_cross_entropy_with_logits, optimizer, batches(start, stop),
                      lambda number: 1e-2 * 0.9**number, seed=4))


def arrays(network):
    return {path: array.copy() for path, array in (network.parameters() | network.moving_averages()).items()}


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[path], other[path]) for path in one)


def test_a_step_is_forward_loss_backward_update_and_absorb():
    network, by_hand = image_network(), image_network()
    optimizer = SGD(network.parameters())
    number, (x, target) = next(batches(5, 6))
    steps = list(train(network, binary_cross_entropy_with_logits, optimizer, [(number, (x, target))],
                       lambda number: 0.1 * number, seed=4))

    y, saved = by_hand.forward(x, Run(train=True, record=True, seed=(4, 5)))
    value, dy = binary_cross_entropy_with_logits(y, target)
    _, grads = by_hand.backward(dy, saved)
    for path, parameter in by_hand.parameters().items():
        parameter -= np.float32(0.5) * grads[path]
    by_hand.absorb(grads)
    assert steps == [Step(5, float(value), 0.5)]
    assert same(arrays(network), arrays(by_hand))
    assert not np.array_equal(network.moving_averages()["norm.mean"], np.zeros(4))


def test_the_loss_falls():
    network = Chain(Dense(2, 16, ReLU(), rng=np.random.default_rng(0)), Dense(16, 1, rng=np.random.default_rng(1)))
    x = np.random.default_rng(2).uniform(-1, 1, (64, 2)).astype("float32")
    target = (x[:, :1] * x[:, 1:] > 0).astype("float32")  # not linearly separable
    steps = list(train(network, binary_cross_entropy_with_logits, Adam(network.parameters()),
                       ((number, (x, target)) for number in range(300)), lambda number: 0.02, seed=0))
    assert steps[0].loss > 0.6 and steps[-1].loss < 0.15


@pytest.mark.parametrize("kind", [SGD, Momentum, Adam])
def test_a_resumed_run_continues_bit_for_bit(kind):
    whole = image_network()
    steps = run(whole, kind(whole.parameters()), 0, 7)

    first = image_network()
    optimizer = kind(first.parameters())
    begun = run(first, optimizer, 0, 3)
    second = image_network(seed=1)
    for path, array in (second.parameters() | second.moving_averages()).items():
        array[...] = arrays(first)[path]
    resumed = kind(second.parameters())
    resumed.load(optimizer.state())
    assert begun + run(second, resumed, 3, 7) == steps
    assert same(arrays(second), arrays(whole))


def test_the_seed_and_the_number_decide_about_dropout():
    def one_step(seed, number):
        network = image_network()
        (_, batch), = batches(0, 1)
        list(train(network, binary_cross_entropy_with_logits, SGD(network.parameters()), [(number, batch)],
                   lambda number: 0.1, seed=seed))
        return arrays(network)

    assert same(one_step(1, 0), one_step((1,), 0))
    assert not same(one_step(1, 0), one_step(2, 0))
    assert not same(one_step(1, 0), one_step(1, 1))
    assert not same(one_step(1, 0), one_step((1, 2), 0))


@pytest.fixture
def set_threads():
    yield use_threads
    use_threads(os.cpu_count() or 1)


def test_the_number_of_threads_changes_no_bit(set_threads):
    rng = np.random.default_rng(1)
    x, target = (rng.standard_normal(shape).astype("float32") for shape in ((8, 64, 64, 1), (8, 3)))
    results = []
    for threads in (1, 2, 3):
        set_threads(threads)
        rng = np.random.default_rng(0)  # large enough for several jobs in every kernel
        network = Chain(Conv2D(1, 16, activation=ReLU(), rng=rng), BatchNorm(16), Conv2D(16, 16, rng=rng), MaxPool(2),
                        Dropout(0.5), Flatten(), Dense(32 * 32 * 16, 40, rng=rng), Dense(40, 3, rng=rng))
        steps = list(train(network, least_squares, Adam(network.parameters()),
                           ((number, (x, target)) for number in range(2)), lambda number: 1e-3, seed=0))
        results.append((steps, arrays(network)))
    for steps, final in results[1:]:
        assert steps == results[0][0]
        assert same(final, results[0][1])


@pytest.mark.parametrize("kind", ["bool", "int32"])
@pytest.mark.parametrize("xp", [np, array_api_strict])
def test_masks_and_labels_are_finite(xp, kind):
    network = Chain(Dense(2, 2, rng=np.random.default_rng(0)))
    network.convert(xp.asarray)
    x, mask = xp.ones((3, 2), dtype=xp.float32), xp.ones((3, 2), dtype=getattr(xp, kind))
    with pytest.raises(NotFinite) as error:
        list(train(network, lambda y, mask: (xp.asarray(xp.inf), y), SGD(network.parameters()), [(x, mask)], 1, seed=0))
    assert "the loss is inf" in str(error)


def test_what_backward_has_used_is_freed_before_backward_goes_on():
    kept = []

    class Keeps(Layer):
        def forward(self, x, run):
            saved = np.copy(x)
            kept.append(weakref.ref(saved))
            return x, saved

        def backward(self, dy, saved):
            del saved
            return dy, {"alive": np.array(float(sum(ref() is not None for ref in kept)))}

    network = Chain(*(Keeps() for _ in range(4)))
    x = np.ones((2, 3))
    _, grads = gradients(network, least_squares, x, x, Run())
    alive = [int(grads[f"{place}.alive"]) for place in (3, 2, 1, 0)]
    assert np.array_equal(np.diff(alive), [-1, -1, -1])


@pytest.mark.parametrize("kind", [SGD, Momentum, Adam])
def test_an_update_that_would_overflow_is_refused_before_anything_is_written(kind):
    """All arrays stay as they were, finite: a checkpoint that is written afterwards holds no infinity."""
    def steep(y, target):
        return np.float32(1), np.full_like(y, 1e20)

    for loss, rate in ((steep, 0.1), (least_squares, 1e35), (least_squares, np.inf), (least_squares, np.nan)):
        network = Chain(Dense(2, 2, rng=np.random.default_rng(0)))
        optimizer = kind(network.parameters())
        if loss is steep and kind is not Adam:  # a change of 1e19 is absurd, but no infinity
            continue
        batch = (np.ones((3, 2), np.float32), np.zeros((3, 2), np.float32))
        good = list(train(network, least_squares, optimizer, [batch] * 2, 1e-3, seed=0))
        before, state = arrays(network), {name: np.array(array) for name, array in optimizer.state().items()}
        message = r"at step 3 the update could overflow: the gradients' norm is .*, the learning rate"
        with np.errstate(over="ignore"), pytest.raises(NotFinite, match=message):
            list(train(network, loss, optimizer, [batch], rate, seed=0))
        assert len(good) == optimizer.steps == 2
        assert same(before, arrays(network)) and same(state, optimizer.state())


@pytest.mark.parametrize("kind", [SGD, Momentum, Adam])
def test_whatever_the_rate_no_step_leaves_an_infinity(kind):
    """The rate grows tenfold a step until training ends with an error; until then all is finite after every step."""
    network = Chain(Dense(3, 4, ReLU(), rng=np.random.default_rng(0)), Dense(4, 1, rng=np.random.default_rng(1)))
    optimizer = kind(network.parameters())
    x = np.random.default_rng(2).normal(size=(8, 3)).astype("float32")
    with np.errstate(all="ignore"), pytest.raises(NotFinite):
        for _ in train(network, least_squares, optimizer, [(x, x[:, :1])] * 60, lambda number: 10.0**number, seed=0):
            assert all(np.isfinite(array).all() for array in (arrays(network) | optimizer.state()).values())
    assert all(np.isfinite(array).all() for array in (arrays(network) | optimizer.state()).values())


def test_gradients_whose_squares_overflow_are_clipped():
    network = Chain(Dense(2, 2, rng=np.random.default_rng(0)))
    optimizer, before = SGD(network.parameters(), clip_norm=1.0), arrays(network)
    batch = (np.ones((3, 2), np.float32), np.zeros((3, 2), np.float32))
    with np.errstate(over="ignore"):
        list(train(network, lambda y, target: (np.float32(1), np.full_like(y, 1e30)), optimizer, [batch], 0.5, seed=0))
    changes = [array - before[path] for path, array in arrays(network).items()]
    assert np.sqrt(sum(np.sum(change**2) for change in changes)) == pytest.approx(0.5, rel=1e-6)


def test_plain_batches_and_a_plain_rate():
    plain, numbered = image_network(), image_network()
    given = [batch for _, batch in batches(1, 5)]
    one, other = Adam(plain.parameters()), Adam(numbered.parameters())
    steps = list(train(plain, binary_cross_entropy_with_logits, one, given[:3], 0.01, seed=4))
    assert steps == list(train(numbered, binary_cross_entropy_with_logits, other, enumerate(given[:3], start=1),
                               lambda number: 0.01, seed=4))
    assert [step.number for step in steps] == [1, 2, 3] and same(arrays(plain), arrays(numbered))
    last, = train(plain, binary_cross_entropy_with_logits, one, [list(given[3])], np.float32(0.01), seed=4)
    assert last.number == 4  # a second call goes on: other dropout than in the first


def test_numbers_may_be_numpys():
    network, other = image_network(), image_network()
    (_, batch), = batches(1, 2)
    step, = train(network, binary_cross_entropy_with_logits, SGD(network.parameters()), [(np.int64(7), batch)], 0.1,
                  seed=np.int64(3))
    again, = train(other, binary_cross_entropy_with_logits, SGD(other.parameters()), [(7, batch)], 0.1, seed=3)
    assert step == again and same(arrays(network), arrays(other))


@pytest.mark.parametrize("given", [
    (np.ones((2, 2)), np.ones((2, 2))), [np.ones((2, 2))], [(1, 2, 3)], {"x": 1, "y": 2}])
def test_what_is_no_batch_is_refused(given):
    network = Chain(Dense(2, 2, rng=np.random.default_rng(0)))
    with pytest.raises(ValueError, match=r"a batch is of type .*; expected pairs \(x, target\).* pass \[\(x, t"):
        list(train(network, least_squares, SGD(network.parameters()), given, 0.1, seed=0))


def test_an_optimizer_of_other_arrays_than_the_networks_is_refused():
    batch = (np.ones((3, 2)), np.zeros((3, 2)))

    def train_on(network, optimizer):
        return list(train(network, least_squares, optimizer, [batch] * 2, 0.1, seed=0))

    network = Chain(a=Dense(2, 2, rng=np.random.default_rng(0)), b=Dense(2, 2, rng=np.random.default_rng(1)))
    optimizer = SGD(network.parameters())
    network.convert(lambda array: array.astype("float64"))
    with pytest.raises(ValueError, match=r"the optimizer's 'a.W' is not an array of the network: .* Make it aft"):
        train_on(network, optimizer)
    with pytest.raises(ValueError, match=r"'W' is not an array of the network"):
        train_on(network, SGD(network["a"].parameters()))
    steps = train(network, least_squares, SGD(network.parameters()), [batch] * 2, 0.1, seed=0)
    next(steps)
    network["b"].params["b"] = np.ones(2)  # in the middle of training
    with pytest.raises(ValueError, match=r"the optimizer's 'b.b' is not an array of the network"):
        next(steps)
    only_b = SGD({path: array for path, array in network.parameters().items() if path.startswith("b.")})
    before = arrays(network)
    assert len(train_on(network, only_b)) == 2  # a part of the network may be trained
    assert np.array_equal(before["a.W"], network["a"].params["W"])
    assert not np.array_equal(before["b.W"], network["b"].params["W"])


def test_another_array_library():
    def one_step(xp):
        network = Chain(Dense(3, 4, ReLU(), rng=np.random.default_rng(0)), Dropout(0.5),
                        Dense(4, 2, rng=np.random.default_rng(1)))
        network.convert(xp.asarray)
        x, target = (xp.asarray(np.random.default_rng(2).uniform(size=shape).astype("float32"))
                     for shape in ((5, 3), (5, 2)))
        step, = train(network, binary_cross_entropy_with_logits, Adam(network.parameters()), [(0, (x, target))],
                      lambda number: 0.1, seed=0)
        return step.loss, [np.asarray(array) for array in network.parameters().values()]

    (loss, ours), (other_loss, theirs) = one_step(np), one_step(array_api_strict)
    assert loss == pytest.approx(other_loss, rel=1e-6)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
