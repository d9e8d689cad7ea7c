"""The sensitivity-specificity loss, value and gradient."""
from __future__ import annotations

from types import ModuleType

import numpy as np

from exercises.catalogue.overlap import NAMES, draw
from exercises.catalogue.overlap import setups as masks
from exercises.exercise import Arrays, Cut, Exercise, Mutant, Part, Setup
from exercises.tasks.function import FunctionTask, value_and_gradient

SQUARES = "squares = (y - p) * (y - p)"
SUMS = "return xp.sum(squares * y), xp.sum(y), xp.sum(squares * (1 - y)), xp.sum(1 - y)"
WEIGHTS = "inside, outside = rho / (mask + EPSILON), (1 - rho) / (rest + EPSILON)"
RETURN = "return inside * s + outside * t, 2 * (prediction - y) * (inside * y + outside * (1 - y))"


def call(module: ModuleType, setup: Setup, inputs: Arrays) -> Arrays:
    value, gradient = module.sensitivity_specificity(inputs["prediction"], inputs["target"], setup["rho"])
    return {"value": value, "gradient": gradient}


def definition(arrays: Arrays, setup: Setup) -> float:
    """(3.49) with the difference, one pixel after the other."""
    S = T = 0.0
    mask = rest = 1e-6
    for p, y in zip(arrays["prediction"].flat, arrays["target"].flat, strict=True):
        S, mask = S + (y - p) ** 2 * y, mask + y
        T, rest = T + (y - p) ** 2 * (1 - y), rest + 1 - y
    return float(setup["rho"] * S / mask + (1 - setup["rho"]) * T / rest)


def setups(rng: np.random.Generator) -> list[Setup]:
    rho = round(float(rng.uniform(0.7, 0.9)), 2)
    halves, weighted = masks(rng, rho=0.5), masks(rng, rho=rho)
    return halves[:2] + [Setup(f"{setup.name}, the lesion weighted", setup.values) for setup in weighted]


EXERCISE = Exercise(
    "sensitivity_specificity", "Errors on the lesion, errors beside it: the SS loss",
    "Write the loss that weighs both kinds of error, and its gradient.", "09_losses",
    (Part("engine.kernels.losses", ("error_sums",)),
     Part("engine.losses.overlap", ("EPSILON", "sensitivity_specificity"))),
    (Cut("error_sums", "squares =", "four sums over all elements: S, the squared error where the mask is (times y), "
         "the size of the mask, T, the squared error beside it (times 1-y), and the size of the rest. xp.sum.",
         last="return"),
     Cut("sensitivity_specificity", "inside, outside =", "value and gradient, the gradient in the shape of the "
         "prediction. s, mask, t and rest are the four sums; EPSILON is added to the two sizes, which are divided by; "
         "rho is the mask's weight and 1 - rho the rest's. The sizes do not depend on the prediction.", last="return")),
    FunctionTask(draw, call, value_and_gradient(definition, "prediction"), leads=("value",), names=NAMES), setups,
    (Mutant("as printed", "This is what comes out with (y p)^2, as (3.49) is printed, instead of (y - p)^2: the least "
            "loss is then at p = 0, whatever the mask is.", {SQUARES: "squares = (y * p) * (y * p)"}),
     Mutant("rho exchanged", "This is what comes out when rho and 1 - rho are exchanged: rho weighs the lesion. With "
            "rho = 1/2 nothing shows.", {WEIGHTS: "inside, outside = (1 - rho) / (mask + EPSILON), rho / (rest + "
                                         "EPSILON)"}),
     Mutant("the mean over all pixels", "This is what comes out when both sums are divided by the number of all "
            "pixels: then a small lesion hardly counts, which this loss is there to mend.",
            {WEIGHTS: "inside, outside = rho / (mask + rest + EPSILON), (1 - rho) / (mask + rest + EPSILON)"}),
     Mutant("the lesion alone", "This is what comes out when the background is forgotten: predicting lesion everywhere "
            "would cost nothing.", {RETURN: "return inside * s, 2 * (prediction - y) * inside * y"}),
     Mutant("epsilon forgotten", "This is what comes out when epsilon is forgotten: without a lesion the first ratio "
            "is 0/0.", {WEIGHTS: WEIGHTS.replace(" + EPSILON", "")}),
     Mutant("the 2 of the square", "This is what comes out when the 2 of the square's derivative is forgotten.",
            {RETURN: RETURN.replace("2 * (prediction", "(prediction")}),
     Mutant("y - p", "This is what comes out when the gradient has y - p: (y - p)^2 grows with p where p is above y.",
            {RETURN: RETURN.replace("prediction - y", "y - prediction")}),
     Mutant("the background's gradient", "This is what comes out when the gradient is written for the lesion alone: "
            "beside it p counts, too.", {RETURN: RETURN.replace("(inside * y + outside * (1 - y))", "inside * y")})),
    ("rho", "lesion"))
