"""Skip: the way through and the way around."""
from __future__ import annotations

from types import ModuleType

import numpy as np

from engine.layer import Layer, Run
from engine.layers import BatchNorm, Conv2D, Dropout, Tanh
from exercises.exercise import Cut, Exercise, Mutant, Part, Setup
from exercises.tasks.layer import LayerTask

FORWARD = "return (fx, x), saved"
ADDED = "return add(inside, around), grads"


def build(module: ModuleType, setup: Setup, dtype: str) -> Layer:
    """Skip of a convolution, and of what the set-up has behind it."""
    inputs, outputs = setup["channels"]
    behind: dict[str, list[Layer]] = {
        "tanh": [Tanh()], "norm and dropout": [BatchNorm(outputs, dtype=dtype), Dropout(0.7)]}
    layer: Layer = module.Skip(Conv2D(inputs, outputs, rng=np.random.default_rng(0), dtype=dtype),
                               *behind.get(setup["behind"], []))
    return layer


def setups(rng: np.random.Generator) -> list[Setup]:
    def skip(name: str, channels: tuple[int, int], behind: str = "") -> Setup:
        run = Run(seed=(int(rng.integers(1 << 30)),))
        return Setup(name, {"shape": (2, height, width, channels[0]), "channels": channels, "behind": behind,
                            "activation": bool(behind), "run": run})

    height, width = (int(size) for size in rng.permutation([3, 4]))
    return [skip("around a convolution", (2, 3)), skip("as many channels as before", (2, 2)),
            skip("around a convolution and tanh", (3, 2), "tanh"),
            skip("around batch norm and dropout", (2, 2), "norm and dropout")]


EXERCISE = Exercise(
    "skip", "Two ways from x to the loss: a skip connection",
    "Send x through layers and around them, and bring the gradient of both ways together.", "12_unet",
    (Part("engine.combinators.shortcut", ("Fork", "Skip")),),
    (Cut("Fork.forward", "return", "the pair that Merge will join, (f(x), x), and what f saved."),
     Cut("Fork.backward", "inside, grads =", "dx, in the shape of x, and the gradients of f's parameters. dfx.pop() is "
         "the gradient of f(x) and `around` that of x itself; super().backward(dfx.pop(), kept.pop()) goes back "
         "through f and answers with two results: the gradient at x of the way through f, and those of the parameters.",
         last="return")),
    LayerTask(build, affine=True), setups,
    (Mutant("the order", "This is what comes out when the pair is (x, f(x)): what came through the layers is first.",
            {FORWARD: "return (x, fx), saved"}),
     Mutant("a sum", "This is what comes out when x is added to f(x): that is ResNet's shortcut. A U-net puts both "
            "side by side. It only runs where f leaves the channels as many.", {FORWARD: "return (fx + x, x), saved"}),
     Mutant("the way around forgotten", "This is what comes out when only the gradient of the way through the layers "
            "is handed back: x also moved the loss on the way around.", {ADDED: "return inside, grads"}),
     Mutant("the way through forgotten", "This is what comes out when only the gradient of the way around is handed "
            "back: x also moved the loss through the layers.", {ADDED: "return around, grads"}),
     Mutant("a mean", "This is what comes out when the mean of both gradients is taken: x went both ways whole, so "
            "their gradients add up.", {ADDED: "return add(inside, around) / 2, grads"}),
     Mutant("parameters forgotten", "This is what comes out when the gradients of f's parameters are not handed on: f "
            "would never learn.", {ADDED: "return add(inside, around), {}"})), ("channels", "behind"))
