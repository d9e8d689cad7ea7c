"""What is seen of the layers while a network is trained: of the right arrays, and without a trace in the training."""
import array_api_strict
import numpy as np
import pytest

from engine.combinators import Chain, stage
from engine.layer import Run
from engine.layers import Conv2D, Dense, Dropout, Flatten, PooledNorm, ReLU
from engine.losses import binary_cross_entropy_with_logits, dice, from_logits
from engine.optimizers import Adam
from engine.training import NotFinite, gradients, train
from experiments.runs import histograms
from experiments.runs.histograms import LayerHistograms, sample
from experiments.runs.log import QUANTILES
from models.unet import unet
from models.vgg import vgg

RNG = np.random.default_rng
TARGETS = np.eye(3, dtype=np.float32)[[0, 1, 2]]
NETWORKS = {
    "vgg": (lambda: vgg(32, width=1 / 16, rng=RNG(0)), binary_cross_entropy_with_logits, TARGETS),
    "vgg, recomputing": (lambda: vgg(32, width=1 / 16, rng=RNG(0), recompute=True), binary_cross_entropy_with_logits,
                         TARGETS),
    "unet": (lambda: unet(1, 3, 2, rng=RNG(0)), from_logits(dice), np.ones((3, 32, 32, 1), np.float32)),
    "unet, recomputing": (lambda: unet(1, 3, 2, rng=RNG(0), recompute=True), from_logits(dice),
                          np.ones((3, 32, 32, 1), np.float32))}


def images(number=2):
    return RNG(number).random((3, 32, 32, 1), np.float32)


def trained(name, observer, steps=3):
    build, loss, target = NETWORKS[name]
    network = build()
    observer = observer and observer(network)
    optimizer = Adam(network.parameters())
    losses = [step.loss for step in train(network, loss, optimizer, [(images(n), target) for n in range(steps)], 1e-2,
                                          seed=5, observer=observer)]
    return losses, {**network.parameters(), **network.moving_averages(), **optimizer.state()}, observer


@pytest.mark.parametrize("name", NETWORKS)
def test_a_training_that_is_looked_into_has_the_same_bits(name):
    alone, state, _ = trained(name, None)
    watched, seen, observer = trained(name, LayerHistograms)
    assert watched == alone and {path: array.tobytes() for path, array in seen.items()} == {
        path: array.tobytes() for path, array in state.items()}
    assert observer.taken is None  # step 3 was none
    assert trained(name, LayerHistograms, steps=2)[2].taken is not None


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_seen_is_what_the_step_computed_with(name, monkeypatch):
    """All numbers, since the sample is larger than any array: each once, also where a layer sees slices of a batch, or
    is run through again in backward."""
    monkeypatch.setattr(histograms, "SAMPLE", 1 << 30)
    monkeypatch.setattr(stage, "PIXELS", 1 << 11)  # two images of 32 x 32
    build, loss, target = NETWORKS[name]
    network, outputs = build(), {}
    _, expected = gradients(network, loss, images(0), target, Run(seed=(5, 1)))
    parameters = {path: array.copy() for path, array in network.parameters().items()}
    plain = NETWORKS[name.partition(",")[0]][0]()
    gradients(plain, loss, images(0), target, Run(seed=(5, 1)),
              lambda path, layer, x, y: outputs.setdefault(path, y) if layer.params else None)
    taken = trained(name, LayerHistograms, steps=1)[2].taken
    assert list(taken.parameters) == list(taken.gradients) == list(parameters)
    for path, array in parameters.items():
        assert np.array_equal(taken.parameters[path], np.sort(array, axis=None)), path  # before the update
        assert np.array_equal(taken.gradients[path], np.sort(expected[path], axis=None)), path
    assert list(taken.activations) == list(outputs)
    for path, array in outputs.items():
        np.testing.assert_allclose(taken.activations[path], np.sort(array, axis=None), atol=1e-5, err_msg=path)


def test_the_steps_that_are_looked_into():
    observer = LayerHistograms(vgg(32, width=1 / 16, rng=RNG(0)), first=60)
    assert [number for number in range(61, 381) if observer.due(number)] == [
        61, 62, 65, 70, 80, 110, 160, 260, 360]


def test_a_line_has_quantiles_and_zeros_of_every_layer():
    network = Chain(conv=Conv2D(1, 2, activation=ReLU(), rng=RNG(0)), drop=Dropout(0.5), flat=Flatten(),
                    dense=Dense(32 * 32 * 2, 3, rng=RNG(0)))
    observer = LayerHistograms(network)
    list(train(network, binary_cross_entropy_with_logits, Adam(network.parameters()), [(images(), TARGETS)], 1e-3,
               seed=0, observer=observer))
    entry = observer.taken.entry(1)
    assert list(entry.activations) == ["conv", "dense"]  # those with parameters
    assert list(entry.parameters) == list(entry.gradients) == ["conv.W", "conv.b", "dense.W", "dense.b"]
    assert entry.parameters["conv.b"].zeros == 1 and entry.parameters["conv.b"].all_zero  # before the update
    for spreads in (entry.parameters, entry.gradients, entry.activations):
        for spread in spreads.values():
            assert len(spread.quantiles) == len(QUANTILES) and spread.quantiles == sorted(spread.quantiles)
    outputs = entry.activations["conv"]
    assert outputs.quantiles[0] == 0 and 0 < outputs.zeros < 1 and not outputs.all_zero


def test_a_layer_that_died_is_seen():
    network = vgg(32, width=1 / 16, rng=RNG(0))
    network["stage_3.conv_b"].params["b"][...] = -1e6
    observer = LayerHistograms(network)
    list(train(network, binary_cross_entropy_with_logits, Adam(network.parameters()), [(images(), TARGETS)], 1e-3,
               seed=0, observer=observer))
    entry = observer.taken.entry(1)
    assert next(path for path, spread in entry.activations.items() if spread.all_zero) == "stage_3.conv_b"
    assert entry.gradients["stage_1.conv_a.W"].all_zero and entry.gradients["stage_3.conv_b.W"].all_zero
    assert not entry.gradients["dense_c.b"].all_zero


def test_a_sample_of_an_array_is_like_all_of_it():
    """Rows of channels from everywhere in the images, the same for every array of that shape."""
    y = np.broadcast_to(np.arange(128.0)[:, None], (8, 128, 128, 16)) + np.arange(128)[None, :, None, None] * 1000
    taken = sample(y)
    assert taken.shape == (histograms.SAMPLE // 16, 16) and np.array_equal(taken, sample(y))
    assert np.unique(taken // 1000).size > 120 and np.unique(taken % 1000).size > 120  # rows, columns of 128
    assert np.array_equal(sample(np.arange(6.0)), np.arange(6.0)[None])
    assert sample(np.ones((3, 1 << 15))).shape == (1, 1 << 15)


def test_numbers_that_are_not_finite_are_left_out():
    assert list(histograms._sorted({"a": [np.array([3, np.inf, -1])], "b": [np.array([np.nan])]})["a"]) == [-1, 3]
    assert histograms._sorted({"b": [np.array([np.nan])]}) == {}


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_step_that_is_not_made_is_not_seen():
    network = vgg(32, width=1 / 16, rng=RNG(0))
    observer = LayerHistograms(network)
    with pytest.raises(NotFinite):
        list(train(network, binary_cross_entropy_with_logits, Adam(network.parameters()),
                   [(images() * np.float32("inf"), TARGETS)], 1e-3, seed=0, observer=observer))
    assert observer.taken is None


def test_the_norms_first_parameter_is_its_scale():
    """The report takes a layer's first parameter for its weights, its second for its biases."""
    assert [list(layer.params) for layer in (PooledNorm(2), Dense(2, 2, rng=RNG(0)), Conv2D(1, 1, rng=RNG(0)))] == [
        ["c1", "c2"], ["W", "b"], ["W", "b"]]


def test_arrays_of_any_library_are_looked_at():
    y = RNG(0).normal(size=(4, 40, 40, 8)).astype(np.float32)
    for array in (y, y[:1, :2]):  # more numbers than the sample has, and fewer
        assert np.array_equal(sample(array_api_strict.asarray(array)), sample(array))
