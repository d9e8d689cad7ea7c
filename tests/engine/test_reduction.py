"""A batch on several ranks, here threads, against the same batch in one process."""
from dataclasses import replace
from functools import partial

import array_api_strict as strict
import numpy as np
import pytest
from array_api_compat import array_namespace

from engine.combinators import Chain, SlicedStage
from engine.gradient_check import check
from engine.gradient_check.case import scatter
from engine.layer import Layer, Run
from engine.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, PooledNorm, ReLU
from engine.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    dice,
    from_logits,
    least_squares,
    sensitivity_specificity,
    softmax_cross_entropy_with_logits,
    weighted_binary_cross_entropy,
    weighted_binary_cross_entropy_with_logits,
)
from engine.mpi import bytes_of_step, bytes_of_sum
from engine.optimizers import Adam
from engine.reduction import Shared, rows_of, share, summed
from engine.training import NotFinite, gradients, train
from models.unet import unet
from models.vgg import vgg

SPLITS = [(7,), (4, 3), (3, 2, 2), (1, 5, 1)]  # of a batch of 7
LOSSES = {
    "binary cross entropy": binary_cross_entropy_with_logits,
    "of probabilities": from_logits(binary_cross_entropy),
    "weighted": partial(weighted_binary_cross_entropy_with_logits, omega=2.0),
    "weighted, of probabilities": from_logits(partial(weighted_binary_cross_entropy, omega=0.3)),
    "softmax": softmax_cross_entropy_with_logits,
    "least squares": least_squares,
    "dice": from_logits(dice),
    "sensitivity and specificity": from_logits(partial(sensitivity_specificity, rho=0.3)),
}
RUN = Run(seed=(3, 4))


NETWORKS = [(kind, statistics, recompute) for kind in ("vgg", "unet") for statistics in ("batch", "moving")
            for recompute in (False, True)]


def build(kind, statistics, recompute):
    """The network, with averages that are not the initial ones and scales of both signs; the shape of its output."""
    rng = np.random.default_rng(5)
    options = {"statistics": statistics, "rng": rng, "dtype": "float64", "recompute": recompute}
    network, output = (vgg(32, width=1 / 32, **options), (7, 3)) if kind == "vgg" else (
        unet(channels=2, depth=3, **options), (7, 32, 32, 1))
    for path, array in (network.parameters() | network.moving_averages()).items():
        if path.endswith(("c1", "c2", "mean", "variance")):
            array += 0.5 * (rng.random(array.shape) - 0.5 * path.endswith(("c2", "mean")))
        if path.endswith("c1"):
            array *= np.where(rng.random(array.shape) < 0.3, -1, 1)
    return network, output


def batch(output):
    rng = np.random.default_rng(6)
    return rng.random((7, 32, 32, 1)), (rng.random(output) < 0.4).astype(float)


def parts_of(split, rank):
    return slice(sum(split[:rank]), sum(split[:rank + 1]))


def on_split(on_ranks, split, network, loss, x, target, run=RUN):
    """(value, gradients) of every rank, the gradients summed."""
    def work(ranks):
        mine = parts_of(split, ranks.rank)
        value, grads = gradients(network, loss, x[mine], target[mine],
                                 replace(run, reduction=share(ranks, len(x[mine]))))
        return value, grads | summed({path: grads[path] for path in network.parameters()}, ranks)

    return on_ranks(len(split), work)


def difference(given, expected):
    """The largest, relative to the largest number."""
    return np.abs(given - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize("split", SPLITS, ids=str)
@pytest.mark.parametrize("which", NETWORKS, ids=str)
def test_both_networks_have_the_gradients_of_one_process(which, split, on_ranks):
    network, output = build(*which)
    x, target = batch(output)
    loss = from_logits(dice) if which[0] == "unet" else binary_cross_entropy_with_logits
    value, grads = gradients(network, loss, x, target, RUN)
    of_ranks = on_split(on_ranks, split, network, loss, x, target)
    for own_value, own in of_ranks:
        assert own.keys() == grads.keys()
        assert abs(own_value - value) <= 1e-12 * abs(value)
        scale = max(np.abs(g).max() for path, g in grads.items() if path in network.parameters())
        for path, g in grads.items():
            # a gradient that is nothing but rounding (of a bias before batch norm) is held against the largest
            assert np.abs(own[path] - g).max() <= 1e-12 * max(np.abs(g).max(), scale * 1e-2), path
    again = on_split(on_ranks, split, network, loss, x, target)
    for own_value, own in [*of_ranks[1:], *again]:
        assert own_value == of_ranks[0][0]
        assert all(np.array_equal(own[path], g) for path, g in of_ranks[0][1].items())


@pytest.mark.parametrize("split", SPLITS, ids=str)
@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_that_of_the_whole_batch(name, split, on_ranks):
    loss, rng = LOSSES[name], np.random.default_rng(8)
    logits, target = rng.standard_normal((7, 5, 3)), (rng.random((7, 5, 3)) < 0.4).astype(float)
    value, gradient = loss(logits, target)

    def work(ranks):
        mine = parts_of(split, ranks.rank)
        return loss(logits[mine], target[mine], reduction=share(ranks, len(logits[mine])))

    values, parts = zip(*on_ranks(len(split), work), strict=True)
    assert len(set(map(float, values))) == 1
    assert abs(values[0] - value) <= 1e-12 * abs(value)
    assert difference(np.concatenate(parts), gradient) <= 1e-12


class OnRanks(Layer):
    """A layer as the ranks compute it, as one: rows split among them, dx joined, and the parameters' gradients summed.

    It has no children: threads would show them to who watches in an order of their own.
    """

    def __init__(self, layer, split, on_ranks, shared=share):
        super().__init__()
        self.params, self.buffers = layer.parameters(), layer.moving_averages()
        self.layer, self.split, self.on_ranks, self.shared = layer, split, on_ranks, shared

    def forward(self, x, run):
        def work(ranks):
            mine = x[parts_of(self.split, ranks.rank)]
            return self.layer.forward(mine, replace(run, reduction=self.shared(ranks, len(mine))))

        y, saved = zip(*self.on_ranks(len(self.split), work), strict=True)
        return np.concatenate(y), saved

    def backward(self, dy, saved):
        def work(ranks):
            dx, grads = self.layer.backward(dy[parts_of(self.split, ranks.rank)], saved[ranks.rank])
            own = {path: g for path, g in grads.items() if path in self.layer.parameters()}
            return dx, grads | summed(own, ranks)

        of_ranks = self.on_ranks(len(self.split), work)
        return np.concatenate([dx for dx, _ in of_ranks]), of_ranks[0][1]

    def absorb(self, grads):
        self.layer.absorb(grads)


def layers():
    rng = np.random.default_rng(9)
    return [BatchNorm(3, dtype="float64"), BatchNorm(3, "moving", dtype="float64"), PooledNorm(3, dtype="float64"),
            SlicedStage(conv=Conv2D(3, 4, rng=rng, dtype="float64"), norm=PooledNorm(4, dtype="float64")),
            Chain(flat=Flatten(), drop=Dropout(0.6), dense=Dense(48, 2, rng=rng, dtype="float64"))]


def misses(layer, on_ranks, shared=share):
    """The rows of the gradient check that do not pass, of the layer on ranks."""
    rng = np.random.default_rng(10)
    scatter(layer, rng)
    rows = check(OnRanks(layer, (2, 1), on_ranks, shared), rng.random((3, 4, 4, 3)), RUN, rng)
    return [(row.parameter, row.message) for row in rows if not row.passed]


@pytest.mark.parametrize("layer", layers(), ids=repr)
def test_the_gradient_check_passes_on_ranks(layer, on_ranks):
    assert not misses(layer, on_ranks)


@pytest.mark.parametrize("layer", layers()[:4], ids=repr)
def test_the_gradient_check_sees_sums_that_nobody_reduced_in_backward(layer, on_ranks, monkeypatch):
    monkeypatch.setattr("engine.layers.batch_norm.Measured.of_all", lambda self, sums: sums)
    assert "x" in dict(misses(layer, on_ranks))


class LocalMoments(Shared):
    def moments(self, mean, variance):
        return mean, variance


class LocalSamples(Shared):
    def samples(self, here):
        return here

    def rows(self, like, draw):
        return share(self.ranks, self.here).rows(like, draw)


class LocalRows(Shared):
    def rows(self, like, draw):
        return draw(like)


class LocalSums(Shared):
    def sum(self, *arrays):
        return arrays


@pytest.mark.parametrize("wrong", [LocalMoments, LocalSamples, LocalRows, LocalSums])
def test_what_is_not_reduced_gives_other_gradients(wrong, on_ranks, monkeypatch):
    """Moments of the rows that are here; a loss divided by their number; a mask drawn for them from 0; sums of them."""
    network, (x, target) = vgg(32, width=1 / 32, rng=np.random.default_rng(5), dtype="float64"), batch((7, 3))
    _, grads = gradients(network, binary_cross_entropy_with_logits, x, target, RUN)

    def work(ranks):
        mine = parts_of((4, 3), ranks.rank)
        right = share(ranks, len(x[mine]))
        run = replace(RUN, reduction=wrong(right.ranks, right.first, right.here, right.total))
        own = gradients(network, binary_cross_entropy_with_logits, x[mine], target[mine], run)[1]
        return summed({path: own[path] for path in network.parameters()}, ranks)

    own = on_ranks(2, work)[0]
    assert max(difference(own[path], grads[path]) for path in own if path.endswith("W")) > 1e-3


def test_moments_far_from_zero_keep_their_digits(on_ranks):
    """Mean 1000, standard deviation 1, float32: sums of squares would leave nothing of the variance."""
    x = (1000 + np.random.default_rng(11).standard_normal((7, 16, 16, 2))).astype("float32")
    norm = BatchNorm(2)

    def work(ranks):
        mine = x[parts_of((4, 2, 1), ranks.rank)]
        return norm.measure(mine, Run(reduction=share(ranks, len(mine)))).batch

    wide = x.astype("float64")
    for moments in on_ranks(3, work):
        assert moments["mean"].dtype == np.float32
        assert np.abs(moments["mean"] - wide.mean((0, 1, 2))).max() <= 1e-4
        assert np.abs(moments["variance"] - wide.var((0, 1, 2))).max() <= 1e-4


def small():
    rng = np.random.default_rng(12)
    return Chain(conv=Conv2D(1, 4, activation=ReLU(), rng=rng, dtype="float64"), norm=PooledNorm(4, dtype="float64"),
                 flat=Flatten(), drop=Dropout(0.7), out=Dense(64, 2, rng=rng, dtype="float64"))


def trained(ranks, split, batches, rate=0.01, loss=binary_cross_entropy_with_logits, weights=1.0):
    """(losses, arrays) of a training by rank, or in one process where ranks is None. weights: a factor on some."""
    network = small()
    network["conv"].params["W"] *= weights
    optimizer = Adam(network.parameters())
    mine = slice(None) if ranks is None else parts_of(split, ranks.rank)
    try:
        own = [(x[mine], target[mine]) for x, target in batches]
        steps = [*train(network, loss, optimizer, own, rate, 1, ranks=ranks)]
    except NotFinite as error:
        return str(error), network.parameters() | network.moving_averages()
    return [step.loss for step in steps], network.parameters() | network.moving_averages() | optimizer.state()


def small_batches(count=5):
    rng = np.random.default_rng(13)
    return [(rng.random((7, 8, 8, 1)), (rng.random((7, 2)) < 0.5).astype(float)) for _ in range(count)]


@pytest.mark.parametrize("split", SPLITS, ids=str)
def test_training_ends_where_one_process_ends(split, on_ranks):
    losses, arrays = trained(None, None, small_batches())
    first, *others = on_ranks(len(split), lambda ranks: trained(ranks, split, small_batches()))
    assert np.allclose(first[0], losses, rtol=1e-10, atol=0)
    assert all(np.allclose(first[1][path], array, rtol=1e-7, atol=1e-9) for path, array in arrays.items())
    for other in [*others, *on_ranks(len(split), lambda ranks: trained(ranks, split, small_batches()))]:
        assert other[0] == first[0]
        assert all(np.array_equal(other[1][path], array) for path, array in first[1].items())


def test_arrays_stay_on_their_device(on_ranks):
    """Sums, moments, a mask's rows and gradients: nothing is taken to NumPy from a device that refuses it."""
    there = strict.Device("device1")
    with pytest.raises(RuntimeError, match="device1"):
        np.asarray(strict.asarray([1.0], device=there))
    rng = np.random.default_rng(15)
    a, b = rng.random((2, 3, 4)).astype("float32"), rng.random((2, 5))

    def work(ranks, place):
        reduction = share(ranks, ranks.rank + 2)
        x, y = place(a[ranks.rank]), place(b[ranks.rank])
        grads = summed({"x": x, "y": y}, ranks)
        rows = reduction.rows(place(np.ones((ranks.rank + 2, 3))), array_namespace(x).zeros_like)
        return [*reduction.sum(x, y, place(np.float64(ranks.rank))), *reduction.moments(x, place(a[1 - ranks.rank])),
                rows, grads["x"], grads["y"]]

    in_numpy = on_ranks(2, lambda ranks: work(ranks, np.asarray))
    on_device = on_ranks(2, lambda ranks: work(ranks, partial(strict.asarray, device=there)))
    for own, expected in zip(on_device, in_numpy, strict=True):
        assert all(array.device == there for array in own)
        for array, each in zip(own, expected, strict=True):
            taken = np.asarray(strict.asarray(array, device=strict.Device("CPU_DEVICE")))
            assert taken.dtype == each.dtype and taken.shape == each.shape
            assert np.allclose(taken, each, rtol=1e-12, atol=0)


@pytest.mark.parametrize("row", [0, 6])
@pytest.mark.parametrize("what", ["input", "target"])
def test_what_is_not_finite_on_one_rank_is_found_on_all(row, what, on_ranks):
    batches = small_batches(3)
    batches[2][what == "target"][row] = np.nan
    in_one, before = trained(None, None, batches, loss=least_squares)
    assert in_one == f"at step 3 the {what} is not finite"
    for said, arrays in on_ranks(2, lambda ranks: trained(ranks, (4, 3), batches, loss=least_squares)):
        assert said == in_one
        assert all(np.allclose(arrays[path], array, rtol=1e-7, atol=1e-9) for path, array in before.items())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_first_layer_that_breaks_on_any_rank_is_named_on_all(on_ranks):
    batches = small_batches(1)
    batches[0][0][6] = 1e308  # of rank 1: the convolution overflows there
    in_one, _ = trained(None, None, batches, weights=1e3)
    assert "layer 'conv' (Conv2D)" in in_one
    of_ranks = on_ranks(2, lambda ranks: trained(ranks, (4, 3), batches, weights=1e3))
    assert [said for said, _ in of_ranks] == [in_one] * 2


def test_a_step_too_large_is_refused_on_all_ranks(on_ranks):
    for said, _ in on_ranks(2, lambda ranks: trained(ranks, (4, 3), small_batches(1), rate=1e300)):
        assert "the update could overflow" in said


def test_a_rank_without_rows_is_refused_on_all(on_ranks):
    def work(ranks):
        with pytest.raises(ValueError, match=r"a batch of 2 samples lies on the 3 ranks as \[1, 0, 1\]; expected"):
            share(ranks, [1, 0, 1][ranks.rank])

    on_ranks(3, work)


def test_a_loss_of_ones_own_without_the_argument_is_not_averaged_wrongly(on_ranks):
    def mean(prediction, target):
        return np.mean(prediction - target), np.ones_like(prediction) / prediction.size

    assert len(trained(None, None, small_batches(1), loss=mean)[0]) == 1
    with pytest.raises(TypeError, match="reduction"):
        on_ranks(2, lambda ranks: trained(ranks, (4, 3), small_batches(1), loss=mean))


def test_a_part_of_the_ranks_rows_is_refused(on_ranks):
    def work(ranks):
        with pytest.raises(ValueError, match="was given 2: expected all of its own at once"):
            BatchNorm(1).forward(np.ones((2, 3, 3, 1)), Run(reduction=share(ranks, 3)))

    on_ranks(2, work)


@pytest.mark.parametrize(("batch", "size"), [(7, 1), (7, 2), (7, 3), (16, 5), (3, 3)])
def test_the_rows_of_all_ranks_are_the_batch(batch, size):
    rows = [range(batch)[rows_of(batch, rank, size)] for rank in range(size)]
    assert [row for part in rows for row in part] == list(range(batch))
    assert max(map(len, rows)) - min(map(len, rows)) <= 1


@pytest.mark.parametrize("kind", ["vgg", "unet"])
def test_the_bytes_of_a_step_are_those_that_a_step_sums(kind, on_ranks):
    network, output = build(kind, "batch", False)
    x, target = batch(output)
    loss = from_logits(dice) if kind == "unet" else binary_cross_entropy_with_logits

    def work(ranks):
        summed_up, add_up = [], ranks.sum

        def sum_and_note(array):
            summed_up.append((array.size, array.itemsize))
            return add_up(array)

        ranks.sum = sum_and_note
        mine, twin = parts_of((4, 3), ranks.rank), build(kind, "batch", False)[0]
        list(train(twin, loss, Adam(twin.parameters()), [(x[mine], target[mine])], 1e-3, 0, ranks=ranks))
        return summed_up

    rows, *of_network = on_ranks(2, work)[0]
    answer = of_network.pop(len(network.moving_averages()))  # the loss's: behind two sums for each batch norm
    assert rows == (2, 8) and answer == (4 if kind == "unet" else 1, 8)
    gradients_of_all = of_network.pop()
    assert gradients_of_all == (sum(array.size for array in network.parameters().values()), 8)
    sent = sum(bytes_of_sum(numbers, 2, itemsize) for numbers, itemsize in of_network)
    assert sent + bytes_of_sum(gradients_of_all[0], 2, 4) == bytes_of_step(network, 2)  # float32: half of these
