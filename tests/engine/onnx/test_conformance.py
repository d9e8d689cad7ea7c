"""The node test cases of the onnx package, for the operators that layers, losses and optimizers of the engine are.

A case that the engine can express is computed by its own layer in training or inference, and compared with the numbers
of the package. lacking.json has all others of these operators, each under the attribute that the engine does not have.
"""
import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from engine.combinators import Merge
from engine.layer import Run
from engine.layers import (
    AveragePool,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    LeakyReLU,
    MaxPool,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
    TransposedConv2D,
    Upsample,
)
from engine.layers.padding import zeros_around
from engine.losses import softmax_cross_entropy_with_logits
from engine.optimizers import Adam, Momentum

onnx = pytest.importorskip("onnx", reason='needs the extra "onnx": pip install -e ".[onnx]"')
from onnx.backend.test.case.node import collect_testcases  # noqa: E402  (where it is installed)

INFERENCE = Run(train=False)
LACKING = json.loads(Path(__file__).with_name("lacking.json").read_text())


class Lacks(Exception):
    """The engine has no such attribute."""


def last(x):
    """(N, C, ...) with the channels last."""
    return np.moveaxis(x, 1, -1)


def second(y):
    return np.moveaxis(y, -1, 1)


def lacks(wrong, what):
    if wrong:
        raise Lacks(what)


def images(x):
    lacks(x.ndim != 4, f"{x.ndim - 2} axes in place of rows and columns")
    return last(x)


def padding(x, size, stride, given):
    """SAME or VALID, from pads or auto_pad."""
    zero = (0, 0, 0, 0)
    (top, bottom), (left, right) = zeros_around((1, *x.shape[2:], 1), size, stride, "SAME")
    same = {"NOTSET": (top, left, bottom, right), "SAME_UPPER": (top, left, bottom, right),
            "SAME_LOWER": (bottom, right, top, left)}
    automatic = given.get("auto_pad", b"NOTSET").decode()
    pads = tuple(given.get("pads", zero)) if automatic == "NOTSET" else same.get(automatic, zero)
    if pads == zero:
        return "VALID"
    lacks(pads != same["NOTSET"], "pads" if automatic == "NOTSET" else "auto_pad")
    return "SAME"


def convolution(kind, given, x, W, b=None):
    x_last = images(x)
    lacks(given.get("group", 1) != 1, "group")
    lacks(set(given.get("dilations", (1,))) != {1}, "dilations")
    lacks("output_shape" in given, "output_shape")
    size, stride = W.shape[2:], tuple(given.get("strides", (1, 1)))
    how = padding(x, size, stride, given)
    inputs, outputs = (W.shape[1], W.shape[0]) if kind is Conv2D else W.shape[:2]
    if kind is TransposedConv2D:
        lacks(how == "SAME" and "auto_pad" not in given, "pads")
        beyond = [max(0, s - k) for s, k in zip(stride, size, strict=True)] if how == "SAME" else [0, 0]
        lacks(list(given.get("output_padding", [0, 0])) != beyond, "output_padding")
    layer = kind(inputs, outputs, size, stride, how, rng=np.random.default_rng(0))
    layer.params["W"][...] = W.transpose(2, 3, 1, 0)
    layer.params["b"][...] = 0 if b is None else b
    return [second(layer.forward(x_last, INFERENCE)[0])]


def pool(kind, given, x):
    x_last = images(x)
    lacks(x.dtype != np.float32, f"{x.dtype}")
    lacks(given.get("ceil_mode", 0), "ceil_mode")
    lacks(set(given.get("dilations", (1,))) != {1}, "dilations")
    size, stride = tuple(given["kernel_shape"]), tuple(given.get("strides", (1, 1)))
    lacks(padding(x, size, stride, given) != "VALID", "pads" if "pads" in given else "auto_pad")
    return [second(kind(size, stride).forward(x_last, INFERENCE)[0])]


def batch_normalization(given, x, scale, shift, mean, variance):
    training = bool(given.get("training_mode", 0))
    layer = BatchNorm(len(scale), alpha=given.get("momentum", 0.9), epsilon=given.get("epsilon", 1e-5))
    for arrays, numbers in ((layer.params, (scale, shift)), (layer.buffers, (mean, variance))):
        for array, each in zip(arrays.values(), numbers, strict=True):
            array[...] = each
    y, saved = layer.forward(last(x), Run(train=training))
    layer.absorb(layer.backward(y, saved)[1])
    return [second(y), *(layer.buffers.values() if training else ())]


def concat(given, a, b):
    axis = given["axis"] % a.ndim
    lacks(axis == 0 < a.ndim - 1, "axis")
    return [np.moveaxis(Merge().forward((np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1)), INFERENCE)[0], -1, axis)]


def dropout(given, x, ratio=0.5, training=False):
    lacks(bool(training) and ratio > 0, "seed")
    return [Dropout(1 - ratio if training else 0.5).forward(x, Run(train=bool(training)))[0]]


def flatten(given, x):
    lacks(given.get("axis", 1) % x.ndim != 1, "axis")
    return [Flatten().forward(x, INFERENCE)[0]]


def gemm(given, a, b, c=0.0):
    lacks(given.get("transA", 0), "transA")
    lacks(given.get("alpha", 1) != 1, "alpha")
    lacks(given.get("beta", 1) != 1, "beta")
    lacks(np.ndim(c) == 2 and len(c) > 1, "C with a row for each sample")
    W = b.T if given.get("transB", 0) else b
    layer = Dense(*W.shape, rng=np.random.default_rng(0))
    layer.params["W"][...], layer.params["b"][...] = W, np.reshape(c, -1)
    return [layer.forward(a, INFERENCE)[0]]


def resize(given, x, scales=None, sizes=None):
    lacks(given.get("mode", b"nearest") != b"nearest", f"mode {given.get('mode', b'nearest').decode()}")
    modes = (given.get("coordinate_transformation_mode", b"half_pixel"),
             given.get("nearest_mode", b"round_prefer_floor"))
    lacks(modes not in ((b"half_pixel", b"round_prefer_floor"), (b"asymmetric", b"floor")), b" ".join(modes).decode())
    lacks("axes" in given, "axes")
    lacks("keep_aspect_ratio_policy" in given, "keep_aspect_ratio_policy")
    factors = {float(each) for each in scales[2:]} if scales is not None else {
        size / there for size, there in zip(sizes[2:], x.shape[2:], strict=True)}
    lacks(len(factors) > 1, "another factor for rows than for columns")
    factor, = factors
    lacks(factor != int(factor), "a factor that is no whole number")
    return [second(Upsample(int(factor)).forward(images(x), INFERENCE)[0])]


def softmax(given, x):
    axis = given.get("axis", -1) % x.ndim
    lacks(axis == 0, "axis")
    moved = Softmax().forward(np.moveaxis(x, axis, -1), INFERENCE)[0]
    return [np.moveaxis(moved, -1, axis)]


def activation(layer):
    return lambda given, x: [layer(given).forward(x, INFERENCE)[0]]


def cross_entropy(given, logits, classes, weights=None):
    """The engine's is a sum over an image's places, and a mean over the samples."""
    reduction = given.get("reduction", b"mean")
    lacks(weights is not None, "weights")
    lacks("ignore_index" in given, "ignore_index")
    lacks(reduction == b"none", "reduction none")
    loss, _ = softmax_cross_entropy_with_logits(last(logits), classes)
    return [loss * len(logits) / (classes.size if reduction == b"mean" else 1)]


def tensors(arrays, kinds):
    """X of every parameter, G of every parameter, then the memory: dictionaries by number."""
    count = len(arrays) // kinds
    return [dict(enumerate(arrays[kind * count:(kind + 1) * count])) for kind in range(kinds)]


def penalized(given, X, G):
    """norm_coefficient is the gradient of a penalty: part of the loss here."""
    return {path: G[path] + given.get("norm_coefficient", 0.0) * X[path] for path in X}


def adam(given, rate, steps, *arrays):
    """T = 0 means without correction; so does a number of steps after which it is 1."""
    lacks(int(steps) != 0, "steps that begin at 0")
    lacks(given.get("norm_coefficient_post", 0.0), "norm_coefficient_post")
    X, G, m1, m2 = tensors(arrays, 4)
    optimizer = Adam({str(path): array.copy() for path, array in X.items()}, given["alpha"], given["beta"],
                     given.get("epsilon", 1e-6))
    optimizer.load({"steps": np.asarray(10**9)} | {
        f"{name}.{path}": array for name, memory in (("m1", m1), ("m2", m2)) for path, array in memory.items()})
    optimizer.step({str(path): each for path, each in penalized(given, X, G).items()}, float(rate))
    return [*optimizer.parameters.values(), *optimizer.memory["m1"].values(), *optimizer.memory["m2"].values()]


def momentum(given, rate, steps, *arrays):
    """v here is -R V there."""
    lacks(given["mode"] != b"standard", "mode nesterov")
    lacks(int(steps) != 0 and given["beta"] != 1, "beta")
    X, G, V = tensors(arrays, 3)
    optimizer = Momentum({str(path): array.copy() for path, array in X.items()}, given["alpha"])
    optimizer.load({"steps": np.asarray(0)} | {f"velocity.{path}": -rate * array for path, array in V.items()})
    optimizer.step({str(path): each for path, each in penalized(given, X, G).items()}, float(rate))
    return [*optimizer.parameters.values(), *(-v / rate for v in optimizer.memory["velocity"].values())]


EXPRESSED = {
    "AveragePool": lambda given, x: pool(AveragePool, given, x), "BatchNormalization": batch_normalization,
    "Concat": concat, "Conv": lambda given, *arrays: convolution(Conv2D, given, *arrays),
    "ConvTranspose": lambda given, *arrays: convolution(TransposedConv2D, given, *arrays), "Dropout": dropout,
    "Flatten": flatten, "Gemm": gemm,
    "GlobalAveragePool": lambda given, x: [GlobalAveragePool().forward(images(x), INFERENCE)[0][:, :, None, None]],
    "LeakyRelu": activation(lambda given: LeakyReLU(given.get("alpha", 0.01))),
    "MaxPool": lambda given, x: pool(MaxPool, given, x), "Relu": activation(lambda given: ReLU()),
    "Resize": lambda given, x, roi=None, scales=None, sizes=None: resize(given, x, scales, sizes), "Upsample": resize,
    "Sigmoid": activation(lambda given: Sigmoid()), "Softmax": softmax,
    "Tanh": activation(lambda given: Tanh()), "SoftmaxCrossEntropyLoss": cross_entropy, "Adam": adam,
    "Momentum": momentum}
MORE_OUTPUTS = {"Dropout": "the mask as an output", "MaxPool": "Indices as an output",
                "SoftmaxCrossEntropyLoss": "log_prob as an output"}


def cases():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the package's own numbers
        found = collect_testcases(None)
    return {case.name: case for case in found
            if len(case.model.graph.node) == 1 and case.model.graph.node[0].op_type in EXPRESSED}


CASES = cases()


def answers(case, inputs):
    """The outputs by the engine. Raises Lacks."""
    node, = case.model.graph.node
    given = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    lacks(node.op_type in MORE_OUTPUTS and len(node.output) > 1, MORE_OUTPUTS.get(node.op_type))
    arrays = iter(inputs)
    return EXPRESSED[node.op_type](given, *[next(arrays) if name else None for name in node.input])


def lacking():
    """The cases that the engine does not express, by operator and attribute."""
    found = {}
    for name, case in CASES.items():
        try:
            answers(case, case.data_sets[0][0])
        except Lacks as lack:
            found.setdefault(f"{case.model.graph.node[0].op_type}: {lack}", []).append(name)
    return {attribute: sorted(names) for attribute, names in sorted(found.items())}


def test_what_is_not_expressed_stands_in_the_table():
    """But for the cases that another version of the package does not have."""
    there = {attribute: [name for name in names if name in CASES] for attribute, names in LACKING.items()}
    assert lacking() == {attribute: names for attribute, names in there.items() if names}


@pytest.mark.parametrize("name", sorted(CASES.keys() - set().union(*LACKING.values())))
def test_what_is_expressed_computes_the_same(name):
    case = CASES[name]
    for inputs, outputs in case.data_sets:
        for own, theirs in zip(answers(case, inputs), outputs, strict=True):
            assert np.shape(own) == np.shape(theirs)
            np.testing.assert_allclose(own, theirs, rtol=case.rtol, atol=max(case.atol, 1e-6 * np.abs(theirs).max()))


def test_every_operator_but_one_has_cases_that_are_expressed():
    """Upsample's, and so Resize's, stretch rows and columns by two factors."""
    expressed = {CASES[name].model.graph.node[0].op_type for name in CASES.keys() - set().union(*LACKING.values())}
    assert EXPRESSED.keys() - expressed == {"Resize", "Upsample"}
