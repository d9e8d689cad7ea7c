"""The cases of modules, and all the checks of a case."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec

from engine.gradient_check.case import Case, generator
from engine.gradient_check.complex_step import along_imaginary
from engine.gradient_check.directional import along_directions
from engine.gradient_check.elementwise import along_entries
from engine.gradient_check.protocol import begin
from engine.gradient_check.result import Result, badness

# Checked where no other module is named: the engine's own layers, combinators and losses.
OWN = "engine"
IN_A_PACKAGE = "gradient_cases"  # its module that is taken where a package is named

# Single entries of every array that are checked besides the random direction.
SAMPLES = 8


class NoCases(ValueError):
    """What was named is no module with a function cases(), or its cases cannot be made."""


def all_cases(modules: Sequence[str]) -> list[Case]:
    """The cases of the modules, given by name, in their order; each has a function cases() -> Iterable[Case], or is a
    package whose module gradient_cases has one.

    Raises NoCases, which names the module, for what is no module, fails to import, or has no such function, and where
    the function fails or gives something else.
    """
    return [case for module in modules for case in _cases_of(module)]


def _cases_of(name: str) -> list[Case]:
    try:
        module = import_module(name)
        if not hasattr(module, "cases") and hasattr(module, "__path__") and find_spec(f"{name}.{IN_A_PACKAGE}"):
            module = import_module(f"{name}.{IN_A_PACKAGE}")
        function = getattr(module, "cases", None)
    except (Exception, SystemExit) as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing and f"{name}.".startswith(f"{missing}."):
            raise NoCases(f"there is no module {name!r}; expected a name as in an import, models.gradient_cases, of a "
                          "module that is installed or lies in this folder") from None
        raise NoCases(f"the module {name!r} cannot be imported: {type(error).__name__}: {error}") from error
    if not callable(function):
        where = getattr(module, "__file__", None) or "of no file"
        raise NoCases(f"the module {name!r}, {where}, has no function cases(); "
                      "expected one that gives the cases to check, made by engine.gradient_check.layer_case")
    try:
        made = list(function())
    except Exception as error:
        raise NoCases(f"cases() of the module {name!r} raised {type(error).__name__}: {error}") from error
    if wrong := [case for case in made if not isinstance(case, Case)]:
        raise NoCases(f"cases() of the module {name!r} gave a {type(wrong[0]).__name__}; expected a Case for each, "
                      "made by engine.gradient_check.layer_case")
    return made


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
