"""The Dice loss of both classes, value and gradient."""
from __future__ import annotations

from types import ModuleType

from exercises.catalogue.overlap import NAMES, draw, setups
from exercises.exercise import Arrays, Cut, Exercise, Mutant, Part, Setup
from exercises.tasks.function import FunctionTask, value_and_gradient

SUMS = "return xp.sum(p * y), xp.sum(p + y), xp.sum((1 - p) * (1 - y)), xp.sum((1 - p) + (1 - y))"
EPSILONS = "a, b, c, d = (each + EPSILON for each in sums)"
RETURN = "return 1 - a / b - c / d, (a / b - y) / b + (1 - y - c / d) / d"


def call(module: ModuleType, setup: Setup, inputs: Arrays) -> Arrays:
    value, gradient = module.dice(inputs["prediction"], inputs["target"])
    return {"value": value, "gradient": gradient}


def definition(arrays: Arrays, setup: Setup) -> float:
    """(3.43), one pixel after the other."""
    A = B = C = D = 1e-6
    for p, y in zip(arrays["prediction"].flat, arrays["target"].flat, strict=True):
        A, B = A + p * y, B + p + y
        C, D = C + (1 - p) * (1 - y), D + 2 - p - y
    return float(1 - A / B - C / D)


EXERCISE = Exercise(
    "dice", "How much two sets share: the Dice loss", "Write the loss from its four sums, and its gradient by the "
    "quotient rule.", "09_losses",
    (Part("engine.kernels.losses", ("overlap_sums",)), Part("engine.losses.overlap", ("EPSILON", "dice"))),
    (Cut("overlap_sums", "return", "the four sums A, B, C and D of (3.43) without epsilon, in this order, over all "
         "elements of p and y; the docstring names them. xp.sum."),
     Cut("dice", "a, b, c, d =", "value and gradient of 1 - A/B - C/D, the gradient in the shape of the prediction. "
         "EPSILON is added to each of the four sums. A grows by y for each unit of p, B by 1, C by -(1-y), D by -1: "
         "the quotient rule does the rest.", last="return")),
    FunctionTask(draw, call, value_and_gradient(definition, "prediction"), leads=("value",), names=NAMES), setups,
    (Mutant("the lesion alone", "This is what comes out when the background's ratio C/D is left out: the usual Dice "
            "loss has 2 A/B alone, (3.43) has both classes.", {RETURN: "return 1 - a / b, (a / b - y) / b"}),
     Mutant("the usual Dice", "This is what comes out with the usual Dice loss, 1 - 2 A/B: (3.43) has A/B of the "
            "lesion and C/D of the background, each up to 1/2.", {RETURN: "return 1 - 2 * a / b, 2 * (a / b - y) / b"}),
     Mutant("squares", "This is what comes out when B is the sum of squares, p^2 + y^2: (3.43) adds p + y.",
            {SUMS: SUMS.replace("p + y", "p * p + y * y")}),
     Mutant("1 - p y", "This is what comes out when C is the sum of 1 - p y: what is background in both is "
            "(1 - p)(1 - y).", {SUMS: SUMS.replace("(1 - p) * (1 - y)", "1 - p * y")}),
     Mutant("epsilon forgotten", "This is what comes out when epsilon is forgotten: with neither lesion nor prediction "
            "A/B would be 0/0.", {EPSILONS: EPSILONS.replace("each + EPSILON", "each")}),
     Mutant("the sign of the gradient", "This is what comes out when the gradient's sign is exchanged: descent would "
            "drive prediction and mask apart.",
            {RETURN: "return 1 - a / b - c / d, (y - a / b) / b + (c / d - 1 + y) / d"}),
     Mutant("the quotient rule", "This is what comes out when B and D are taken for constants: both grow or fall with "
            "p, too, so (A/B)' = (A' B - A B') / B^2.",
            {RETURN: "return 1 - a / b - c / d, (1 - y) / d - y / b"}),
     Mutant("the background's gradient", "This is what comes out when the gradient of C/D is forgotten.",
            {RETURN: "return 1 - a / b - c / d, (a / b - y) / b"})), ("lesion",))
