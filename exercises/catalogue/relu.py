"""ReLU, forward and backward."""
from __future__ import annotations

from types import ModuleType

import numpy as np

from engine.layer import Layer
from exercises.exercise import Arrays, Cut, Exercise, Mutant, Part, Setup
from exercises.tasks.layer import LayerTask

VALUE = "return xp.maximum(a, xp.asarray(0, dtype=a.dtype))"
GRADIENT = "da = do * array_namespace(o).astype(real(o) > 0, do.dtype)"


def build(module: ModuleType, setup: Setup, dtype: str) -> Layer:
    layer: Layer = module.ReLU()
    return layer


def definition(arrays: Arrays, setup: Setup) -> np.ndarray:
    return np.array([max(a, 0.0) for a in arrays["x"].flat]).reshape(arrays["x"].shape)


def setups(rng: np.random.Generator) -> list[Setup]:
    n, features = (int(size) for size in rng.permutation([4, 5]))
    return [Setup("features", {"shape": (n, features)}), Setup("images", {"shape": (2, 3, 4, 2)}),
            Setup("large numbers", {"shape": (n, features), "scale": 50.0})]


EXERCISE = Exercise(
    "relu", "A kink: ReLU", "Write max(a, 0), and take a gradient back through it.", "01_neuron",
    (Part("engine.kernels.activations", ("relu", "relu_gradient")), Part("engine.layers.activations", ("ReLU",))),
    (Cut("relu", "xp =", "max(a, 0) of every element, in the dtype of a. (The engine's own lines also see to complex "
         "numbers; yours need not.)", last="return xp.maximum"),
     Cut("relu_gradient", "da =", "da, in the shape of do: do where the output o is positive, 0 elsewhere. Only o is "
         "kept, not a, and o tells: o > 0 exactly where a > 0.")),
    LayerTask(build, definition), setups,
    (Mutant("absolute value", "This is what comes out when |a| is taken: ReLU is 0 where a is negative.",
            {VALUE: "return xp.abs(a)"}),
     Mutant("the negative part", "This is what comes out when the minimum of a and 0 is taken instead of the maximum.",
            {VALUE: "return xp.minimum(a, xp.asarray(0, dtype=a.dtype))"}),
     Mutant("everything passes", "This is what comes out when the whole gradient passes. o >= 0 does that, too: o is "
            "never negative. Where o is 0 nothing that a did reached the output, so nothing comes back.",
            {GRADIENT: "da = do"}),
     Mutant("the gradient rectified", "This is what comes out when the sign of do decides: a gradient may well be "
            "negative; it is o that decides.", {GRADIENT: GRADIENT.replace("real(o)", "do")}),
     Mutant("writes to do", "This is what comes out when do itself is overwritten, as do *= ... does: the layer behind "
            "still holds that array. The numbers are right here, and wrong in a network.",
            {GRADIENT: "do *= real(o) > 0\n    da = do"}),
     Mutant("times o", "This is what comes out when do is multiplied with o itself: the derivative is 1 where o is "
            "positive, whatever o is.", {GRADIENT: "da = do * o"})))
