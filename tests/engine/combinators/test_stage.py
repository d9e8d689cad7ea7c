"""A stage that is walked through in slices: the numbers of its layers one by one, in fewer of them at once."""
import numpy as np
import pytest

from engine.combinators import Chain, SlicedStage, stage
from engine.gradient_check import check
from engine.layer import Run
from engine.layers import BatchNorm, Conv2D, MaxPool, PooledNorm, ReLU
from engine.observing import observe

RNG = np.random.default_rng
C1 = [0.7, -1.3, -0.2, 1.1]  # negative: the largest become the smallest


def convolutions(count=2):
    channels = ((2, 3), (3, 4)) if count == 2 else ((2, 4),)
    return {f"conv_{letter}": Conv2D(*each, activation=ReLU(), bias=0.3, rng=RNG(seed), dtype="float64")
            for letter, seed, each in zip("ab", (1, 2), channels, strict=False)}


def with_c1(norm):
    norm.params["c1"][...] = C1
    return norm


def sliced(statistics="batch", count=2):
    return SlicedStage(**convolutions(count), norm=with_c1(PooledNorm(4, statistics, dtype="float64")))


def one_by_one(statistics="batch", count=2):
    return Chain(**convolutions(count), norm=with_c1(BatchNorm(4, statistics, dtype="float64")), pool=MaxPool(2))


def images(count=5, seed=5):
    return RNG(seed).normal(size=(count, 8, 8, 2))


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("statistics", ["batch", "moving"])
@pytest.mark.parametrize("pixels", [1, 128, 10**6])  # an image, two images, all images of 8 x 8 at a time
def test_the_layers_numbers_whatever_the_slices(pixels, statistics, train, count, monkeypatch):
    monkeypatch.setattr(stage, "PIXELS", pixels)
    chain, staged = one_by_one(statistics, count), sliced(statistics, count)
    assert list(staged.parameters()) == list(chain.parameters())
    x, run = images(), Run(train=train, seed=(7,))
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


def test_the_convolutions_see_few_images_at_a_time_and_the_norm_the_whole_batch(monkeypatch):
    monkeypatch.setattr(stage, "PIXELS", 128)
    seen = []
    staged = observe(sliced(), lambda path, layer, x, y: seen.append((path, len(x))))
    y, saved = staged.forward(images(), Run())
    forward = [(name, count) for count in (2, 2, 1) for name in ("conv_a", "conv_b")]
    assert seen == [*forward, ("norm", 5)]
    staged.backward(y, saved)
    assert seen == [*forward, ("norm", 5), *forward]


def test_what_is_kept_is_the_input_and_a_quarter_of_the_rest():
    x = images()
    y, saved = sliced().forward(x, Run())
    kept = [array for part in (saved[0], *saved[1]) for array in [part] if isinstance(array, np.ndarray)]
    assert [array.shape for array in kept] == [x.shape, y.shape, y.shape] and kept[0] is x
    assert sliced().forward(x, Run(train=False, record=False))[1] is None


@pytest.mark.parametrize("shape", [(4, 2), (4, 8, 2), (4, 8, 8, 3), (4, 8, 8, 1)])
def test_a_wrong_input_is_refused_as_by_a_chain(shape):
    for network in (one_by_one(), sliced()):
        with pytest.raises(ValueError, match=r"^conv_a: the input is .*; the layer expects"):
            network.forward(np.zeros(shape), Run())


def test_a_wrong_gradient_is_refused_before_anything_is_computed():
    staged = sliced()
    y, saved = staged.forward(images(), Run())
    with pytest.raises(ValueError, match=r"^norm: dy is \(5, 4, 4, 3\) and the output was \(5, 4, 4, 4\)"):
        staged.backward(y[..., :3], saved)


@pytest.mark.parametrize(("layers", "message"), [
    ({}, "the last layer is None; expected a PooledNorm"),
    ({"norm": BatchNorm(4)}, r"the last layer is BatchNorm\(4\); expected a PooledNorm"),
    ({"first": BatchNorm(2), "norm": PooledNorm(2)}, r"first\.mean averages over whole batches; expected layers that"),
])
def test_what_is_no_stage_is_refused_where_it_is_made(layers, message):
    with pytest.raises(ValueError, match=message):
        SlicedStage(**layers)


def test_every_gradient_in_slices(monkeypatch):
    monkeypatch.setattr(stage, "PIXELS", 64)
    x = RNG(8).permutation(3 * 8 * 8 * 2).reshape(3, 8, 8, 2) / 100
    assert all(result.passed for result in check(sliced(), x, Run(), RNG(9)))
