"""Gradient checks for any layer, loss or network.

    python -m engine.gradient_check                          all layers, combinators and losses of the engine
    python -m engine.gradient_check engine models            and the networks: cases() of models/gradient_cases.py
    python -m engine.gradient_check --kernels cuda-on-cpu    through the CUDA kernels, without a GPU: cuda_on_cpu.py

In Python:

    check              along a random direction, with a random upstream gradient: a few forward passes
    check_elements     entry by entry (all, or a sample), naming the worst
    check_complex      without differences, where the layer takes complex numbers: exact to 1e-15
    check_subgradient  at ties and kinks, where there is no gradient
    sweep              the error over the step size, a V for a right gradient

    results = check(Conv2D(2, 3, rng=rng, dtype="float64"), x, Run(), rng)
    assert all(result.passed for result in results), results

All but the last two also hold the layer to its protocol. forward and backward write to nothing, also where they could;
answer the same twice, with and without record; keep no state, in the layer, its class, or what its functions reach;
hand out arrays that no later call overwrites; compute the same where the layers inside are watched one by one.
last_gradients gives backward's gradients, to the bit. What backward measures for the moving averages is what training
normalized by, and `absorb` takes it in once (averages.py).

What these checks cannot see:

- a wrong forward with the right gradient of it, except where forward's own moments disagree with its inference;
- a way that is taken at other shapes, dtypes, seeds, values or memory layouts than those given, float32's included;
- an error below the resolution: 1e-6 by differences, 1e-11 by the complex step, and what roundoff hides where a
  gradient is tiny beside the output (`Result.resolution`, the verdict "too small");
- an error orthogonal to the random direction and to the entries sampled;
- kinks beside the point, where `check_subgradient` must be asked, and what it cannot tell of a whole network;
- the part 1 - alpha by which averages move, unless the layer declares alpha;
- averages of a layer made of layers, in a network with dropout: only those of its innermost layers are seen there;
- state outside Python's reach or in code of another module: C extensions, files, caches of the kernels;
- a write that is undone before the call returns, and what several threads at once would do to each other.
"""
from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

# Imported when first asked for: the command must be able to answer Ctrl-C before NumPy is there.
_MODULES = {"Case": "case", "distinct": "case", "layer_case": "case", "check_complex": "complex_step",
            "check": "directional", "check_elements": "elementwise", "Loss": "loss", "Result": "result",
            "Sweep": "step_size", "sweep": "step_size", "check_subgradient": "subgradient"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
