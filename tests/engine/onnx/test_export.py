"""Every layer, combinator and network as an ONNX file: onnxruntime answers as the engine does, for any batch."""
import subprocess
import sys

import numpy as np
import pytest

from engine import combinators, gradient_cases, layers
from engine.combinators import Chain, Fork, Merge, Skip
from engine.gradient_check.case import scatter
from engine.layer import Layer
from engine.layers import BatchNorm, Conv2D, Dense, Flatten, MaxPool, PooledNorm, ReLU, TransposedConv2D, Upsample
from engine.onnx import IR_VERSION, OPSET, export, largest_difference, run, write
from models import gradient_cases as model_cases
from models.unet import unet
from models.vgg import vgg

onnx = pytest.importorskip("onnx", reason='needs the extra "onnx": pip install -e ".[onnx]"')
pytest.importorskip("onnxruntime", reason='needs the extra "onnx": pip install -e ".[onnx]"')

LIMIT = 1e-5  # of the largest output
# Of the inputs: the weights of the gradient checks are so large that more would saturate a Tanh behind 64 channels,
# whose output no longer says how large what was rounded is.
SIZE = 0.3
RNG = np.random.default_rng


def in_single(layer):
    layer.convert(lambda array: array.astype("float32"))
    return layer


def scattered(layer):
    """With other scales, biases and moving averages than those that a layer begins with."""
    scatter(layer, RNG(0))
    return layer


def agrees(network, shape, batches=(1, 3), outputs=("y",)):
    model, rng = export(network, shape, outputs), RNG(0)
    for batch in batches:
        x = rng.uniform(-SIZE, SIZE, (batch, *shape)).astype(np.float32)
        assert largest_difference(model, network, x) <= LIMIT, (network, batch)
    return model


def exported_cases():
    """The set-ups whose gradients are checked, in float32: losses have no form, and training is not exported."""
    for case in (*gradient_cases.cases(), *model_cases.cases()):
        if "Loss" not in {type(layer).__name__ for layer in each_layer(case.layer)}:
            yield pytest.param(case.layer, case.x.shape[1:], id=f"{case.name} {case.run.train}")


def each_layer(layer):
    yield layer
    for child in layer.children.values():
        yield from each_layer(child)


@pytest.mark.parametrize(("layer", "shape"), list(exported_cases()))
def test_every_layer_as_it_is_checked(layer, shape):
    agrees(in_single(layer), shape)


def test_these_are_all_layers_and_combinators():
    seen = {type(layer).__name__ for case in exported_cases() for layer in each_layer(case.values[0])}
    assert {*layers.__all__, *combinators.__all__} - {"Activation"} <= seen


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [1, 2, (3, 1), 4])
@pytest.mark.parametrize("size", [1, 2, 3, (4, 5)])
@pytest.mark.parametrize("kind", [Conv2D, TransposedConv2D])
def test_convolutions_at_odd_sizes(kind, size, stride, padding):
    for shape in ((7, 11, 3), (5, 5, 3)):
        agrees(scattered(kind(3, 2, size, stride, padding, ReLU(), rng=RNG(1))), shape)


@pytest.mark.parametrize("kind", [layers.MaxPool, layers.AveragePool])
@pytest.mark.parametrize(("size", "stride"), [(2, None), (3, 2), ((2, 3), (3, 1)), (1, 2)])
def test_pools_at_odd_sizes(kind, size, stride):
    for shape in ((7, 11, 2), (3, 3, 1)):
        agrees(kind(size, stride), shape)


@pytest.mark.parametrize("falling", [False, True])
def test_a_pooled_norm_takes_the_smallest_where_it_falls(falling):
    norm = scattered(PooledNorm(4))
    norm.params["c1"][0] *= -1 if falling else 1
    model = agrees(norm, (7, 9, 4))
    order = [node.op_type for node in model.graph.node if node.op_type != "Transpose"]
    assert order == (["BatchNormalization", "MaxPool"] if falling else ["MaxPool", "BatchNormalization"])


def test_shortcuts_and_layers_without_names_of_their_own():
    agrees(Chain(Skip(Conv2D(1, 2, rng=RNG(0))), Fork(MaxPool(2), Skip(Skip())), Merge(Upsample(2))), (4, 6, 1))


def test_layers_behind_a_flatten_have_the_engines_order():
    norm = BatchNorm(4 * 3 * 2)
    norm.buffers["mean"][...] = RNG(0).normal(size=24)
    agrees(Chain(Flatten(), norm, layers.Softmax()), (4, 3, 2))
    agrees(Chain(Flatten()), (4, 3, 2))
    agrees(Chain(Flatten(), Fork(Dense(24, 2, rng=RNG(0)))), (4, 3, 2), outputs=("y", "z"))
    agrees(Chain(Flatten(), layers.Dropout(0.5), Flatten(), Dense(24, 2, rng=RNG(0))), (4, 3, 2))


def test_a_network_that_does_nothing_and_one_in_float64():
    agrees(layers.Dropout(0.5), (3,))
    agrees(layers.Dropout(0.5), (3, 2, 4))
    network = Dense(4, 3, rng=RNG(0), dtype="float64")
    assert largest_difference(export(network, (4,)), network, RNG(0).random((2, 4), np.float32)) <= LIMIT


@pytest.mark.parametrize(("network", "shape"), [
    (vgg(rng=RNG(0)), (128, 128, 1)), (unet(rng=RNG(0)), (128, 128, 1)),
    (vgg(64, 2, width=1 / 4, rng=RNG(0)), (64, 64, 2)), (unet(channels=4, rng=RNG(0), recompute=True), (48, 80, 1)),
], ids=["VGG", "U-net", "VGG of a decomposition", "U-net, recompute"])
def test_networks(network, shape):
    """As they begin. With weights that were drawn and moving averages that fit them, batch norm behind batch norm makes
    so much of a rounding that neither answer in float32 is within 1e-5 of that in float64; of trained networks both
    are: tests/experiments/test_export.py has some."""
    model = agrees(network, shape, batches=(2,))
    kinds = [node.op_type for node in model.graph.node]
    moved = [place for place, kind in enumerate(kinds) if kind == "Transpose"]
    assert moved == [0] + [len(kinds) - 1] * (len(model.graph.output[0].type.tensor_type.shape.dim) > 2), (
        "the axes are moved at the entrance, and where an image leaves")


def test_the_file(tmp_path):
    network, metadata = Chain(conv=Conv2D(1, 2, activation=ReLU(), rng=RNG(0))), {"b": "2", "a": "ä"}
    model = export(network, (5, 4, 1), metadata=metadata)
    write(tmp_path / "network.onnx", model)
    read = onnx.load(tmp_path / "network.onnx")
    onnx.checker.check_model(read, full_check=True)
    assert (read.ir_version, [(each.domain, each.version) for each in read.opset_import]) == (IR_VERSION, [("", OPSET)])
    assert {each.key: each.value for each in read.metadata_props} == metadata
    ends = {end.name: [axis.dim_param or axis.dim_value for axis in end.type.tensor_type.shape.dim]
            for end in (*read.graph.input, *read.graph.output)}
    assert ends == {"x": ["N", 5, 4, 1], "y": ["N", 5, 4, 2]}
    constants = {each.name: onnx.numpy_helper.to_array(each) for each in read.graph.initializer}
    assert constants.keys() == {"conv.W", "conv.b"}
    np.testing.assert_array_equal(constants["conv.W"], network["conv"].params["W"].transpose(3, 2, 0, 1))
    write(tmp_path / "again.onnx", export(network, (5, 4, 1), metadata=metadata))
    assert (tmp_path / "again.onnx").read_bytes() == (tmp_path / "network.onnx").read_bytes()


def test_two_outputs():
    network = Chain(conv=Conv2D(1, 2, rng=RNG(0)), end=Fork(layers.Sigmoid()))
    model, x = export(network, (5, 4, 1), ("probabilities", "logits")), RNG(1).random((3, 5, 4, 1), np.float32)
    assert [end.name for end in model.graph.output] == ["probabilities", "logits"]
    probabilities, logits = run(model, x)
    np.testing.assert_allclose(layers.Sigmoid().value(logits), probabilities, rtol=1e-6)
    assert largest_difference(model, network, x) <= LIMIT
    with pytest.raises(ValueError, match="the outputs are called y: expected as many"):
        export(network, (5, 4, 1))


def test_a_file_of_other_numbers_is_seen():
    network, x = Dense(4, 3, rng=RNG(0)), RNG(1).random((2, 4), np.float32)
    model = export(network, (4,))
    network.params["W"][0, 0] += 1e-3
    assert 1e-5 < largest_difference(model, network, x) < 1e-2
    network.params["W"][0, 0] = np.nan
    assert np.isnan(largest_difference(model, network, x))


class Swish(layers.Activation):
    """It says nothing of ONNX."""

    def value(self, a):
        return a


class Doubled(Layer):
    def forward(self, x, run):
        return 2 * x, None


class DoubledDense(Dense):
    """It computes otherwise than a dense layer, whose form it does not inherit."""

    def forward(self, x, run):
        return 2 * super().forward(x, run)[0], None


class Squared(ReLU):
    def value(self, a):
        return a * a


class Untrue(Doubled):
    """Its form has another shape than its output."""

    def onnx(self, graph, x):
        return graph.add("Relu", [x], (7,))


@pytest.mark.parametrize(("network", "message"), [
    (Chain(a=Chain(b=Doubled())), r"^a\.b: no ONNX form of class Doubled"),
    (Chain(conv=Dense(3, 2, Swish(), rng=RNG(0))), r"^conv: no ONNX form of class Swish"),
    (Doubled(), r"^no ONNX form of class Doubled"),
    (Chain(a=DoubledDense(3, 2, rng=RNG(0))), r"^a: no ONNX form of class DoubledDense"),
    (Chain(a=Dense(3, 2, Squared(), rng=RNG(0))), r"^a: no ONNX form of class Squared"),
    (Chain(dense=Dense(4, 2, rng=RNG(0))), r"^dense: the input is \(1, 3\); the layer expects \(N, 4\)"),
    (Untrue(), r"computes \[\(3,\)\] from a sample, its ONNX form says \[\(7,\)\]"),
])
def test_what_has_no_form_is_refused_by_name(network, message):
    with pytest.raises(ValueError, match=message):
        export(network, (3,))


@pytest.mark.parametrize("name", ["onnx", "onnxruntime"])
def test_without_the_libraries_the_extra_is_named(name, monkeypatch):
    network = Dense(3, 2, rng=RNG(0))
    model = export(network, (3,))
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf'ONNX files need {name}; install it with: pip install -e "\.\[onnx\]"'):
        if name == "onnx":
            export(network, (3,))
        run(model, np.zeros((1, 3), np.float32))


def test_the_libraries_are_imported_where_a_file_is_made_alone():
    code = "import sys, engine.onnx, engine.layers, engine.graph; print({'onnx', 'onnxruntime'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
