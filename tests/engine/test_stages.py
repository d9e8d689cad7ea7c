"""A classifier whose stages are walked through in slices: the Chain's numbers, in fewer of them at once."""
from dataclasses import replace

import numpy as np
import pytest

from engine import stages
from engine.combinators import Chain, observe
from engine.gradient_check import check
from engine.layer import Run
from engine.layers import BatchNorm, Conv2D, Dropout, Flatten, MaxPool, ReLU
from engine.stages import Stages

RNG = np.random.default_rng


def layers(statistics="batch"):
    """Two stages, of two convolutions and of one, with layers of no stage before, between and behind them."""
    def conv(*channels, seed):
        return Conv2D(*channels, activation=ReLU(), bias=0.3, rng=RNG(seed), dtype="float64")

    def norm(channels):
        layer = BatchNorm(channels, statistics, dtype="float64")
        layer.params["c1"][...] = [0.7, -1.3, -0.2, 1.1][:channels]  # negative: the largest become the smallest
        return layer

    return {"first": norm(2), "conv_1a": conv(2, 3, seed=1), "conv_1b": conv(3, 4, seed=2), "bn_1": norm(4),
            "pool_1": MaxPool(2), "drop": Dropout(0.5), "conv_2a": conv(4, 3, seed=3), "bn_2": norm(3),
            "pool_2": MaxPool(2), "alone": conv(3, 2, seed=4), "flat": Flatten()}


@pytest.mark.parametrize("recompute_from", [1, 64, 10**6])  # pixels: all stages are recomputed, one, none
@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("statistics", ["batch", "moving"])
@pytest.mark.parametrize("pixels", [1, 128, 10**6])  # an image, two images, all images of 8 x 8 at a time
def test_the_chains_numbers_whatever_the_slices(pixels, statistics, train, recompute_from, monkeypatch):
    monkeypatch.setattr(stages, "PIXELS", pixels)
    chain, staged = Chain(**layers(statistics)), Stages(recompute_from=recompute_from, **layers(statistics))
    assert list(staged.parameters()) == list(chain.parameters())
    x, run = RNG(5).normal(size=(5, 8, 8, 2)), Run(train=train, seed=(7,))
    (y, saved), (y_staged, saved_staged) = chain.forward(x, run), staged.forward(x, run)
    np.testing.assert_allclose(y_staged, y, rtol=0, atol=1e-13)
    dy = RNG(6).normal(size=y.shape)
    for _ in range(2):  # a pass may be repeated
        (dx, grads), (dx_staged, grads_staged) = chain.backward(dy, saved), staged.backward(dy, saved_staged)
        np.testing.assert_allclose(dx_staged, dx, rtol=0, atol=1e-12)
        assert grads_staged.keys() == grads.keys()
        for path in grads:
            np.testing.assert_allclose(grads_staged[path], grads[path], rtol=0, atol=1e-11, err_msg=path)
    for network, own in ((chain, grads), (staged, grads_staged)):
        network.absorb(own)
    for path, average in chain.moving_averages().items():
        np.testing.assert_allclose(staged.moving_averages()[path], average, rtol=1e-12, err_msg=path)


@pytest.mark.parametrize(("recompute_from", "expected"), [(1, [2, 2, 1] * 2), (64, [2, 2, 1] * 2), (65, [5])])
def test_the_convolutions_see_few_images_at_a_time_from_so_many_pixels_on(recompute_from, expected, monkeypatch):
    monkeypatch.setattr(stages, "PIXELS", 128)
    staged, seen = Stages(recompute_from=recompute_from, **layers()), []
    forward = staged.children["conv_1a"].forward

    def counting(x, run):
        seen.append(len(x))
        return forward(x, run)

    staged.children["conv_1a"].forward = counting
    y, saved = staged.forward(RNG(5).normal(size=(5, 8, 8, 2)), Run())
    staged.backward(y, saved)
    assert seen == expected


@pytest.mark.parametrize("recompute_from", [1, 10**6])
def test_a_derived_layer_is_asked_itself(recompute_from):
    class Halved(BatchNorm):
        def backward(self, dy, saved):
            dx, grads = super().backward(dy, saved)
            return dx / 2, grads

    network = Stages(recompute_from=recompute_from, **layers() | {"bn_1": Halved(4, dtype="float64")})
    x = RNG(5).normal(size=(2, 8, 8, 2))
    y, saved = network.forward(x, Run())
    y_chain, saved_chain = Chain(**network.children).forward(x, Run())
    np.testing.assert_allclose(y, y_chain, rtol=0, atol=1e-13)
    dx, dx_chain = network.backward(y, saved)[0], Chain(**network.children).backward(y, saved_chain)[0]
    np.testing.assert_allclose(dx, dx_chain, rtol=0, atol=1e-12)


def test_a_convolution_that_averages_over_the_batch_is_not_sliced(monkeypatch):
    """Only Conv2D itself is known to treat every image alone."""
    class Balanced(Conv2D):
        def forward(self, x, run):
            return super().forward(x - x.mean(0, keepdims=True), run)

        def backward(self, dy, saved):
            dx, grads = super().backward(dy, saved)
            return dx - dx.mean(0, keepdims=True), grads

    monkeypatch.setattr(stages, "PIXELS", 64)
    own = Balanced(2, 4, rng=RNG(11), dtype="float64")
    network = Stages(recompute_from=1, conv=own, norm=BatchNorm(4, dtype="float64"), pool=MaxPool(2))
    x, chain = RNG(5).normal(size=(5, 8, 8, 2)), Chain(**network.children)
    (y, saved), (y_chain, saved_chain) = network.forward(x, Run()), chain.forward(x, Run())
    np.testing.assert_allclose(y, y_chain, rtol=0, atol=1e-13)
    np.testing.assert_allclose(network.backward(y, saved)[0], chain.backward(y, saved_chain)[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("recompute_from", [1, 10**6])
@pytest.mark.parametrize("shape", [(4, 2), (4, 8, 2), (4, 8, 8, 3), (4, 8, 8, 1)])
def test_a_wrong_input_is_refused_as_by_a_chain(recompute_from, shape):
    named = {name: layer for name, layer in layers().items() if name != "first"}
    for network in (Chain(**named), Stages(recompute_from=recompute_from, **named)):
        with pytest.raises(ValueError, match=r"the input is .*; the layer expects"):
            network.forward(np.zeros(shape), Run())


def test_every_gradient_in_slices(monkeypatch):
    monkeypatch.setattr(stages, "PIXELS", 64)
    x = RNG(8).permutation(3 * 8 * 8 * 2).reshape(3, 8, 8, 2) / 100
    assert all(result.passed for result in check(Stages(recompute_from=1, **layers()), x, Run(), RNG(9)))


def test_inference_keeps_nothing_and_an_observed_one_tells_of_every_layer():
    staged, x, seen = Stages(recompute_from=1, **layers()), RNG(5).normal(size=(2, 8, 8, 2)), []
    run = Run(train=False, record=False)
    y, saved = staged.forward(x, run)
    assert saved is None
    observed, _ = observe(staged, lambda path, *_: seen.append(path)).forward(x, replace(run))
    np.testing.assert_allclose(observed, y, rtol=0, atol=1e-13)
    assert seen == list(layers())
