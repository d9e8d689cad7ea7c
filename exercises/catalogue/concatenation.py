"""Concatenation: what is put side by side, and comes apart again."""
from __future__ import annotations

from types import ModuleType

import numpy as np

from engine.gradient_check import distinct
from engine.gradient_check.case import scatter
from engine.layer import Layer, Run, assign
from engine.layers import Conv2D, Tanh
from exercises.exercise import Arrays, Cut, Exercise, Expected, Mutant, Part, Setup
from exercises.tasks.differences import gradient
from exercises.tasks.function import FunctionTask
from exercises.tasks.layer import IMAGES

JOIN = "return array_namespace(a).concat([a, b], axis=-1)"
APART = "da, grads = super().backward(dy[..., :channels], kept.pop())"
PAIR = "return (da, dy[..., channels:]), grads"


def build(module: ModuleType, setup: Setup) -> Layer:
    """Merge with a convolution in front of its first half: g."""
    inputs, outputs = setup["channels"]
    g = Conv2D(inputs, outputs, 1, activation=Tanh(), rng=np.random.default_rng(0), dtype="float64")
    layer: Layer = module.Merge(g=g)
    return layer


def merge(module: ModuleType, setup: Setup, inputs: Arrays) -> Layer:
    layer = build(module, setup)
    assign(layer, {path: inputs[path] for path in layer.parameters()})
    return layer


def draw(setup: Setup, rng: np.random.Generator) -> Arrays:
    first, outputs = setup["channels"]
    shape = setup["shape"]
    g = Conv2D(first, outputs, 1, rng=rng, dtype="float64")
    scatter(g, rng)
    return {"a": distinct(rng, *shape, first), "b": distinct(rng, *shape, setup["around"]),
            "dy": rng.standard_normal((*shape, outputs + setup["around"])),
            **{f"g.{name}": array for name, array in g.params.items()}}


def call(module: ModuleType, setup: Setup, inputs: Arrays) -> Arrays:
    layer = merge(module, setup, inputs)
    y, saved = layer.forward((inputs["a"], inputs["b"]), Run())
    (da, db), grads = layer.backward(inputs["dy"], saved)
    return {"y": y, "da": da, "db": db, **{f"d{path}": g for path, g in grads.items()}}


def wanted(own: ModuleType, setup: Setup, inputs: Arrays) -> dict[str, Expected]:
    """y by the definition: tanh of the 1x1 convolution in its first channels, b in the others."""
    def y() -> np.ndarray:
        a, W = inputs["a"], inputs["g.W"][0, 0]
        joined = np.empty((*setup["shape"], W.shape[1] + setup["around"]))
        for k in range(W.shape[1]):
            joined[..., k] = np.tanh(sum(a[..., c] * W[c, k] for c in range(W.shape[0])) + inputs["g.b"][k])
        for k in range(setup["around"]):
            joined[..., W.shape[1] + k] = inputs["b"][..., k]
        return joined

    return {"y": Expected(y(), "the definition"), **{
        f"d{name}": gradient(y, inputs[name], inputs["dy"]) for name in inputs if name != "dy"}}


def setups(rng: np.random.Generator) -> list[Setup]:
    n, height, width = (int(size) for size in rng.permutation([2, 3, 4]))
    return [Setup("more channels from g", {"shape": (n, height, width), "channels": (2, 4), "around": 3}),
            Setup("fewer channels from g", {"shape": (n, height, width), "channels": (3, 1), "around": 2}),
            Setup("as many from g as around", {"shape": (2, 2, 2), "channels": (3, 2), "around": 2})]


EXERCISE = Exercise(
    "concatenation", "Put side by side, cut apart: concatenation",
    "Join two tensors along their channels, and give each its part of the gradient.", "08_pooling_and_upsampling",
    (Part("engine.kernels.joining", ("concatenate",)), Part("engine.combinators.shortcut", ("Merge",))),
    (Cut("concatenate", "return", "[a, b] along the channels, (..., A + B), a first. array_namespace(a).concat([...], "
         "axis=...)."),
     Cut("Merge.backward", "da, grads =", "the pair (da, db), and the gradients of g's parameters. `channels` is how "
         "many of dy's channels belong to g(a), the first ones; super().backward(dg, kept.pop()) takes dg, their "
         "gradient, back through g: it answers with da and the gradients of the parameters.", last="return")),
    FunctionTask(draw, call, wanted, names=dict.fromkeys(("a", "b", "dy", "y", "da", "db"), IMAGES)), setups,
    (Mutant("the order", "This is what comes out when b is put before a: [g(a), b] has g(a) in its first channels.",
            {JOIN: JOIN.replace("[a, b]", "[b, a]")}),
     Mutant("below each other", "This is what comes out when the rows are joined instead of the channels: the channels "
            "are the last axis. It only runs where both have as many channels.", {JOIN: JOIN.replace("-1", "1")}),
     Mutant("the parts exchanged", "This is what comes out when g gets the last channels of dy, and b the first. It "
            "only runs where both have as many channels.",
            {APART: APART.replace(":channels", "channels:"), PAIR: PAIR.replace("channels:", ":channels")}),
     Mutant("cut in the middle", "This is what comes out when dy is cut in the middle: g(a) and b may have different "
            "numbers of channels.", {APART: APART.replace(":channels", ":dy.shape[-1] // 2"),
                                     PAIR: PAIR.replace("channels:", "dy.shape[-1] // 2:")}),
     Mutant("g passed by", "This is what comes out when the first channels of dy are handed back as they are: they are "
            "the gradient of g(a), and have to go back through g.",
            {APART: "da, grads = dy[..., :channels], super().backward(dy[..., :channels], kept.pop())[1]"}),
     Mutant("parameters forgotten", "This is what comes out when the gradients of g's parameters are not handed on: g "
            "would never learn.", {PAIR: PAIR.replace("grads", "{}")})), ("channels",))
