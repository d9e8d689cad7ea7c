"""A watched network: the same code, the same bits, and every layer that a pass calls is seen."""
import numpy as np
import pytest

from engine.combinators import Chain, Recompute, Skip, SlicedRecompute, SlicedStage, recompute, stage
from engine.layer import Layer, Run
from engine.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, PooledNorm, ReLU, Tanh
from engine.observing import observe
from models.mlp import mlp
from models.unet import unet
from models.vgg import vgg

RNG = np.random.default_rng


def conv(*channels):
    return Conv2D(*channels, activation=ReLU(), rng=RNG(0))


def of_everything(recompute):
    return Chain(skip=Skip(conv(1, 2), BatchNorm(2), Dropout(0.5)),
                 stage=(SlicedStage if recompute else Chain)(conv(3, 2), PooledNorm(2)),
                 again=(Recompute if recompute else Chain)(conv(2, 2), Dropout(0.5), BatchNorm(2)),
                 sliced=(SlicedRecompute if recompute else Chain)(conv(2, 3)), flat=Flatten(),
                 dense=Dense(16 * 16 * 3, 2, Tanh(), rng=RNG(1)))


NETWORKS = {"mlp": lambda recompute: Chain(Flatten(), mlp((1024, 5, 3), rng=RNG(0))),
            "vgg": lambda recompute: vgg(32, width=1 / 16, rng=RNG(0), recompute=recompute),
            "unet": lambda recompute: unet(1, 3, 2, rng=RNG(0), recompute=recompute), "all": of_everything}


def leaves(layer, path=""):
    """(path, layer) of those with none inside."""
    if not layer.children:
        return {path: layer}
    return {p: leaf for name, child in layer.children.items()
            for p, leaf in leaves(child, f"{path}.{name}".lstrip(".")).items()}


def calls(network, x, run):
    """The paths of the layers whose own forward ran in a forward and a backward, in order, without `observe`."""
    made = []
    for path, leaf in leaves(network).items():
        def forward(x, run, path=path, own=leaf.forward):
            made.append(path)
            return own(x, run)
        leaf.forward = forward
    y, saved = network.forward(x, run)
    network.backward(np.ones_like(y), saved)
    return made


@pytest.mark.parametrize("recomputed", [False, True])
@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_bits_and_every_layer_that_training_calls(name, train, recomputed, monkeypatch):
    monkeypatch.setattr(stage, "PIXELS", 1 << 11)  # two images of 32 x 32
    monkeypatch.setattr(recompute, "PIXELS", 1 << 11)
    network, seen, x = NETWORKS[name](recomputed), [], RNG(2).random((3, 32, 32, 1), "float32")
    run = Run(train=train, seed=(4,))
    watched = observe(network, lambda path, layer, x, y: seen.append((path, layer)))
    (y, saved), (y_watched, saved_watched) = network.forward(x, run), watched.forward(x, run)
    assert y_watched.tobytes() == y.tobytes()
    dy = RNG(3).normal(size=y.shape).astype("float32")
    (dx, grads), (dx_watched, grads_watched) = network.backward(dy, saved), watched.backward(dy, saved_watched)
    assert dx_watched.tobytes() == dx.tobytes()
    assert {path: g.tobytes() for path, g in grads_watched.items()} == {
        path: g.tobytes() for path, g in grads.items()}
    assert all(layer is leaves(network)[path] for path, layer in seen)  # the layer itself, not its watched twin
    assert {path for path, _ in seen} == leaves(network).keys()
    assert [path for path, _ in seen] == calls(NETWORKS[name](recomputed), x, run)


def test_a_network_that_is_watched_shares_its_arrays_and_stays_as_it_is():
    network = vgg(32, width=1 / 16, rng=RNG(0))
    watched = observe(network, lambda *_: None)
    assert all(array is network.parameters()[path] for path, array in watched.parameters().items())
    assert all(array is network.moving_averages()[path] for path, array in watched.moving_averages().items())
    network.convert(lambda array: array.astype("float64"))
    assert {array.dtype for array in watched.parameters().values()} == {np.dtype("float64")}
    assert all("forward" not in vars(layer) for layer in leaves(network).values())


def test_a_layer_alone_is_watched_under_the_empty_path():
    seen = []
    x = np.ones((1, 2))
    y, _ = observe(ReLU(), lambda *what: seen.append(what)).forward(x, Run())
    (path, layer, given, made), = seen
    assert (path, type(layer)) == ("", ReLU) and given is x and made is y


def test_a_pair_is_seen_as_one():
    seen = []
    x = np.ones((1, 2, 2, 1), "float32")
    observe(Skip(ReLU()), lambda path, layer, x, y: seen.append((path, x))).forward(x, Run())
    assert [path for path, _ in seen] == ["fork.0", "merge"] and isinstance(seen[1][1], tuple)


def test_a_watched_layer_keeps_its_type_and_its_other_methods():
    watched = observe(PooledNorm(2), lambda *_: None)
    assert isinstance(watched, PooledNorm) and isinstance(watched, Layer)
    watched.absorb({"mean": np.array([1.0, 1.0]), "variance": np.array([2.0, 2.0])})
    np.testing.assert_allclose(watched.buffers["mean"], 0.1, rtol=1e-6)
