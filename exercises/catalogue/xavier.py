"""Xavier's initialization, judged by moments."""
from __future__ import annotations

from math import prod, sqrt
from types import ModuleType

import numpy as np

from exercises.exercise import Arrays, Cut, Exercise, Expected, Mutant, Part, Setup
from exercises.tasks.function import FunctionTask

FANS = "return prod(area) * channels_in, prod(area) * channels_out"
BOUND = "bound = sqrt(6 / sum(fans(shape)))"
DEVIATION = "deviation = sqrt(2 / sum(fans(shape)))"
ERRORS = 6.0  # standard errors that a moment may be off by: once in 5e8 draws
KURTOSIS = {"uniform": 9 / 5, "normal": 3.0}


def draw(setup: Setup, rng: np.random.Generator) -> Arrays:
    return {"seed": rng.integers(1 << 30, size=3)}


def call(module: ModuleType, setup: Setup, inputs: Arrays) -> Arrays:
    shape, rng = setup["shape"], np.random.default_rng(inputs["seed"])
    uniform, normal = (draws(rng, shape, "float64") for draws in (module.xavier_uniform, module.xavier_normal))
    return {"fans": np.array(module.fans(shape)), "uniform, largest": np.max(np.abs(uniform)),
            **{f"{name}, {what}": moment for name, numbers in (("uniform", uniform), ("normal", normal))
               for what, moment in (("mean", np.mean(numbers)), ("variance", np.var(numbers)))}}


def wanted(own: ModuleType, setup: Setup, inputs: Arrays) -> dict[str, Expected]:
    """The moments that (3.31) and (3.32) ask for, and how far those of n draws are from them.

    The mean of n draws has the standard error sqrt(v / n), their variance v sqrt((kurtosis - 1) / n). Of n uniform
    numbers on [-r, r] the largest is below r (1 - 20 / n) once in e^20 = 5e8 draws.
    """
    *area, inputs_, outputs = setup["shape"]
    count, fans = prod(setup["shape"]), (prod(area) * inputs_, prod(area) * outputs)
    variance = 2 / (fans[0] + fans[1])
    bound = sqrt(3 * variance)
    found = {"fans": Expected(np.array(fans), "the kernel's area times channels"),
             "uniform, largest": Expected(np.asarray(bound * (1 - 10 / count)), "(3.32)", 10 * bound / count)}
    for name, kurtosis in KURTOSIS.items():
        found[f"{name}, mean"] = Expected(np.zeros(()), "symmetry", ERRORS * sqrt(variance / count))
        found[f"{name}, variance"] = Expected(
            np.asarray(variance), "(3.31)", ERRORS * variance * sqrt((kurtosis - 1) / count))
    return found


def setups(rng: np.random.Generator) -> list[Setup]:
    """fan_in and fan_out differ by a factor, so that one cannot stand for the other."""
    few, many = (int(size) for size in (rng.integers(20, 30), rng.integers(200, 300)))
    return [Setup("dense, more inputs", {"shape": (many, few)}), Setup("dense, more outputs", {"shape": (few, many)}),
            Setup("a 3x3 kernel", {"shape": (3, 3, few, 4 * few)}),
            Setup("a 5x2 kernel", {"shape": (5, 2, 3 * few, few)})]


EXERCISE = Exercise(
    "xavier", "One scale through all layers: Xavier's start",
    "Count the fans, and choose the bound and the deviation that give the variance of (3.31).", "04_xavier",
    (Part("engine.initializers", ("fans", "xavier_uniform", "xavier_normal")),),
    (Cut("fans", "return", "(fan_in, fan_out), whole numbers: how many products are added up in an output, and in an "
         "input's gradient. area is (height, width) of a kernel, () of dense weights; prod(area)."),
     Cut("xavier_uniform", "bound =", "r, such that numbers uniform on [-r, r] have the variance of (3.31): (3.32)."),
     Cut("xavier_normal", "deviation =", "the standard deviation whose square is the variance of (3.31).")),
    FunctionTask(draw, call, wanted, leads=("fans",)), setups,
    (Mutant("the area forgotten", "This is what comes out when the fans are the channels alone: each output of a "
            "convolution adds up height x width x channels products.", {FANS: "return channels_in, channels_out"}),
     Mutant("fans exchanged", "This is what comes out when fan_in and fan_out are exchanged. Their sum, which is all "
            "that (3.31) takes, is the same.",
            {FANS: "return prod(area) * channels_out, prod(area) * channels_in"}),
     Mutant("the bound for fan_in alone", "This is what comes out with the bound sqrt(3 / fan_in): activations keep "
            "their variance, gradients do not. (3.32) is the compromise.", {BOUND: "bound = sqrt(3 / fans(shape)[0])"}),
     Mutant("He's bound", "This is what comes out with sqrt(6 / fan_in), He's bound for layers with ReLU.",
            {BOUND: "bound = sqrt(6 / fans(shape)[0])"}),
     Mutant("the bound a deviation", "This is what comes out when the deviation is taken for the bound: numbers "
            "uniform on [-r, r] have the variance r^2 / 3, not r^2.", {BOUND: "bound = sqrt(2 / sum(fans(shape)))"}),
     Mutant("the bound not rooted", "This is what comes out when the root of the bound is forgotten.",
            {BOUND: "bound = 6 / sum(fans(shape))"}),
     Mutant("the variance for the deviation", "This is what comes out when the variance is taken for the deviation: "
            "rng.normal is given its root.", {DEVIATION: "deviation = 2 / sum(fans(shape))"}),
     Mutant("He's deviation", "This is what comes out with sqrt(2 / fan_in), He's deviation for layers with ReLU.",
            {DEVIATION: "deviation = sqrt(2 / fans(shape)[0])"}),
     Mutant("1 over the sum", "This is what comes out with the variance 1 / (fan_in + fan_out): the mean of both fans "
            "is half of their sum, so that a 2 is above.", {DEVIATION: "deviation = sqrt(1 / sum(fans(shape)))"})))
