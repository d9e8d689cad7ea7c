"""A gradient checker of one's own, judged by a gallery of wrong backwards."""
from __future__ import annotations

from types import ModuleType

import numpy as np

from engine.gradient_check import distinct
from engine.gradient_check.passes import Analytic
from engine.gradient_check.probe import Probe
from engine.layer import Layer, Run
from engine.layers import Dense, Tanh
from exercises.catalogue.gallery import Entry, Wrong, right, wrong_others, wrong_products
from exercises.exercise import Arrays, Cut, Exercise, Expected, Mutant, Part, Setup
from exercises.tasks.function import FunctionTask

UPSTREAM = "return np.asarray(rng.standard_normal(y.shape))"
DIRECTION = "v = np.asarray(rng.standard_normal(shape))"
EXACT = "exact = float(np.vdot(self.found.gradients[parameter], direction))"
NUMERIC = "numeric = float(np.vdot(self.found.dy, difference.above - difference.below)) / (2 * step)"
PASSED = "passed = separate <= tolerance * largest + unseen"
GALLERIES = {"right layers": right, "wrong products": wrong_products, "other mistakes": wrong_others}


def draw(setup: Setup, rng: np.random.Generator) -> Arrays:
    return {"seed": rng.integers(1 << 30, size=3)}


def entries(setup: Setup, inputs: Arrays) -> list[Entry]:
    return GALLERIES[setup["gallery"]](np.random.default_rng(inputs["seed"]))


def checked(module: ModuleType, layer: Layer, shape: tuple[int, ...], rng: np.random.Generator) -> dict[str, float]:
    """The error of x and of every parameter by the student's checker; nan where it lets a gradient pass."""
    x, run = distinct(rng, *shape), Run(seed=(1,))
    y, saved = layer.forward(x, run)
    dy = module.upstream(y, rng)
    dx, grads = layer.backward(dy, saved)
    probe = Probe(layer, x, run)
    found = Analytic(y, dy, {"x": dx, **grads})
    comparer = module.Comparer("", layer, x, run, found, probe, probe.noise(dy, rng))
    return {row.parameter: np.nan if row.passed else row.error for row in module.along_directions(comparer, rng)}


def call(module: ModuleType, setup: Setup, inputs: Arrays) -> Arrays:
    rng = np.random.default_rng(inputs["seed"])
    tripled = Wrong(Dense(4, 2, Tanh(), rng=rng, dtype="float64"), lambda x, dy, dx, grads: (3 * dx, grads))
    return {"error": np.asarray(checked(module, tripled, (3, 4), rng)["x"]),
            "passes": np.array([all(np.isnan(error) for error in checked(module, layer, shape, rng).values())
                                for _, layer, shape in entries(setup, inputs)])}


def wanted(own: ModuleType, setup: Setup, inputs: Arrays) -> dict[str, Expected]:
    """Of a gradient three times too large the error is |n - 3 n| / |3 n| = 2/3, n being the numeric one."""
    labels = tuple(label for label, _, _ in entries(setup, inputs))
    return {"error": Expected(np.asarray(2 / 3), "|n - 3 n| / |3 n|", 1e-5),
            "passes": Expected(np.full(len(labels), setup["gallery"] == "right layers"), "the gallery", labels=labels)}


def setups(rng: np.random.Generator) -> list[Setup]:
    return [Setup(name, {"gallery": name}) for name in GALLERIES]


EXERCISE = Exercise(
    "gradient_checker", "Who checks the checker: gradients by finite differences",
    "Write the five lines that tell a right backward from a wrong one.", "10_gradient_check",
    (Part("engine.gradient_check.passes", ("upstream",)), Part("engine.gradient_check.protocol", ("unit",)),
     Part("engine.gradient_check.difference", ("compared",)), Part("engine.gradient_check.comparison", ("Comparer",)),
     Part("engine.gradient_check.directional", ("along_directions",))),
    (Cut("upstream", "return", "dy, the gradient that comes from behind, float64, in the shape of y. Which dy hides no "
         "mistake? Draw it with rng."),
     Cut("unit", "v =", "a direction of length 1, float64, of this shape, in which no entry is left out and no two "
         "mistakes can cancel for long. Draw it with rng.", last="return"),
     Cut("compared", "passed =", "whether the gradient passes, as the docstring says. `separate` is |numeric - exact| "
         "and `largest` the larger of the two numbers' sizes. A true gradient may be 0: then nothing but roundoff, "
         "`unseen`, is left of both."),
     Cut("Comparer.compare", "exact =", "<gradient, direction>, a float: how much backward says that the loss changes "
         "along the direction."),
     Cut("Comparer.compare", "numeric =", "the central difference, a float: <dy, f(a + h v) - f(a - h v)> / 2h. "
         "difference.above and difference.below are f at the two points; h is `step`.")),
    FunctionTask(draw, call, wanted, leads=()), setups,
    (Mutant("dy = 1", "This is what comes out when dy is all ones: the outputs of batch norm have a mean that does not "
            "depend on x, so that its gradient is 0, and a backward that lacks a term gives 0 as well.",
            {UPSTREAM: "return np.ones(y.shape)"}),
     Mutant("along ones", "This is what comes out when the direction is all ones: it sees the sum of a gradient alone, "
            "and a gradient that is mirrored has the same sum.", {DIRECTION: "v = np.ones(shape)"}),
     Mutant("along the first axis", "This is what comes out when only the first entry is moved: the others may be "
            "wrong as they like.", {DIRECTION: "v = np.zeros(shape); v.flat[0] = 1"}),
     Mutant("one-sided", "This is what comes out with the difference f(a + h v) - f(a), divided by h: its error falls "
            "with h, not with h^2, so that a curved function is called wrong.",
            {NUMERIC: "numeric = float(np.vdot(self.found.dy, difference.above - self.probe.y)) / step"}),
     Mutant("h instead of 2h", "This is what comes out when the difference is divided by h: the two points are 2h "
            "apart.", {NUMERIC: NUMERIC.replace("2 * step", "step")}),
     Mutant("dy forgotten", "This is what comes out when the differences are added up without dy: numeric is then the "
            "slope of another function than the one that backward was asked about.",
            {NUMERIC: "numeric = float(np.sum(difference.above - difference.below)) / (2 * step)"}),
     Mutant("the direction forgotten", "This is what comes out when the gradient's entries are added up without the "
            "direction along which the difference was taken.",
            {EXACT: "exact = float(np.sum(self.found.gradients[parameter]))"}),
     Mutant("an absolute tolerance", "This is what comes out when the difference itself is held against a fixed "
            "number: large right gradients fail, small wrong ones pass.", {PASSED: "passed = separate <= tolerance"}),
     Mutant("relative alone", "This is what comes out when nothing is allowed for roundoff: where the true gradient is "
            "0, numeric is roundoff alone, and as far from exact as it is large.",
            {PASSED: "passed = separate <= tolerance * largest"}),
     Mutant("signs forgotten", "This is what comes out when the sizes alone are compared: a gradient of the wrong sign "
            "passes.", {PASSED: "passed = abs(abs(numeric) - abs(exact)) <= tolerance * largest + unseen"}),
     Mutant("too loose", "This is what comes out with a tolerance of a tenth: small mistakes, such as batch norm's "
            "forgotten epsilon, pass.", {PASSED: "passed = separate <= 0.1 * largest + unseen"})), ("gallery",))
