"""Errata 5 and 17: the variances behind Xavier's initialization, and what biases start from."""
from __future__ import annotations

from math import log, prod

import numpy as np
from numpy.random import Generator

from companion.errata.erratum import Erratum, Form, Outcome
from engine.combinators import Chain
from engine.layer import Run
from engine.layers import Conv2D, ReLU

WIDTHS = (240, 180, 260, 200, 220, 160)  # n_0 to n_(H+1): W_h leads from n_h to n_(h+1) numbers
GAIN = 1.3  # n_h Var(W_h)
CHANCE = 1.25  # the factor by which a measured variance may differ
INPUT, BEHIND = 4.0, 0.5  # Var(X) and the variance of the loss's gradient with respect to the last output


def as_printed(i: int, variances: list[float]) -> float:
    H = len(variances) - 1
    forwards = prod(WIDTHS[h] * variances[h] for h in range(i))
    backwards = prod(WIDTHS[h + 1] * variances[h] for h in range(i, H + 1))
    return forwards * backwards * INPUT * BEHIND


def backwards_only(i: int, variances: list[float]) -> float:
    H = len(variances) - 1
    return prod(WIDTHS[h + 1] * variances[h] for h in range(i, H + 1)) * BEHIND


def predicts_the_gradients(form: Form, rng: Generator) -> Outcome:
    """Five linear layers, 200 samples: the variance of dl/do before each layer, measured by backpropagation."""
    variances = [GAIN / width for width in WIDTHS[:-1]]
    weights = [rng.normal(0, np.sqrt(variance), shape)
               for variance, *shape in zip(variances, WIDTHS[:-1], WIDTHS[1:], strict=True)]
    gradient = rng.normal(0, np.sqrt(BEHIND), (200, WIDTHS[-1]))
    ratios = []
    for i in reversed(range(len(weights))):
        gradient = gradient @ weights[i].T
        ratios.append(form(i, variances) / float(gradient.var()))
    return Outcome(max(abs(log(ratio)) for ratio in ratios), log(CHANCE),
                   f"predicted over measured variance, from the last layer to the first: "
                   f"{', '.join(f'{ratio:.2f}' for ratio in ratios)}; "
                   f"{1 / CHANCE:.1f} to {CHANCE} would pass")


def bias_of_the_text() -> float:
    return 0.01  # "small positive": the text names no number


def bias_of_the_code() -> float:
    return 0.0


def starts_as_the_code(form: Form, rng: Generator) -> Outcome:
    """Convolutions with ReLU as A.3.3 makes them; a black image, and one of uniform noise."""
    stack = Chain(*(Conv2D(*channels, activation=ReLU(), bias=form(), rng=rng, dtype="float64")
                    for channels in ((1, 8), (8, 8), (8, 8))))
    black, grey = np.zeros((1, 8, 8, 1)), rng.random((1, 8, 8, 1))
    dark, light = (float(np.abs(stack.forward(image, Run(record=False))[0]).max()) for image in (black, grey))
    return Outcome(dark / light, 1e-12, f"the largest output is {dark:.3g} for the black image, {light:.3g} for noise")


ERRATA = (
    Erratum(5, "(3.25), (3.26)",
            r"$\mathrm{Var}(\delta l / \delta W_i)$, and for it $\prod_{h=0}^{i-1} n_h \mathrm{Var}(W_h) "
            r"\prod_{h=i}^{H} n_{h+1} \mathrm{Var}(W_h) \, \mathrm{Var}(X) \, \mathrm{Var}(\delta l / \delta o_H)$",
            r"$\mathrm{Var}(\delta l / \delta o_{i-1}) = \prod_{h=i}^{H} n_{h+1} \mathrm{Var}(W_h) \, "
            r"\mathrm{Var}(\delta l / \delta o_H)$: condition (3.19) and the result (3.27) are of the activations' "
            "gradients, which do not know the layers before",
            "The product must be the variance that backpropagation measures in front of every layer, to a factor of "
            f"{CHANCE} for chance. (Here the network is linear, and its widths and Var(X) are no special numbers.)",
            as_printed, backwards_only, predicts_the_gradients),
    Erratum(17, "4.3.1 against A.3.3 and A.3.4", "biases with a “small positive initialization”",
            "biases start at 0.0: both listings say so, and they are the code",
            "At the start a network of the listings answers a black image with exactly 0, since ReLU(0) = 0. With the "
            "biases of the form it must do so, too. (Either start can be trained; they are not the same.)",
            bias_of_the_text, bias_of_the_code, starts_as_the_code),
)
