"""Max-pooling, forward and backward, with ties."""
from __future__ import annotations

from types import ModuleType

import numpy as np

from engine.layer import Layer, Run
from exercises.catalogue.pooling import TELLING, outputs, setups, windows
from exercises.comparing import problem
from exercises.exercise import Arrays, Cut, Exercise, Expected, Mutant, Part, Property, Setup
from exercises.tasks.layer import LayerTask

LARGER = "larger = real(x_uv) > real(y)"
NAN = "y = xp.where(larger | xp.isnan(x_uv), x_uv, y)"
PLACE = "place = xp.where(larger, xp.asarray(k, dtype=xp.uint8, device=device(x)), place)"
SPREAD = "dx[index] = dx[index] + xp.where(place == k, dy, xp.zeros_like(dy))"


def build(module: ModuleType, setup: Setup, dtype: str) -> Layer:
    layer: Layer = module.MaxPool(setup["size"], setup["stride"])
    return layer


def definition(arrays: Arrays, setup: Setup) -> np.ndarray:
    """The largest pixel of every window."""
    x = arrays["x"]
    y = np.empty(outputs(x.shape, setup))
    for output, pixels in windows(x.shape, setup):
        y[output] = max(x[pixel] for pixel in pixels)
    return y


def ties(module: ModuleType, setup: Setup, inputs: Arrays, rng: np.random.Generator) -> str:
    """Numbers from 0 to 2, so that most windows hold their maximum more than once: the first of them counts."""
    x = rng.integers(3, size=setup["shape"]).astype(np.float64)
    dy, dx = rng.standard_normal(outputs(x.shape, setup)), np.zeros(x.shape)
    for output, pixels in windows(x.shape, setup):
        dx[max(pixels, key=lambda pixel: x[pixel])] += dy[output]  # of several, max takes the first
    layer = build(module, setup, "float64")
    got, _ = layer.backward(dy, layer.forward(x, Run())[1])
    wrong = problem(got, Expected(dx, "the first of the equal pixels"))
    return f"with equal pixels in a window, dx is wrong: {wrong}" if wrong else ""


def not_a_number(module: ModuleType, setup: Setup, inputs: Arrays, rng: np.random.Generator) -> str:
    """A NaN in a window, wherever it is there, makes the output NaN."""
    for place in range(setup["size"][0] * setup["size"][1]):
        x = inputs["x"].copy()
        output, pixels = next(windows(x.shape, setup))
        x[pixels[place]] = np.nan
        y, _ = build(module, setup, "float64").forward(x, Run())
        if not np.isnan(y[output]):
            return f"a window whose pixel {place} is NaN gives {y[output]:.6g}: a NaN must not vanish in a maximum"
    return ""


EXERCISE = Exercise(
    "max_pool", "Only the largest counts: max-pooling, with ties",
    "Find the maximum of every window and where it sat, and send the gradient back there.", "08_pooling_and_upsampling",
    (Part("engine.kernels.pooling", ("windows", "max_pool", "max_pool_gradient")),
     Part("engine.layers.pooling", ("_Pool", "MaxPool"))),
    (Cut("max_pool", "larger =", "y, the maximum so far, and place, the number k of the window's pixel where it sat; "
         "both (N, OH, OW, C). x_uv holds the k-th pixel of every window. Of equal pixels the first one counts. Where "
         "x_uv is NaN, y becomes NaN. xp has where and isnan; place stays uint8: xp.asarray(k, dtype=xp.uint8).",
         last="place = xp.where"),
     Cut("max_pool_gradient", "dx[index] =", "dx[index], the gradients of the k-th pixel of every window, (N, OH, OW, "
         "C): what is there already, and dy where this pixel was the maximum. Windows may overlap, so that a pixel "
         "gets gradients from several.")),
    LayerTask(build, definition, holds=(Property("of equal pixels the first counts", ties),
                                        Property("a NaN stays a NaN", not_a_number))), setups,
    (Mutant("the smallest", "This is what comes out when the smallest pixel of a window is taken instead of the "
            "largest.", {LARGER: LARGER.replace(">", "<")}),
     Mutant("the last of equals", "This is what comes out when x_uv >= y decides: of equal pixels the last one then "
            "counts. That is a subgradient, too, but the engine's is the first one's.",
            {LARGER: LARGER.replace(">", ">=")}),
     Mutant("NaN vanishes", "This is what comes out when only x_uv > y decides about y: no comparison with a NaN is "
            "true, so the NaN is lost, and nobody learns that the image was broken.",
            {NAN: NAN.replace("larger | xp.isnan(x_uv)", "larger")}),
     Mutant("the place not kept", "This is what comes out when place is not brought up to date: all gradients go to "
            "the first pixel of the window.", {PLACE: "place = xp.where(larger, place, place)"}),
     Mutant("the place counted from the end", "This is what comes out when the places are counted backwards: k = 0 is "
            "the window's first pixel, above and to the left.",
            {SPREAD: SPREAD.replace("place == k", "place == size[0] * size[1] - 1 - k")}),
     Mutant("to every pixel", "This is what comes out when every pixel of the window gets dy: only the largest moved "
            "the output.", {SPREAD: "dx[index] = dx[index] + dy"}),
     Mutant("shared out", "This is what comes out when dy is shared out among the pixels of a window: that is "
            "average-pooling's gradient.", {SPREAD: "dx[index] = dx[index] + dy / (size[0] * size[1])"}),
     Mutant("overwritten", "This is what comes out when dx[index] is overwritten instead of added to: the gradient of "
            "a window that lies on the same pixel is lost, or replaced by 0.",
            {SPREAD: "dx[index] = xp.where(place == k, dy, xp.zeros_like(dy))"})), TELLING)
