"""Code tried in every set-up, with the same numbers for the student, the engine and the mutants."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, redirect_stdout
from dataclasses import dataclass, field
from functools import cache, lru_cache
from io import TextIOBase
from types import ModuleType

import numpy as np

from exercises import catalogue
from exercises.comparing import alike, problem
from exercises.exercise import Arrays, Exercise, Expected, Setup
from exercises.loading import described, load
from exercises.source import solved

PURE = "writes to no argument"
REPEATS = "answers the same twice"


@dataclass(frozen=True)
class Case:
    """A set-up with its numbers: what goes in and what must come out; the seed is for the properties' own numbers."""
    setup: Setup
    inputs: Arrays
    expected: dict[str, Expected]
    seed: tuple[int, ...]

    def problem(self, outcome: Outcome, name: str) -> str:
        """What is wrong with the answer of that name, in a sentence; "" for nothing, or where none is asked."""
        if name not in self.expected:
            return ""
        if name not in outcome.answers:
            return f"there is none; the code answers with {', '.join(outcome.answers) or 'nothing'}"
        return problem(outcome.answers[name], self.expected[name])


@dataclass(frozen=True)
class Outcome:
    """What code did in one case: its answers, or the error that it raised, and the properties that do not hold.

    failure  the error with the line of the file, for the student
    error    its type and text alone, to compare with those of mutants
    """
    answers: Arrays = field(default_factory=dict)
    failure: str = ""
    error: tuple[str, str] = ("", "")
    broken: dict[str, str] = field(default_factory=dict)


Results = list[Outcome]  # one for each case


@cache
def own(exercise: Exercise) -> ModuleType:
    """The engine's own definitions, as the student's file would have them."""
    return with_needed(exercise, load(solved(exercise), f"the engine's text of {exercise.name}"))


def with_needed(exercise: Exercise, module: ModuleType, texts: Mapping[str, str] | None = None) -> ModuleType:
    """The module, with what the exercises that it needs define: by these texts, or the engine's own."""
    needed = {name: own(catalogue.exercise(name)) if texts is None else load(texts[name], f"{name}.py")
              for name in exercise.needs}
    module.__dict__["needed"] = needed
    return module


@lru_cache(maxsize=128)
def cases(exercise: Exercise, seed: int) -> list[Case]:
    """Every set-up, with numbers that follow from the seed. Whoever is given them leaves them as they are."""
    engine, made = own(exercise), []
    for place, setup in enumerate(exercise.setups(np.random.default_rng(seed))):
        inputs = exercise.task.inputs(engine, setup, np.random.default_rng((seed, place)))
        expected = exercise.task.expected(engine, setup, _copies(inputs))
        made.append(Case(setup, inputs, expected, (seed, place, 1)))
    return made


def tried(exercise: Exercise, module: ModuleType, case: Case, filename: str = "", *,
          properties: bool = True) -> Outcome:
    """One case. What the code raises is an outcome; so is sys.exit."""
    task = exercise.task
    try:
        with np.errstate(all="ignore"):
            given = _copies(case.inputs)
            answers = _arrays(task.answers(module, case.setup, given))
            with _silence():
                again = _arrays(task.answers(module, case.setup, _copies(case.inputs)))
    except (Exception, SystemExit) as error:
        return Outcome(failure=described(error, filename), error=(type(error).__name__, str(error)))
    broken = {}
    if written := [name for name, array in given.items() if name not in task.writes
                   and not np.array_equal(array, case.inputs[name], equal_nan=True)]:
        broken[PURE] = f"it overwrites {', '.join(written)}: make a new array instead"
    if different := [name for name in answers if name not in again or not alike(
            answers[name], again[name], 1e-12 * (1 + np.max(np.abs(answers[name]), initial=0)))]:
        broken[REPEATS] = (f"called twice with the same numbers, it gives another {', '.join(different)}: something is "
                           "kept between calls, or drawn from a generator that is not the argument")
    for each in task.properties() if properties else ():
        message = _attempt(lambda each=each: each.broken(  # type: ignore[misc]
            module, case.setup, _copies(case.inputs), np.random.default_rng(case.seed)), filename)
        if message:
            broken[each.name] = message
    return Outcome(answers, broken=broken)


def asked(tries: list[Case]) -> list[str]:
    """The names of all answers, in their order."""
    return list(dict.fromkeys(name for case in tries for name in case.expected))


def _attempt(question: Callable[[], str], filename: str) -> str:
    try:
        with np.errstate(all="ignore"), _silence():
            return question()
    except (Exception, SystemExit) as error:
        return described(error, filename)


def _silence() -> AbstractContextManager:
    """What code prints is shown once for each set-up, not each time that it is called."""
    return redirect_stdout(_Nowhere())


class _Nowhere(TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


def _copies(arrays: Arrays) -> Arrays:
    return {name: array.copy() for name, array in arrays.items()}


def _arrays(answers: Arrays) -> Arrays:
    arrays = {name: np.array(answer) for name, answer in answers.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in "bifc":
            raise TypeError(f"{name} is {answers[name]!r:.60}; expected an array of numbers")
    return arrays
