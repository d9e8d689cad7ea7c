"""Stacks walked through a few images at a time: the Chain's numbers, in fewer of them at once."""
import numpy as np
import pytest

from engine.combinators import Chain, SlicedRecompute, recompute, slices
from engine.kernels.cpu import use_threads
from engine.layer import Run
from engine.layers import BatchNorm, Conv2D, MaxPool, ReLU
from engine.training import gradients
from models.unet import unet

RNG = np.random.default_rng


def conv(*channels, seed=0):
    return Conv2D(*channels, activation=ReLU(), rng=RNG(seed), dtype="float64")


def layers():
    return {"a": conv(2, 3), "b": conv(3, 4, seed=1), "pool": MaxPool(2)}


class Counted(SlicedRecompute):
    """Tells how many images the layers inside saw at once."""

    def __init__(self, **named):
        super().__init__(**named)
        self.seen = []
        forward = self.children["a"].forward

        def counting(x, run):
            self.seen.append(len(x))
            return forward(x, run)

        self.children["a"].forward = counting


@pytest.mark.parametrize("pixels", [1, 72, 10**6])  # an image, two images, all images of 6 x 6 at a time
def test_the_chains_numbers_whatever_the_slices(pixels, monkeypatch):
    monkeypatch.setattr(recompute, "PIXELS", pixels)
    chain, sliced = Chain(**layers()), SlicedRecompute(**layers())
    x = RNG(2).normal(size=(5, 6, 6, 2))
    y, saved = chain.forward(x, Run())
    y_sliced, saved_sliced = sliced.forward(x, Run())
    np.testing.assert_allclose(y_sliced, y, rtol=0, atol=1e-14)
    assert saved_sliced == (x, Run())
    dy = RNG(3).normal(size=y.shape)
    for _ in range(2):  # a pass may be repeated
        (dx, grads), (dx_sliced, grads_sliced) = chain.backward(dy, saved), sliced.backward(dy, saved_sliced)
        np.testing.assert_allclose(dx_sliced, dx, rtol=0, atol=1e-13)
        assert grads_sliced.keys() == grads.keys()
        for path in grads:
            np.testing.assert_allclose(grads_sliced[path], grads[path], rtol=0, atol=1e-12)


def test_few_images_at_a_time(monkeypatch):
    monkeypatch.setattr(recompute, "PIXELS", 72)
    sliced, x = Counted(**layers()), RNG(2).normal(size=(5, 6, 6, 2))
    y, saved = sliced.forward(x, Run())
    sliced.backward(np.ones_like(y), saved)
    assert sliced.seen == [2, 2, 1] * 2


def test_what_needs_the_whole_batch_is_refused():
    with pytest.raises(ValueError, match=r"norm\.mean averages over whole batches; expected layers that treat every"):
        SlicedRecompute(conv=conv(2, 3), norm=BatchNorm(3))


@pytest.mark.parametrize("pixels", [1, 600])
def test_the_unet_recomputed_is_the_unet(pixels, monkeypatch, threads_restored):
    monkeypatch.setattr(recompute, "PIXELS", pixels)
    rng = RNG(6)
    x, target = rng.normal(size=(3, 16, 16, 1)), rng.random((3, 16, 16, 1)) > 0.5

    def measure(recompute):
        net = unet(channels=3, depth=2, rng=RNG(7), dtype="float64", recompute=recompute)
        return net, gradients(net, lambda y, t: (y.sum(), np.where(t, y, -1)), x, target, Run())

    (plain, (loss, grads)), (less, (loss_less, grads_less)) = measure(False), measure(True)
    assert list(less.parameters()) == list(plain.parameters())
    assert loss_less == pytest.approx(loss, rel=1e-12)
    assert grads_less.keys() == grads.keys()
    for path in grads:
        np.testing.assert_allclose(grads_less[path], grads[path], rtol=0, atol=1e-11 * np.abs(grads[path]).max())
    use_threads(1)
    assert all(g.tobytes() == grads_less[path].tobytes() for path, g in measure(True)[1][1].items())


@pytest.mark.parametrize(("count", "pixels", "sizes"), [
    (5, 4 * 6, [3, 2]), (5, 5 * 6, [5]), (5, 2 * 6, [2, 2, 1]), (6, 4 * 6, [3, 3]), (9, 4 * 6, [3, 3, 3]),
    (3, 1, [1, 1, 1]), (1, 6, [1])])
def test_slices_are_as_alike_as_possible_and_cover_everything_once(count, pixels, sizes):
    """Four images would fit: of five, three and two are taken, not four and one."""
    cut = list(slices.slices_of(np.zeros((count, 2, 3, 7)), pixels))
    assert [part.stop - part.start for part in cut] == sizes
    assert [part.start for part in cut] == [sum(sizes[:place]) for place in range(len(sizes))]


def test_slices_of_a_pair_are_those_of_the_one_with_more_pixels():
    pair = np.zeros((4, 2, 3, 1)), np.zeros((4, 4, 6, 1))
    assert [part.stop for part in slices.slices_of(pair, 24)] == [1, 2, 3, 4]


@pytest.mark.parametrize("shape", [(4, 2), (4, 6, 2), (4, 6, 6, 3)])
def test_a_wrong_input_is_refused_by_the_layers_inside(shape):
    with pytest.raises(ValueError, match=r"the input is .*; the layer expects"):
        SlicedRecompute(**layers()).forward(np.zeros(shape), Run())


@pytest.mark.parametrize("x", [np.zeros((0, 6, 6, 2)), (np.zeros((0, 6, 6, 2)), np.zeros((0, 6, 6, 2)))])
def test_no_images_are_refused(x):
    with pytest.raises(ValueError, match=r"\(0, 6, 6, 2\), which holds no number; expected at least one sample"):
        SlicedRecompute(**layers()).forward(x, Run())
