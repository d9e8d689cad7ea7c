"""Dropout, forward and backward."""
from __future__ import annotations

from types import ModuleType

import numpy as np

from engine.layer import Layer, Run
from exercises.exercise import Arrays, Cut, Exercise, Mutant, Part, Property, Setup
from exercises.tasks.layer import LayerTask, run_of

MASK = "kept = run.uniform(x) < self.keep_probability"
SCALED = "return x * (array_namespace(x).astype(kept, x.dtype) / self.keep_probability)"
BACK = "return self._apply(dy, run), {}"
DRAWS = 20


def build(module: ModuleType, setup: Setup, dtype: str) -> Layer:
    layer: Layer = module.Dropout(setup["keep"])
    return layer


def definition(arrays: Arrays, setup: Setup) -> np.ndarray:
    """x k / p, number by number, with the mask that the run's seed draws."""
    x, run = arrays["x"], run_of(setup)
    drawn = run.uniform(x)
    if not run.train:
        return x.copy()
    return np.array([number / setup["keep"] if u < setup["keep"] else 0.0
                     for number, u in zip(x.flat, drawn.flat, strict=True)]).reshape(x.shape)


def expectation(module: ModuleType, setup: Setup, inputs: Arrays, rng: np.random.Generator) -> str:
    """Whether the mean of y over many masks is x, to six standard errors of that mean."""
    layer, ones = build(module, setup, "float64"), np.ones((40, 50))
    seeds = rng.integers(1 << 30, size=DRAWS)
    train = run_of(setup).train
    mean = float(np.mean([layer.forward(ones, Run(train=train, seed=(int(seed),)))[0] for seed in seeds]))
    error = float(np.sqrt((1 / setup["keep"] - 1) / (DRAWS * ones.size)))
    return "" if abs(mean - 1) <= 6 * error + 1e-9 else (
        f"of x = 1, the mean of y over {DRAWS} masks is {mean:.4f}: expected 1, to {6 * error:.4f}")


def setups(rng: np.random.Generator) -> list[Setup]:
    def dropout(name: str, shape: tuple[int, ...], keep: float, train: bool = True) -> Setup:
        run = Run(train=train, seed=(int(rng.integers(1 << 30)), 2))
        return Setup(name, {"shape": shape, "keep": keep, "run": run, "mode": "training" if train else "inference"})

    n, features = (int(size) for size in rng.permutation([6, 7]))
    return [dropout("training, p = 0.5", (n, features), 0.5), dropout("training, p = 0.8", (n, features), 0.8),
            dropout("training, images", (2, 4, 5, 3), 0.6), dropout("inference", (n, features), 0.5, False),
            dropout("p = 1", (n, features), 1.0)]


EXERCISE = Exercise(
    "dropout", "Neurons that stay away: dropout",
    "Draw the mask, keep the expectation, and take the gradient back through the same mask.", "06_dropout",
    (Part("engine.layers.dropout", ("Dropout",)),),
    (Cut("Dropout._apply", "kept =", "kept, bool, in the shape of x: True with probability p = self.keep_probability. "
         "run.uniform(x) gives numbers in [0, 1), the same for the same seed."),
     Cut("Dropout._apply", "return x *", "x k / p, in the dtype of x: 0 where a number is dropped, and so that the "
         "mean over all masks is x. array_namespace(x).astype(kept, x.dtype) makes 0 and 1 of the mask."),
     Cut("Dropout.backward", "return", "dx and the gradients of the parameters, of which there are none: {}. dx = dy k "
         "/ p, with the mask of the forward pass, which the seed in run brings back.")),
    LayerTask(build, definition, affine=True, holds=(Property("the mean over masks is x", expectation),)), setups,
    (Mutant("not rescaled", "This is what comes out when the kept numbers are not divided by p: the mean over the "
            "masks is p x then, and inference, which drops nothing, sees larger numbers than training did.",
            {SCALED: "return x * array_namespace(x).astype(kept, x.dtype)"}),
     Mutant("times p", "This is what comes out when the kept numbers are multiplied with p instead of divided by it.",
            {SCALED: SCALED.replace("/ self", "* self")}),
     Mutant("drops what it should keep", "This is what comes out when a number is kept with probability 1 - p: "
            "u < p, for u uniform in [0, 1), has probability p.", {MASK: MASK.replace("<", ">=")}),
     Mutant("backward without a mask", "This is what comes out when backward lets all of dy pass: what was dropped "
            "cannot move the loss.", {BACK: "return dy, {}"}),
     Mutant("backward not rescaled", "This is what comes out when backward masks dy but does not divide it by p: "
            "dx = dy k / p.",
            {BACK: "return self._apply(dy, run) * (self.keep_probability if run.train else 1), {}"}),
     Mutant("another mask", "This is what comes out when backward draws a mask of its own: the gradient has to go back "
            "where the numbers came from.", {BACK: "return self._apply(dy, run.child(1)), {}"})), ("mode", "keep"))
