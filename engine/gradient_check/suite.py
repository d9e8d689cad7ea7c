"""All the cases of the project, and all the checks of a case."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module

from engine.gradient_check.case import Case, generator
from engine.gradient_check.complex_step import check_complex
from engine.gradient_check.directional import check
from engine.gradient_check.elementwise import check_elements
from engine.gradient_check.result import Result, badness

# By name: the engine does not import what stands on it. Each module has cases() -> Iterable[Case].
CASE_MODULES = ("engine.gradient_check.cases", "models.gradient_cases")

# Single entries of every array that are checked besides the random direction.
SAMPLES = 8


def all_cases(modules: Sequence[str]) -> list[Case]:
    """The cases of the modules, in their order."""
    return [case for module in modules for case in import_module(module).cases()]


def chosen(cases: list[Case], only: str | None) -> list[Case]:
    """The cases of that name or kind, whatever its capitals; all of them for None."""
    if only is None:
        return cases
    return [case for case in cases if only.lower() in (case.name.lower(), case.kind.lower())]


def examine(case: Case) -> list[Result]:
    """The worst result of every check for x, for every parameter, and for purity.

    The random direction and the complex step; of a layer or loss single entries too.
    """
    checks: list[Callable[..., list[Result]]] = [check, check_complex]
    if not case.whole:
        checks.append(partial(check_elements, samples=SAMPLES))
    rows: dict[str, list[Result]] = {}
    for one in checks:
        for result in one(case.layer, case.x, case.run, generator(case.name), name=case.name):
            rows.setdefault(result.parameter, []).append(result)
    return [replace(max(row, key=badness), message="; ".join(dict.fromkeys(r.message for r in row if not r.passed)))
            for row in rows.values()]
