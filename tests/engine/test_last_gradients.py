"""last_gradients: what backward says of the parameters, to the bit, and no dx is computed for it."""
import gc
import weakref

import numpy as np
import pytest

from engine.combinators import Chain, Fork, Recompute, Skip, SlicedRecompute, SlicedStage, recompute, stage
from engine.kernels.cpu import use_threads
from engine.layer import Layer, Run
from engine.layers import BatchNorm, Conv2D, Dense, Flatten, PooledNorm, ReLU, Tanh, TransposedConv2D
from engine.layers import conv2d as conv2d_module
from engine.layers import dense as dense_module
from engine.layers import transposed_conv2d as transposed_module
from engine.losses import least_squares
from engine.observing import observe
from engine.training import gradients
from models.mlp import mlp
from models.unet import unet
from models.vgg import vgg

RNG = np.random.default_rng


def conv(*channels, **options):
    return Conv2D(*channels, activation=ReLU(), rng=RNG(0), **options)


def dense(*features):
    return Dense(*features, Tanh(), rng=RNG(0))


# the layer, the shape of x
LAYERS = {
    "Conv2D": (lambda: conv(2, 3), (3, 6, 8, 2)),
    "Conv2D, strided": (lambda: Conv2D(2, 3, (3, 2), 2, "VALID", rng=RNG(0)), (3, 6, 8, 2)),
    "TransposedConv2D": (lambda: TransposedConv2D(2, 3, activation=ReLU(), rng=RNG(0)), (3, 6, 8, 2)),
    "Dense": (lambda: dense(5, 4), (3, 5)),
    "BatchNorm": (lambda: BatchNorm(2), (3, 6, 8, 2)),
    "Flatten": (Flatten, (3, 6, 8, 2)),
    "Chain": (lambda: Chain(conv(2, 3), BatchNorm(3), conv(3, 2)), (3, 6, 8, 2)),
    "Chain of none": (Chain, (3, 5)),
    "Chain of Chains": (lambda: Chain(Chain(Chain(conv(2, 3), conv(3, 3))), conv(3, 2)), (3, 6, 8, 2)),
    "Skip": (lambda: Skip(conv(2, 3), BatchNorm(3)), (3, 6, 8, 2)),
    "Recompute": (lambda: Recompute(conv(2, 3), BatchNorm(3)), (3, 6, 8, 2)),
    "SlicedRecompute": (lambda: SlicedRecompute(conv(2, 3), conv(3, 2)), (3, 6, 8, 2)),
    "SlicedStage": (lambda: SlicedStage(conv(2, 3), conv(3, 2), PooledNorm(2)), (3, 6, 8, 2)),
}
NETWORKS = {
    "vgg": (lambda: vgg(32, 2, width=1 / 16, bias=0.1, rng=RNG(0)), (3, 32, 32, 2)),
    "vgg, recomputing": (lambda: vgg(32, 2, width=1 / 16, bias=0.1, rng=RNG(0), recompute=True), (3, 32, 32, 2)),
    "unet": (lambda: unet(1, 3, 2, bias=0.1, rng=RNG(0)), (3, 16, 24, 1)),
    "unet, recomputing": (lambda: unet(1, 3, 2, bias=0.1, rng=RNG(0), recompute=True), (3, 16, 24, 1)),
    "mlp": (lambda: mlp((6, 5, 4, 3), rng=RNG(0)), (4, 6)),
}


@pytest.fixture(autouse=True)
def two_images_a_slice(monkeypatch):
    monkeypatch.setattr(recompute, "PIXELS", 2 * 6 * 8)
    monkeypatch.setattr(stage, "PIXELS", 2 * 6 * 8)


@pytest.fixture
def input_gradients(monkeypatch):
    """A list that grows by one whenever a convolution or a dense layer computes its dx."""
    made = []

    def counted(module, name, is_dx):
        original = getattr(module, name)

        def counting(*given):
            if is_dx(*given):
                made.append(name)
            return original(*given)
        monkeypatch.setattr(module, name, counting)

    counted(conv2d_module, "input_gradient", lambda *given: True)
    counted(transposed_module, "correlate", lambda *given: True)
    counted(dense_module, "matrix_product", lambda a, b: not b.flags.c_contiguous)  # da W^T
    return made


def passed(layer, shape, train=True):
    """dy and what is saved, of a forward pass."""
    y, saved = layer.forward(RNG(1).normal(size=shape).astype("float32"), Run(train=train, seed=(3,)))
    return RNG(2).normal(size=y.shape).astype("float32"), saved


def expect_same(found, grads):
    assert list(found) == list(grads)  # in the same order: sums over them round alike
    for path, g in grads.items():
        assert found[path].dtype == g.dtype and found[path].tobytes() == g.tobytes(), path


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("name", LAYERS | NETWORKS)
def test_the_gradients_of_backward_to_the_bit(name, train, threads_restored):
    build, shape = (LAYERS | NETWORKS)[name]
    layer = build()
    dy, saved = passed(layer, shape, train)
    grads = layer.backward(dy, saved)[1]
    for threads in (1, 2):  # and a pass may be repeated
        use_threads(threads)
        expect_same(layer.last_gradients(dy, saved), grads)


@pytest.mark.parametrize("name", ["Conv2D", "TransposedConv2D", "Dense", *NETWORKS, "Chain of Chains",
                                  "SlicedRecompute", "SlicedStage"])
def test_the_first_layers_dx_is_not_computed_and_all_others_are(name, input_gradients):
    build, shape = (LAYERS | NETWORKS)[name]
    layer = build()
    dy, saved = passed(layer, shape)
    input_gradients.clear()
    layer.backward(dy, saved)
    all_of_them = len(input_gradients)
    input_gradients.clear()
    layer.last_gradients(dy, saved)
    slices = 3 if name.endswith("recomputing") else 2 if name.startswith("Sliced") else 1  # of 3 images
    assert all_of_them - len(input_gradients) == slices
    assert len(input_gradients) == 0 if name in ("Conv2D", "TransposedConv2D", "Dense") else len(input_gradients) > 0


def test_training_asks_for_no_dx(input_gradients):
    network, x = mlp((6, 5, 3), rng=RNG(0)), RNG(1).normal(size=(4, 6)).astype("float32")
    gradients(network, least_squares, x, np.zeros((4, 3), "float32"), Run())
    assert input_gradients == ["matrix_product"]  # of the second layer


def test_a_watched_network_answers_alike():
    for build, shape in NETWORKS.values():
        network = build()
        dy, saved = passed(network, shape)
        expect_same(observe(network, lambda *seen: None).last_gradients(dy, saved), network.last_gradients(dy, saved))


class Doubled(Dense):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, {name: 2 * g for name, g in grads.items()}


class DoubledAndNamed(Doubled):
    """Without a backward of its own."""


class DoubledByMixin(Dense):
    def backward(self, dy, saved):
        return super().backward(2 * dy, saved)


def mixed():
    """A class whose backward stands in another that is no layer."""
    class Mixin:
        def backward(self, dy, saved):
            return Dense.backward(self, 2 * dy, saved)

    return type("Mixed", (Mixin, Dense), {})


@pytest.mark.parametrize("kind", [Doubled, DoubledAndNamed, DoubledByMixin, mixed()])
def test_a_class_with_a_backward_of_its_own_answers_by_it(kind):
    layer, right = kind(5, 4, rng=RNG(0)), Dense(5, 4, rng=RNG(0))
    dy, saved = passed(layer, (3, 5))
    expect_same(layer.last_gradients(dy, saved), {name: 2 * g for name, g in right.last_gradients(dy, saved).items()})
    chain = Chain(layer, Dense(4, 2, rng=RNG(1)))
    dy, saved = passed(chain, (3, 5))
    expect_same(chain.last_gradients(dy, saved), chain.backward(dy, saved)[1])


def test_a_chain_that_saves_otherwise_does_not_inherit_the_chains():
    class Kept(Chain):
        def forward(self, x, run):
            y, saved = super().forward(x, run)
            return y, {"inside": saved}

        def backward(self, dy, saved):
            return super().backward(dy, saved["inside"])

    layer = Kept(dense(5, 4), dense(4, 2))
    dy, saved = passed(layer, (3, 5))
    expect_same(layer.last_gradients(dy, saved), layer.backward(dy, saved)[1])


def test_a_class_may_have_both_of_its_own():
    class Both(Doubled):
        def backward(self, dy, saved):
            return super().backward(dy, saved)

        def last_gradients(self, dy, saved):
            return {"W": "its own"}

    assert Both(2, 2, rng=RNG(0)).last_gradients(None, None) == {"W": "its own"}


class Told(Layer):
    """The identity; tells how many of the gradients and of the saved values that such layers made are still alive."""

    def __init__(self, made, seen):
        super().__init__()
        self.made, self.seen = made, seen

    def forward(self, x, run):
        saved = x.copy()
        self.made.append(weakref.ref(saved))
        return x, saved

    def backward(self, dy, saved):
        del saved
        self.seen.append(sum(reference() is not None for reference in self.made))
        dx = dy.copy()
        self.made.append(weakref.ref(dx))
        return dx, {}


@pytest.mark.parametrize("build", [lambda a, b, c, d: Chain(a, b, c, d),
                                   lambda a, b, c, d: Chain(Chain(a, Chain(b, c)), d),
                                   lambda a, b, c, d: Chain(a, Chain(b, Chain(c)), Chain(d))])
def test_what_was_used_is_freed_before_the_pass_goes_on(build):
    made, seen = [], []
    network = build(*(Told(made, seen) for _ in range(4)))
    gc.disable()  # by counting references alone
    try:
        _, *saved = network.forward(np.zeros(3), Run())
        network.last_gradients(np.zeros(3), saved.pop())
    finally:
        gc.enable()
    assert seen == [3, 3, 2, 1]  # of the saved values 3, 2, 1 and 0, and the gradient that came in


def test_the_default_holds_on_to_nothing():
    class Own(Chain):
        def backward(self, dy, saved):
            kept, gradient = [saved], [dy]
            del dy, saved
            return super().backward(gradient.pop(), kept.pop())

    made, seen = [], []
    network = Own(*(Told(made, seen) for _ in range(3)))
    gc.disable()
    try:
        _, *saved = network.forward(np.zeros(3), Run())
        network.last_gradients(np.zeros(3), saved.pop())
    finally:
        gc.enable()
    assert seen == [2, 2, 1]


@pytest.mark.parametrize(("build", "message"), [
    (lambda: Chain(conv(2, 3), conv(3, 4)), r"^1: dy is .* and the output was \(3, 6, 8, 4\)"),
    (lambda: Chain(inside=Chain(first=conv(2, 4))), r"^inside\.first: dy is .* and the output was \(3, 6, 8, 4\)"),
    (lambda: Chain(Fork(conv(2, 4))), None),
])
def test_a_wrong_dy_is_refused_as_by_backward(build, message):
    layer = build()
    _, saved = layer.forward(np.ones((3, 6, 8, 2), "float32"), Run())
    wrong = np.ones((3, 6, 8, 5), "float32")
    for call in (layer.backward, layer.last_gradients):
        with pytest.raises(ValueError, match=message):
            call(wrong if message else (wrong, wrong), saved)
