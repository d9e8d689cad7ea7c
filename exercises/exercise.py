"""What an exercise is: a part of the engine with holes, how the answers are judged, and the mistakes that are known."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Part:
    """Top-level definitions of one module of the engine, in the order of its file: what the student's file is made of.

    What they use and is not among the parts, the student's file imports.
    """
    module: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Cut:
    """Statements of a function that are taken out, and what is to stand in their place.

    function  its name in the student's file, "Dense.backward"
    first     how the first statement begins, as ast.unparse writes it: "dx =", "return"; one statement alone does
    wanted    what the student is to write: the name, the shape, the equation
    last      how the last statement begins, in the same block; "" where the first is the last
    """
    function: str
    first: str
    wanted: str
    last: str = ""


@dataclass(frozen=True)
class Mutant:
    """A mistake that students make, and what to say to those who made it.

    name   of the mistake, in the tests
    hint   "This is what comes out when ..."
    edits  text of the student's file, solved -> what stands there instead; each text stands there exactly once
    """
    name: str
    hint: str
    edits: Mapping[str, str]


@dataclass(frozen=True)
class Setup:
    """One way to try the code: a name, and what differs from the others (shape, stride ...): setup["stride"]."""
    name: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        return self.values[key]


@dataclass(frozen=True)
class Expected:
    """What an answer must be.

    value   the numbers, in the shape and dtype that the answer must have
    how     where they come from: "finite differences", "the definition"
    noise   absolute: what the numbers themselves are not known better than; never 0 for differences, so that a true
            zero is not compared by its relative error
    relative  of the largest number expected, the other part of the tolerance
    labels  what the entries are, along the first axis, where an index would not tell
    """
    value: np.ndarray
    how: str
    noise: float = 0.0
    relative: float = 1e-9
    labels: tuple[str, ...] = ()

    @property
    def tolerance(self) -> float:
        size = float(np.max(np.abs(self.value), initial=0.0))
        return self.relative * size + self.noise + 1e-13 * (1 + size)


@dataclass(frozen=True)
class Property:
    """What holds for every right answer.

    broken(module, setup, inputs, rng) says what is wrong, "" for nothing. It may raise: that is reported, too.
    """
    name: str
    broken: Callable[[ModuleType, Setup, Arrays, np.random.Generator], str]


class Task:
    """How code is tried: which numbers go in, what is asked of the code, and what must come out.

    module is what the student's file defines, own the engine's text of the same: both have the same names.
    """
    writes: tuple[str, ...] = ()  # inputs that the code is asked to overwrite
    leads: tuple[str, ...] = ("y",)  # answers that others follow from: where one is wrong, those are not explained

    def inputs(self, own: ModuleType, setup: Setup, rng: np.random.Generator) -> Arrays:
        """Arrays by name, and nothing else: the same for the student, the engine and the mutants."""
        raise NotImplementedError

    def answers(self, module: ModuleType, setup: Setup, inputs: Arrays) -> Arrays:
        """What the code makes of them, by name."""
        raise NotImplementedError

    def expected(self, own: ModuleType, setup: Setup, inputs: Arrays) -> dict[str, Expected]:
        """The same names, without the student's code."""
        raise NotImplementedError

    def properties(self) -> tuple[Property, ...]:
        return ()

    def axes(self, name: str, dimensions: int) -> tuple[str, ...]:
        """What the axes of an answer are called."""
        return tuple(f"axis {axis}" for axis in range(dimensions))


@dataclass(frozen=True, eq=False)
class Exercise:
    """One exercise.

    name, title, asks   for `list`: asks is one sentence
    chapter             of the companion: "07_convolution", docs/chapters/07_convolution.md
    parts, cuts         where the student's file comes from, and its holes
    task                how it is tried
    setups              (rng) -> the set-ups, their shapes drawn afresh for each seed; names do not depend on rng
    mutants             known mistakes
    telling             keys of the set-ups that a verdict may name: "wrong only where stride is 2"
    needs               exercises to pass before: what their files define is in module.needed[name]
    """
    name: str
    title: str
    asks: str
    chapter: str
    parts: tuple[Part, ...]
    cuts: tuple[Cut, ...]
    task: Task
    setups: Callable[[np.random.Generator], list[Setup]]
    mutants: tuple[Mutant, ...]
    telling: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
