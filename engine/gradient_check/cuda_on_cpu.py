"""The checks on arrays that stand in for a GPU's: through the text of the CUDA kernels, which g++ compiles.

A layer whose arrays became ordinary ones somewhere on the way would be computed by NumPy's versions of the kernels, and
the check would pass and prove nothing. So calls of these are counted, and a case in which there are any fails.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any

import numpy as np

from engine import kernels
from engine.gradient_check.case import Case
from engine.gradient_check.fingerprint import layers_within
from engine.gradient_check.loss import Loss
from engine.gradient_check.result import Result
from engine.kernels.cuda.arrays import CudaArray, emulated
from engine.kernels.cuda.on_cpu import emulating
from engine.kernels.cuda.on_cpu.build import compiler

KERNELS = "(kernels)"
ALL = [kernel for kernel in vars(kernels).values() if hasattr(kernel, "registry")]


@dataclass
class Calls:
    """How often kernels were called, by name: NumPy's versions, and those that have a CUDA launcher."""
    of_numpys: Counter[str] = field(default_factory=Counter)
    of_launchers: Counter[str] = field(default_factory=Counter)


# not a variable of the module: what a layer's functions reach must be the same before and after a pass (fingerprint.py)
_calls: ContextVar[Calls] = ContextVar("calls")


def moved(case: Case) -> Case:
    """The case with its arrays as EmulatedArray; its layer is converted, and what a loss compares with."""
    case.layer.convert(emulated)
    for _, layer in layers_within(case.layer):
        if isinstance(layer, Loss):
            layer.target = emulated(layer.target)
    return replace(case, x=emulated(case.x))


class CudaOnCpu:
    """Examines moved cases, adds a result where the kernels were not the CUDA ones, and remembers what was launched.

    Raises CompileError where there is no g++.
    """

    def __init__(self, examine: Callable[[Case], list[Result]]) -> None:
        compiler()
        self.examine, self.cases, self.without = examine, 0, 0
        self.launched: Counter[str] = Counter()

    def __call__(self, case: Case) -> list[Result]:
        with emulating() as launched, counting() as calls:
            results = self.examine(case)
        self.cases, self.without = self.cases + 1, self.without + (not launched)
        self.launched += launched
        problem = _problem(calls, launched)
        return [*results, Result(case.name, KERNELS, float("inf"), False, problem)] if problem else results

    def summary(self) -> str:
        """The last line of the table."""
        rest = f"; {self.without} of {self.cases} cases call none" if self.without else ""
        return f"{len(self.launched)} CUDA kernels were launched {self.launched.total()} times on the CPU{rest}"


def _problem(calls: Calls, launched: Counter[str]) -> str:
    if calls.of_numpys:
        return (f"arrays became ordinary ones on the way: NumPy's versions of {', '.join(sorted(calls.of_numpys))} "
                "were called. Make new arrays by engine.arrays.empty, or of those that the layer is given")
    if calls.of_launchers and not launched:
        return (f"no CUDA kernel was launched, though {', '.join(sorted(calls.of_launchers))} has one: are the arrays "
                "that the layer gives it all float64?")
    return ""


@contextmanager
def counting() -> Iterator[Calls]:
    """Calls of the kernels inside, by way of what is registered for NumPy's arrays and for a GPU's."""
    calls = Calls()
    before = _calls.set(calls)
    own = [(kernel, array_type, kernel.registry[array_type]) for kernel in ALL for array_type in (np.ndarray, CudaArray)
           if array_type in kernel.registry]
    try:
        for kernel, array_type, version in own:
            if array_type is np.ndarray:
                kernel.register(array_type, _counted(version, "of_numpys", kernel.__name__))
            elif version.__wrapped__ is not kernel.dispatch(object):
                kernel.register(array_type, _counted(version, "of_launchers", kernel.__name__))
        yield calls
    finally:
        for kernel, array_type, version in own:
            kernel.register(array_type, version)
        _calls.reset(before)


def _counted(version: Callable, kind: str, name: str) -> Callable:
    @wraps(version)
    def counted(*arguments: Any, **named: Any) -> Any:
        getattr(_calls.get(), kind)[name] += 1
        return version(*arguments, **named)

    return counted
