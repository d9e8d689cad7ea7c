"""A function of arrays: a kernel, a loss, a step of an optimizer, an initializer, a checker."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np

from exercises.exercise import Arrays, Expected, Property, Setup, Task
from exercises.tasks.differences import gradient


@dataclass(frozen=True)
class FunctionTask(Task):
    """Everything is said in functions.

    draw      (setup, rng) -> the arrays that go in, by name
    call      (module, setup, inputs) -> the answers: it calls what the module defines
    wanted    (own, setup, inputs) -> what they must be
    holds     properties
    names     of the axes, by the name of an input or answer
    writes    inputs that are overwritten, as a step of an optimizer does; `call` then answers with copies of them
    leads     answers that others follow from
    """
    draw: Callable[[Setup, np.random.Generator], Arrays]
    call: Callable[[ModuleType, Setup, Arrays], Arrays]
    wanted: Callable[[ModuleType, Setup, Arrays], dict[str, Expected]]
    holds: tuple[Property, ...] = ()
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    writes: tuple[str, ...] = ()
    leads: tuple[str, ...] = ("y",)

    def inputs(self, own: ModuleType, setup: Setup, rng: np.random.Generator) -> Arrays:
        return self.draw(setup, rng)

    def answers(self, module: ModuleType, setup: Setup, inputs: Arrays) -> Arrays:
        return self.call(module, setup, inputs)

    def expected(self, own: ModuleType, setup: Setup, inputs: Arrays) -> dict[str, Expected]:
        return self.wanted(own, setup, inputs)

    def properties(self) -> tuple[Property, ...]:
        return self.holds

    def axes(self, name: str, dimensions: int) -> tuple[str, ...]:
        return self.names.get(name) or super().axes(name, dimensions)


def value_and_gradient(value: Callable[[Arrays, Setup], float], at: str) -> Callable[
        [ModuleType, Setup, Arrays], dict[str, Expected]]:
    """What a loss must answer: "value" by a definition written apart from the engine, "gradient", of the input named
    `at`, by differences of that definition."""
    def wanted(own: ModuleType, setup: Setup, inputs: Arrays) -> dict[str, Expected]:
        def now() -> np.ndarray:
            return np.asarray(value(inputs, setup), np.float64)

        return {"value": Expected(now(), "the definition"), "gradient": gradient(now, inputs[at], np.ones(()))}

    return wanted
