"""All the cases of the project, and all the checks of a case."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module

from engine.gradient_check.case import Case, generator
from engine.gradient_check.complex_step import along_imaginary
from engine.gradient_check.directional import along_directions
from engine.gradient_check.elementwise import along_entries
from engine.gradient_check.protocol import begin
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
    rng = generator(case.name)
    results, comparer = begin(case.layer, case.x, case.run, rng, case.name)
    if comparer:
        results = [*results, *along_directions(comparer, rng), *along_imaginary(comparer, rng),
                   *([] if case.whole else along_entries(comparer, rng, SAMPLES))]
    rows: dict[str, list[Result]] = {}
    for result in results:
        rows.setdefault(result.parameter, []).append(result)
    return [replace(max(row, key=badness), message="; ".join(dict.fromkeys(r.message for r in row if not r.passed)))
            for row in rows.values()]
