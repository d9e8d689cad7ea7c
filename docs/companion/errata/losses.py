"""Errata 11 and 13: the losses of the detectors, on a mask without lesion and at their minimum."""
from __future__ import annotations

import numpy as np
from numpy.random import Generator

from companion.errata.erratum import Erratum, Form, Outcome

EPSILON = 1e-6
RHO = 0.5


def whole_epsilon(p: np.ndarray, y: np.ndarray) -> float:
    return _dice(p, y, above=EPSILON)


def half_epsilon(p: np.ndarray, y: np.ndarray) -> float:
    return _dice(p, y, above=EPSILON / 2)


def _dice(p: np.ndarray, y: np.ndarray, above: float) -> float:
    """(3.43), with `above` for the epsilon above the fraction lines."""
    inside = (np.sum(y * p) + above) / (np.sum(y + p) + EPSILON)
    outside = (np.sum((1 - y) * (1 - p)) + above) / (np.sum((1 - y) + (1 - p)) + EPSILON)
    return float(1 - inside - outside)


def is_zero_where_nothing_is_wrong(form: Form, rng: Generator) -> Outcome:
    """Masks of 100 pixels, of which 0, 1, 30, 99 and 100 are lesion, each predicted perfectly."""
    values = {count: form(mask, mask) for count in (0, 1, 30, 99, 100)
              for mask in [rng.permutation(np.arange(100) < count).astype(float)]}
    return Outcome(max(map(abs, values.values())), 1e-5, "; ".join(
        f"{count} lesion pixels: loss {value + 0:.3f}" for count, value in
        ((count, round(value, 6)) for count, value in values.items())))


def product_squared(p: np.ndarray, y: np.ndarray) -> float:
    return _sensitivity_specificity((y * p) ** 2, y)


def difference_squared(p: np.ndarray, y: np.ndarray) -> float:
    return _sensitivity_specificity((y - p) ** 2, y)


def _sensitivity_specificity(errors: np.ndarray, y: np.ndarray) -> float:
    """(3.49), with `errors` for the squares in both numerators."""
    inside = np.sum(errors * y) / (np.sum(y) + EPSILON)
    outside = np.sum(errors * (1 - y)) / (np.sum(1 - y) + EPSILON)
    return float(RHO * inside + (1 - RHO) * outside)


def is_least_for_the_mask(form: Form, rng: Generator) -> Outcome:
    """All predictions that have one of 21 values on the lesion and one of 21 beside it."""
    y = rng.permutation(np.arange(100) < 20).astype(float)
    levels = np.linspace(0, 1, 21)
    losses = {(on, beside): form(on * y + beside * (1 - y), y) for on in levels for beside in levels}
    least = min(losses.values())
    best = [pair for pair, loss in losses.items() if loss <= least + 1e-12]
    off = max(max(abs(on - 1), abs(beside)) for on, beside in best)
    return Outcome(off, 0.0, f"least with {_range([on for on, _ in best])} on the lesion and "
                   f"{_range([beside for _, beside in best])} beside it; the perfect prediction has the loss "
                   f"{form(y, y):.3f}, the empty one {form(0 * y, y):.3f}")


def _range(values: list[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"anything from {low:g} to {high:g}"


ERRATA = (
    Erratum(11, "(3.43)", r"$l = 1 - \dfrac{\sum y \hat y + \varepsilon}{\sum (y + \hat y) + \varepsilon} - "
            r"\dfrac{\sum (1-y)(1-\hat y) + \varepsilon}{\sum (2 - y - \hat y) + \varepsilon}$",
            r"$\varepsilon / 2$ above both fraction lines: then each fraction is $\frac12$ where nothing is wrong, and "
            r"$2 y \hat y \le y + \hat y$ keeps the loss at 0 or above. (The engine keeps the printed form, which is "
            "that of A.3.5, and its documentation says what follows.)",
            "A perfect prediction must have the loss 0, whatever the mask, to 1e-5.",
            whole_epsilon, half_epsilon, is_zero_where_nothing_is_wrong),
    Erratum(13, "(3.49)", r"$(y_n \hat y_n)^2$ in both numerators", r"$(y_n - \hat y_n)^2$, as in A.3.5",
            "Of all predictions with one value on the lesion and one beside it the mask itself, and no other, must "
            "have the least loss.", product_squared, difference_squared, is_least_for_the_mask),
)
