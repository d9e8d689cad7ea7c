"""Softmax with cross entropy, value and gradient."""
from __future__ import annotations

from types import ModuleType

import numpy as np

from engine.gradient_check import distinct
from exercises.exercise import Arrays, Cut, Exercise, Mutant, Part, Setup
from exercises.tasks.function import FunctionTask, value_and_gradient

RETURN = "return -xp.sum(y * (shifted - xp.log(total))), e / total * xp.sum(y, axis=-1, keepdims=True) - y"
SHIFTED = "shifted = z - xp.max(real(z), axis=-1, keepdims=True)"
TOTAL = "total = xp.sum(e, axis=-1, keepdims=True)"
MEAN = "return value / samples, gradient / samples"


def draw(setup: Setup, rng: np.random.Generator) -> Arrays:
    logits = setup["scale"] * distinct(rng, *setup["shape"])
    target = rng.random(setup["shape"])
    if setup["target"] == "one class":
        target = (target == target.max(axis=-1, keepdims=True)).astype(np.float64)
    elif setup["target"] == "probabilities":
        target = target / target.sum(axis=-1, keepdims=True)
    return {"logits": logits, "target": target}


def call(module: ModuleType, setup: Setup, inputs: Arrays) -> Arrays:
    value, gradient = module.softmax_cross_entropy_with_logits(inputs["logits"], inputs["target"])
    return {"value": value, "gradient": gradient}


def definition(arrays: Arrays, setup: Setup) -> float:
    """-1/N sum of y_k ln p_k, sample by sample; ln p_k = z_k - ln sum of e^z_j, shifted by the largest z."""
    total = 0.0
    for z, y in zip(arrays["logits"], arrays["target"], strict=True):
        log_sum = z.max() + np.log(sum(np.exp(each - z.max()) for each in z))
        total -= sum(weight * (each - log_sum) for weight, each in zip(y, z, strict=True))
    return total / len(arrays["logits"])


def setups(rng: np.random.Generator) -> list[Setup]:
    def loss(name: str, samples: int, classes: int, target: str, scale: float = 2.0) -> Setup:
        return Setup(name, {"shape": (samples, classes), "target": target, "scale": scale})

    n, k = (int(size) for size in rng.permutation([3, 4]))
    return [loss("one class each", n, k, "one class"), loss("one sample", 1, k, "one class"),
            loss("probabilities", n, k, "probabilities"), loss("weights that do not add up to 1", n, k, "weights"),
            loss("logits to 1000", n, k, "probabilities", 1000.0)]


EXERCISE = Exercise(
    "softmax_cross_entropy", "Two formulas that become one: softmax with cross entropy",
    "Write value and gradient of the cross entropy of softmax, from the logits.", "09_losses",
    (Part("engine.kernels.losses", ("softmax_loss",)),
     Part("engine.losses.cross_entropy", ("softmax_cross_entropy_with_logits",))),
    (Cut("softmax_loss", "shifted =", "two results. The sum of -y ln p over everything, without axes; ln p_k = z_k - "
         "ln sum_j e^z_j along the last axis, in which the largest z of each sample may be subtracted from all of its "
         "z first, so that no exponential overflows. And the gradient for z, (..., K): p_j sum_k y_k - y_j.",
         last="return"),
     Cut("softmax_cross_entropy_with_logits", "return", "value and gradient of the mean over the N samples, as (3.14) "
         "takes it.")),
    FunctionTask(draw, call, value_and_gradient(definition, "logits"), leads=("value",), names={
        "logits": ("sample", "class"), "target": ("sample", "class"), "gradient": ("sample", "class")}), setups,
    (Mutant("y - p", "This is what comes out when the gradient's sign is exchanged: a class that is answered too "
            "surely, p above y, must be pushed down, so the gradient is p - y.",
            {RETURN: RETURN.replace("e / total", "y - e / total").replace("keepdims=True) - y", "keepdims=True)")}),
     Mutant("p - y for any y", "This is what comes out with p - y, which is right only where the targets of a sample "
            "add up to 1: in general it is p_j sum_k y_k - y_j.",
            {RETURN: "return -xp.sum(y * (shifted - xp.log(total))), e / total - y"}),
     Mutant("y forgotten", "This is what comes out when y is not subtracted: p is the gradient of ln sum_j e^z_j alone."
            "",
            {RETURN: RETURN.replace(" - y", "")}),
     Mutant("the sign of the value", "This is what comes out when the minus of -sum y ln p is forgotten.",
            {RETURN: RETURN.replace("return -xp", "return xp")}),
     Mutant("overflow", "This is what comes out when the largest logit is not subtracted: e^1000 is infinite.",
            {SHIFTED: "shifted = z"}),
     Mutant("softmax over the samples", "This is what comes out when the exponentials are added over the samples "
            "instead of the classes: axis 0, not the last one.", {TOTAL: "total = xp.sum(e, axis=0, keepdims=True)"}),
     Mutant("a sum", "This is what comes out when value and gradient are not divided by the number of samples.",
            {MEAN: "return value, gradient"}),
     Mutant("gradient not divided", "This is what comes out when the value is divided by the number of samples and the "
            "gradient is not.", {MEAN: "return value / samples, gradient"}),
     Mutant("a mean over classes", "This is what comes out when the mean is taken over samples and classes: the loss "
            "is summed over the elements of a sample, and averaged over the samples alone.",
            {MEAN: "return value / logits.size, gradient / logits.size"})), ("target", "scale"))
