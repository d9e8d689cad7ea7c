"""What is refused before it computes nonsense: dtypes, empty batches, dy of another shape, layers in two places."""
import pickle

import numpy as np
import pytest

from engine import layers
from engine.combinators import Chain, Fork, Merge, Recompute, Skip, SlicedStage
from engine.gradient_cases import cases
from engine.layer import Layer, Run, parameter_count
from engine.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool,
    PooledNorm,
    ReLU,
    Softmax,
    TransposedConv2D,
    Upsample,
)
from engine.optimizers import Adam
from engine.preconditions import LayerError
from models.mlp import mlp
from models.unet import unet
from models.vgg import vgg

RNG = np.random.default_rng
CASES = {case.name: case for case in cases() if type(case.layer).__name__ != "Loss"}
PLAIN = [name for name, case in CASES.items() if not case.layer.children]  # the others leave it to those inside
every_layer = pytest.mark.parametrize("name", CASES)
every_plain_layer = pytest.mark.parametrize("name", PLAIN)


def others(shape):
    """Shapes that NumPy would let pass as gradients of this one, or that slices of it would hide."""
    yield (shape[0] + 1, *shape[1:])
    yield (1, *shape[1:])
    yield (*shape[:-1], shape[-1] + 1)
    yield (*shape[:-1], 1)
    yield (*shape, 1)
    yield shape[1:]
    yield ()
    if len(shape) == 4:
        yield (shape[0], shape[1] + 1, *shape[2:])
        yield (*shape[:2], shape[2] + 2, shape[3])
        yield (shape[0], 1, 1, shape[3])


def test_the_cases_hold_every_layer():
    assert {type(case.layer).__name__ for case in CASES.values()} >= set(layers.__all__) - {"Activation"}


@every_layer
def test_a_gradient_of_another_shape_than_the_output_is_refused(name):
    case = CASES[name]
    y, saved = case.layer.forward(case.x, case.run)
    for shape in set(others(y.shape)) - {y.shape}:
        with pytest.raises(ValueError, match=r"dy is \(.*\) and the output was \(.*\): expected dy = dL/dy"):
            case.layer.backward(np.zeros(shape), saved)
    case.layer.backward(np.zeros(y.shape), saved)


@every_plain_layer
@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "bool", "float16", ">f8", "complex64"])
def test_what_is_no_float32_or_float64_is_refused(name, dtype):
    case = CASES[name]
    with pytest.raises(ValueError, match=rf"the input is {dtype}; expected float32 or float64: convert it first"):
        case.layer.forward(case.x.astype(dtype), case.run)
    y, saved = case.layer.forward(case.x, case.run)
    with pytest.raises(ValueError, match=rf"dy is {dtype}; expected float32 or float64"):
        case.layer.backward(np.zeros(y.shape, dtype), saved)


@every_layer
def test_empty_batches_are_refused(name):
    case = CASES[name]
    with pytest.raises(ValueError, match=r"the input is \(0, .*\), which holds no number; expected at least one sam"):
        case.layer.forward(case.x[:0], case.run)


@every_plain_layer
def test_lists_are_refused(name):
    with pytest.raises(ValueError, match=r"the input is a list; expected an array: numpy.asarray\(x, \"float32\"\)"):
        CASES[name].layer.forward(CASES[name].x.tolist(), CASES[name].run)


@every_layer
def test_float64_input_makes_a_float32_layer_compute_in_float64(name):
    case = CASES[name]
    original = {path: array.copy() for path, array in
                (case.layer.parameters() | case.layer.moving_averages()).items()}
    case.layer.convert(lambda array: array.astype("float32"))
    try:
        y, saved = case.layer.forward(case.x, case.run)
        dx, grads = case.layer.backward(np.ones(y.shape), saved)
        assert {array.dtype for array in (y, dx, *grads.values())} == {np.dtype("float64")}
        assert all(array.dtype == np.float32 for array in case.layer.parameters().values())
    finally:
        case.layer.convert(lambda array: array.astype("float64"))
        for path, array in (case.layer.parameters() | case.layer.moving_averages()).items():
            array[...] = original[path]


@every_layer
def test_complex_numbers_pass_for_the_complex_step(name):
    case = CASES[name]
    y, _ = case.layer.forward(case.x + 1e-200j, case.run)
    assert np.iscomplexobj(y)


def test_average_pooling_of_pixels_does_not_wrap_round():
    pixels = np.full((1, 2, 2, 1), 200, np.uint8)
    with pytest.raises(ValueError, match=r"the input is uint8; .* array.astype\(\"float32\"\), and bring pixels"):
        layers.AveragePool(2).forward(pixels, Run())
    assert layers.AveragePool(2).forward(pixels.astype("float32"), Run())[0].item() == 200


def conv(*channels):
    return Conv2D(*channels, rng=RNG(0))


@pytest.mark.parametrize(("build", "message"), [
    (lambda: Dense(2, 3, "relu", rng=RNG(0)), r"activation is 'relu'; expected ReLU\(\), .*\(from engine.layers"),
    (lambda: Conv2D(2, 3, activation=ReLU, rng=RNG(0)), r"activation is the class ReLU; expected ReLU\(\)"),
    (lambda: TransposedConv2D(2, 3, activation=Softmax(), rng=RNG(0)), r"activation is Softmax\(\), .* behind this"),
    (lambda: mlp((2, 3, 4), "relu", rng=RNG(0)), "activation is 'relu'; expected"),
    (lambda: Conv2D(2, 3, rng=0), r"rng is 0; expected a NumPy generator, rng=numpy.random.default_rng\(0\)"),
    (lambda: Dense(2, 3, rng=7), r"rng is 7; expected a NumPy generator, rng=numpy.random.default_rng\(7\)"),
    (lambda: Dense(2, 3, rng=None), "rng is None; expected a NumPy generator"),
    (lambda: Dense(2, 3, rng=RNG(0), dtype="float16"), "dtype is 'float16'; expected 'float32', or 'float64'"),
    (lambda: conv(2, 3).convert(lambda array: array.astype("int8")), "'W' of Conv2D, converted, is int8; expected"),
    (lambda: BatchNorm(2, dtype="int32"), "dtype is 'int32'; expected 'float32'"),
    (lambda: BatchNorm(0), "0 channels or features were asked for; expected a whole number of at least 1"),
    (lambda: conv(0, 3), r"weights of shape \(3, 3, 0, 3\) were asked for; expected whole numbers of at least 1"),
    (lambda: Dense(2.0, 3, rng=RNG(0)), r"weights of shape \(2.0, 3\) were asked for; expected whole numbers"),
    (lambda: Chain(Flatten, conv(1, 2)), r"'0' is the class Flatten; expected a layer: Flatten\(...\)"),
    (lambda: Chain([ReLU()]), r"'0' is \[ReLU\(\)\]; expected a layer"),
    (lambda: Skip(None), "'0' is None; expected a layer"),
    (lambda: Chain(**{"a.b": ReLU()}), "a layer is named 'a.b'; expected a name without a dot"),
    (lambda: Chain(ReLU(), **{"0": ReLU()}), "'0' is the name of two layers; expected one layer a name"),
])
def test_what_is_no_layer_or_no_argument_of_one_is_refused_with_the_right_form(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_a_layer_that_stands_twice_is_refused_wherever_it_stands():
    twice = conv(2, 2)
    message = r"'{}' and '{}' are one array, .* expected every array in one place: build a second layer"
    with pytest.raises(ValueError, match=message.format(r"0\.W", r"2\.W")):
        Chain(twice, ReLU(), twice)
    with pytest.raises(ValueError, match=message.format(r"a\.0\.fork\.0\.W", r"b\.down\.W")):
        Chain(a=Chain(Skip(twice)), b=Recompute(down=twice))
    norm = PooledNorm(2)
    for build in (lambda: SlicedStage(norm, norm), lambda: Chain(Fork(norm), Merge(norm))):
        with pytest.raises(ValueError, match="are one array"):
            build()
    tied = Chain(conv(2, 2), conv(2, 2))
    tied["1"].params["W"] = tied["0"].params["W"]  # after the network was made: found where it would do harm
    with pytest.raises(ValueError, match=message.format(r"0\.W", r"1\.W")):
        Adam(tied.parameters())


def test_layers_without_arrays_may_be_shared():
    relu, pool, drop = ReLU(), MaxPool(2), Dropout(0.5)
    chain = Chain(conv(2, 2), relu, pool, drop, conv(2, 2), relu, pool, drop)
    y, saved = chain.forward(RNG(1).normal(size=(2, 8, 8, 2)).astype("float32"), Run())
    assert chain.backward(y, saved)[1].keys() == chain.parameters().keys()
    assert parameter_count(chain) == 2 * (9 * 4 + 2)


def deep():
    return Chain(stem=conv(1, 3), block=Chain(a=Skip(down=conv(3, 4), up=conv(5, 2)), b=ReLU()))


def test_an_error_is_led_by_the_path_of_the_layer():
    x = np.zeros((1, 4, 4, 1), "float32")
    with pytest.raises(LayerError, match=r"^block\.a\.fork\.up: the input is \(1, 4, 4, 4\); the layer") as caught:
        deep().forward(x, Run())
    assert caught.value.path == "block.a.fork.up"
    assert caught.value.__cause__ is None and caught.traceback[-1].name == "expect_shape"  # where it arose
    again = pickle.loads(pickle.dumps(caught.value))  # as it comes home from another process
    assert (type(again), str(again)) == (LayerError, str(caught.value))
    with pytest.raises(LayerError, match=r"^stem: the input is \(1, 4, 4, 2\); the layer expects \(N, H, W, 1\)"):
        Recompute(**deep().children).forward(np.zeros((1, 4, 4, 2), "float32"), Run())
    fork = Chain(fork=Fork(pool=MaxPool(4)), merge=Merge(up=Upsample(2), conv=conv(3, 1)))
    with pytest.raises(LayerError, match=r"^fork\.pool: the image is 3x3 and the window 4x4"):
        fork.forward(np.zeros((1, 3, 3, 2), "float32"), Run())
    with pytest.raises(LayerError, match=r"^merge\.conv: the input is \(1, 2, 2, 2\)"):
        fork.forward(np.zeros((1, 4, 4, 2), "float32"), Run())


def test_an_error_of_backward_is_led_by_the_path_too():
    class Wide(Layer):
        def forward(self, x, run):
            return x, None

        def backward(self, dy, saved):
            return np.concatenate([dy, dy], -1), {}

    for kind, path in ((Skip, r"a\.fork\.first"), (Fork, r"a\.first"), (Chain, r"a\.first"), (Merge, r"a\.first")):
        network = Chain(a=kind(first=ReLU(), wide=Wide()))
        x = np.ones((2, 3, 3, 1))
        given = (x, x) if isinstance(network["a"], Merge) else x
        y, saved = network.forward(given, Run())
        with pytest.raises(LayerError, match=rf"^{path}: dy is \(2, 3, 3, 2\) and the output was"):
            network.backward(y, saved)


@pytest.mark.parametrize("recompute", [False, True])
def test_the_networks_name_their_layers(recompute):
    network = vgg(32, 2, width=1 / 32, rng=RNG(0), recompute=recompute)
    with pytest.raises(LayerError, match=r"^stage_1\.conv_a: the input is \(1, 32, 32, 1\); the layer expects"):
        network.forward(np.zeros((1, 32, 32, 1), "float32"), Run())
    network["stage_3"].children["conv_b"] = conv(3, 3)
    with pytest.raises(LayerError, match=r"^stage_3\.conv_b: the input is"):
        network.forward(np.zeros((1, 32, 32, 2), "float32"), Run())
    net = unet(1, 2, 2, rng=RNG(0), recompute=recompute)
    with pytest.raises(LayerError, match=r"^levels\.down\.conv_a: the input is uint8; expected float32"):
        net.forward(np.zeros((1, 8, 8, 1), "uint8"), Run())
    with pytest.raises(LayerError, match=r"^levels\.skip\.below\.up\.merge: what is merged"):
        net.forward(np.zeros((1, 8, 10, 1), "float32"), Run())


def test_a_layer_is_found_by_its_path():
    network = deep()
    assert network["stem"] is network.children["stem"]
    assert network["block.a.fork.up"].params["W"] is network.parameters()["block.a.fork.up.W"]
    for path, message in (("conv9", "no layer 'conv9' in Chain; its layers are stem, block"),
                          ("block.a.up", "no layer 'up' in Skip; its layers are fork, merge"),
                          ("stem.W", "no layer 'W' in Conv2D; its layers are none")):
        with pytest.raises(KeyError, match=message):
            network[path]
    with pytest.raises(TypeError, match="not iterable"):
        list(network)


@pytest.mark.parametrize(("layer", "line"), [
    (conv(1, 8), "Conv2D(1, 8, 3x3)"),
    (Conv2D(1, 8, (3, 5), (2, 1), "VALID", ReLU(), rng=RNG(0)), "Conv2D(1, 8, 3x5, stride 2x1, VALID, ReLU())"),
    (TransposedConv2D(8, 3, rng=RNG(0)), "TransposedConv2D(8, 3, 2x2, stride 2x2)"),
    (Dense(4, 2, layers.LeakyReLU(0.2), rng=RNG(0)), "Dense(4, 2, LeakyReLU(0.2))"),
    (BatchNorm(8), "BatchNorm(8)"),
    (BatchNorm(8, "moving"), "BatchNorm(8, 'moving')"),
    (BatchNorm(8, alpha=0.99, epsilon=1e-3), "BatchNorm(8, alpha=0.99, epsilon=0.001)"),
    (Dropout(0.25), "Dropout(0.25)"),
    (MaxPool(2), "MaxPool(2x2)"),
    (layers.AveragePool(3, 2), "AveragePool(3x3, stride 2x2)"),
    (Upsample(2), "Upsample(2)"),
    (Chain(conv=conv(1, 2), rest=Chain(Flatten(), ReLU())), "Chain(conv=Conv2D(1, 2, 3x3), rest=Chain(0, 1))"),
    (Chain(*(ReLU() for _ in range(8))), "Chain(" + ", ".join(f"{k}=ReLU()" for k in range(8)) + ")"),
    (Chain(*(ReLU() for _ in range(9))),
     "Chain(0=ReLU(), 1=ReLU(), 2=ReLU(), 3=ReLU(), ... 3 more ..., 7=ReLU(), 8=ReLU())"),
])
def test_a_layer_is_shown_in_one_line(layer, line):
    assert repr(layer) == line
