"""Gradient checks for any layer, loss or network: `python -m engine.gradient_check` checks all of this project's.

    check              along a random direction, with a random upstream gradient: a few forward passes
    check_elements     entry by entry (all, or a sample), naming the worst
    check_complex      without differences, where the layer takes complex numbers: exact to 1e-15
    check_subgradient  at ties and kinks, where there is no gradient
    sweep              the error over the step size, a V for a right gradient

Every check also holds forward and backward to the protocol: they write to nothing and answer the same twice.

    results = check(Conv2D(2, 3, rng=rng, dtype="float64"), x, Run(), rng)
    assert all(result.passed for result in results), results
"""
from engine.gradient_check.case import Case, distinct, layer_case
from engine.gradient_check.complex_step import check_complex
from engine.gradient_check.directional import check
from engine.gradient_check.elementwise import check_elements
from engine.gradient_check.loss import Loss
from engine.gradient_check.result import Result
from engine.gradient_check.step_size import Sweep, sweep
from engine.gradient_check.subgradient import check_subgradient

__all__ = ["Case", "Loss", "Result", "Sweep", "check", "check_complex", "check_elements", "check_subgradient",
           "distinct", "layer_case", "sweep"]
