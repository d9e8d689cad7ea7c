"""Sigmoid, forward and backward."""
from __future__ import annotations

from types import ModuleType

import numpy as np

from engine.layer import Layer, Run
from exercises.exercise import Arrays, Cut, Exercise, Mutant, Part, Property, Setup
from exercises.tasks.layer import LayerTask

VALUE = "return xp.where(positive, 1 / (1 + small), small / (1 + small))"
SMALL = "small = xp.exp(xp.where(positive, -a, a))"
GRADIENT = "return do * (o * (1 - o))"


def build(module: ModuleType, setup: Setup, dtype: str) -> Layer:
    layer: Layer = module.Sigmoid()
    return layer


def definition(arrays: Arrays, setup: Setup) -> np.ndarray:
    """1 / (1 + e^-a) in longer numbers, which reach to e^11356."""
    return (1 / (1 + np.exp(-arrays["x"].astype(np.longdouble)))).astype(np.float64)


def overflow(module: ModuleType, setup: Setup, inputs: Arrays, rng: np.random.Generator) -> str:
    """Whether an exponential of the forward pass is too large for float32."""
    x = np.linspace(-200, 200, 41).astype(np.float32)
    try:
        with np.errstate(over="raise", invalid="raise"):
            module.Sigmoid().forward(x, Run())
    except FloatingPointError as error:
        return f"of float32 numbers from -200 to 200: {error}. e^200 is too large; e^-200 is not: take e^-|a|"
    return ""


def setups(rng: np.random.Generator) -> list[Setup]:
    n, features = (int(size) for size in rng.permutation([4, 5]))
    return [Setup("features", {"shape": (n, features)}), Setup("images", {"shape": (2, 3, 4, 2)}),
            Setup("numbers to 5", {"shape": (n, features), "scale": 5.0}),
            Setup("numbers to 800", {"shape": (n, features), "scale": 800.0})]


EXERCISE = Exercise(
    "sigmoid", "From any number to a probability: the sigmoid",
    "Write 1 / (1 + e^-a) so that nothing overflows, and its derivative from the output alone.", "02_chain_rule",
    (Part("engine.layers.activations", ("Sigmoid",)),),
    (Cut("Sigmoid.value", "xp =", "1 / (1 + e^-a) of every element. e^-a overflows where a is far below 0: there the "
         "same number is e^a / (1 + e^a). array_namespace(a) has exp, where and abs.", last="return"),
     Cut("Sigmoid.gradient", "return", "da = do . sigma'(a), in the shape of do. Only o = sigma(a) is at hand: write "
         "sigma'(a) with o alone.")),
    LayerTask(build, definition, holds=(Property("no exponential overflows", overflow),)), setups,
    (Mutant("overflows", "This is what comes out when 1 / (1 + e^-a) is written as it stands: the numbers are right, "
            "but e^-a is infinite on the way.", {SMALL: "small = xp.exp(-a)", VALUE: "return 1 / (1 + small)"}),
     Mutant("infinity over infinity", "This is what comes out when e^a / (1 + e^a) is taken everywhere: where a is "
            "large that is infinity divided by infinity.",
            {SMALL: "small = xp.exp(a)", VALUE: "return small / (1 + small)"}),
     Mutant("the sign of a", "This is what comes out when the exponent's sign is exchanged: sigma(-a) = 1 - sigma(a).",
            {VALUE: "return xp.where(positive, small / (1 + small), 1 / (1 + small))"}),
     Mutant("sigma twice", "This is what comes out when the derivative is computed at o as if it were a: "
            "sigma'(a) = o (1 - o) has no further exponential in it.",
            {GRADIENT: "return do * (self.value(o) * (1 - self.value(o)))"}),
     Mutant("1 - o forgotten", "This is what comes out when the factor 1 - o is forgotten: sigma'(a) = o (1 - o).",
            {GRADIENT: "return do * o"}),
     Mutant("tanh's derivative", "This is what comes out with tanh's derivative, 1 - o^2.",
            {GRADIENT: "return do * (1 - o * o)"}),
     Mutant("do forgotten", "This is what comes out when the derivative is not multiplied with do: the chain rule.",
            {GRADIENT: "return o * (1 - o)"})))
