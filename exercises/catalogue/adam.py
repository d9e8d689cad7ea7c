"""A step of Adam."""
from __future__ import annotations

from math import sqrt
from types import ModuleType

import numpy as np

from exercises.exercise import Arrays, Cut, Exercise, Expected, Mutant, Part, Setup
from exercises.tasks.function import FunctionTask

M1 = "m1[...] = beta1 * m1 + (1 - beta1) * gradient"
M2 = "m2[...] = beta2 * m2 + (1 - beta2) * (gradient * gradient)"
CORRECTED1 = "corrected1 = m1 / (1 - beta1**step)"
CORRECTED2 = "corrected2 = m2 / (1 - beta2**step)"
UPDATE = "parameter[...] = parameter - learning_rate * (corrected1 / (xp.sqrt(corrected2) + epsilon))"
WRITTEN = ("m1", "m2", "parameter")


def draw(setup: Setup, rng: np.random.Generator) -> Arrays:
    """A parameter with its gradient, and moments as they are after the steps before."""
    shape, scale = setup["shape"], setup["scale"]
    earlier = scale * rng.standard_normal((2, *shape)) * (setup["step"] > 1)
    return {"parameter": rng.standard_normal(shape), "gradient": scale * rng.standard_normal(shape),
            "m1": 0.5 * earlier[0], "m2": 0.5 * earlier[1] ** 2}


def call(module: ModuleType, setup: Setup, inputs: Arrays) -> Arrays:
    module.adam_update(inputs["parameter"], inputs["gradient"], inputs["m1"], inputs["m2"], setup["step"],
                       setup["rate"], setup["beta1"], setup["beta2"], setup["epsilon"])
    return {name: inputs[name] for name in WRITTEN}


def wanted(own: ModuleType, setup: Setup, inputs: Arrays) -> dict[str, Expected]:
    """Algorithm 3, corrected, number by number."""
    found = {name: np.empty(setup["shape"]) for name in WRITTEN}
    beta1, beta2, step = setup["beta1"], setup["beta2"], setup["step"]
    for place in np.ndindex(setup["shape"]):
        G = inputs["gradient"][place]
        m1 = beta1 * inputs["m1"][place] + (1 - beta1) * G
        m2 = beta2 * inputs["m2"][place] + (1 - beta2) * G * G
        root = sqrt(m2 / (1 - beta2**step))
        found["m1"][place], found["m2"][place] = m1, m2
        found["parameter"][place] = inputs["parameter"][place] - setup["rate"] * m1 / (1 - beta1**step) / (
            root + setup["epsilon"])
    return {name: Expected(array, "Algorithm 3, corrected") for name, array in found.items()}


def setups(rng: np.random.Generator) -> list[Setup]:
    """Epsilons that are large beside the gradients, too: only there is its place seen."""
    def adam(name: str, step: int, epsilon: float = 1e-8, scale: float = 1.0, beta1: float = 0.9,
             beta2: float = 0.999) -> Setup:
        return Setup(name, {"shape": shape, "step": step, "epsilon": epsilon, "scale": scale, "beta1": beta1,
                            "beta2": beta2, "rate": round(float(rng.uniform(0.01, 0.1)), 3)})

    shape = tuple(int(size) for size in rng.permutation([3, 4]))
    return [adam("the first step", 1), adam("the second step", 2), adam("the thousandth step", 1000),
            adam("small gradients", 3, epsilon=1e-3, scale=1e-2), adam("other betas", 7, 0.01, 1.0, 0.5, 0.8)]


EXERCISE = Exercise(
    "adam", "Every weight its own step: Adam", "Write lines 4 to 8 of Algorithm 3, with their misprint mended.",
    "03_descent", (Part("engine.kernels.adam", ("adam_update",)),),
    (Cut("adam_update", "m1[...] =", "m1, overwritten: the moving average of the gradients, in which the old average "
         "has the weight beta1."),
     Cut("adam_update", "m2[...] =", "m2, overwritten: the moving average of their squares, with beta2. The weights of "
         "old and new add up to 1, which the print of Algorithm 3 misses."),
     Cut("adam_update", "corrected1 =", "the parameter, overwritten. m1 and m2 begin at 0 and are too small by the "
         "factors 1 - beta1^step and 1 - beta2^step: correct them (in arrays of their own; m1 and m2 stay). Then step "
         "down by learning_rate times the first over the root of the second plus epsilon. xp.sqrt.",
         last="parameter[...]")),
    FunctionTask(draw, call, wanted, writes=WRITTEN, leads=("m1", "m2")), setups,
    (Mutant("beta1 exchanged", "This is what comes out when beta1 and 1 - beta1 are exchanged: the old average keeps "
            "the large part beta1.", {M1: "m1[...] = (1 - beta1) * m1 + beta1 * gradient"}),
     Mutant("not overwritten", "This is what comes out when m1 = ... makes a new array: the caller keeps the old one, "
            "and the next step begins with it. m1[...] = ... writes into it.", {M1: M1.replace("m1[...] =", "m1 =")}),
     Mutant("as printed", "This is what comes out with (2 - beta2), as Algorithm 3 is printed: m2 gets about 1000 "
            "times too large, and every step 32 times too short.", {M2: M2.replace("1 - beta2", "2 - beta2")}),
     Mutant("not squared", "This is what comes out when m2 averages the gradients instead of their squares.",
            {M2: M2.replace("(gradient * gradient)", "gradient")}),
     Mutant("not corrected", "This is what comes out when neither average is corrected: both begin at 0, and the first "
            "steps have the wrong length.", {CORRECTED1: "corrected1 = m1", CORRECTED2: "corrected2 = m2"}),
     Mutant("m2 not corrected", "This is what comes out when only m1 is corrected: at the first step m2 is a "
            "thousandth of G^2, and the step 32 times too long.", {CORRECTED2: "corrected2 = m2"}),
     Mutant("the power forgotten", "This is what comes out when both are divided by 1 - beta instead of 1 - beta^step: "
            "right at the first step alone.", {CORRECTED1: "corrected1 = m1 / (1 - beta1)",
                                              CORRECTED2: "corrected2 = m2 / (1 - beta2)"}),
     Mutant("counted from 0", "This is what comes out when the steps are counted from 0: the first one then divides by "
            "1 - beta^0 = 0.", {CORRECTED1: CORRECTED1.replace("**step", "**(step - 1)"),
                               CORRECTED2: CORRECTED2.replace("**step", "**(step - 1)")}),
     Mutant("epsilon inside the root", "This is what comes out when epsilon is added under the root: it belongs to the "
            "root, where it is compared with gradients, not with their squares.",
            {UPDATE: UPDATE.replace("xp.sqrt(corrected2) + epsilon", "xp.sqrt(corrected2 + epsilon)")}),
     Mutant("epsilon before the correction", "This is what comes out when epsilon is added to the root of m2 before it "
            "is corrected: the shorter form at the end of the authors' section 2, whose epsilon is another.",
            {UPDATE: UPDATE.replace("xp.sqrt(corrected2) + epsilon",
                                    "xp.sqrt(corrected2) + epsilon / (1 - beta2**step) ** 0.5")}),
     Mutant("upwards", "This is what comes out when the step is added: that climbs, as (3.13) is printed.",
            {UPDATE: UPDATE.replace("parameter - ", "parameter + ")}),
     Mutant("the root forgotten", "This is what comes out when the gradient's average is divided by m2 instead of its "
            "root.", {UPDATE: UPDATE.replace("xp.sqrt(corrected2)", "corrected2")})), ("step", "epsilon"))
