"""From the text of a student's file to a verdict that teaches."""
from __future__ import annotations

from collections.abc import Iterator, Mapping

from exercises.comparing import largest_error
from exercises.exercise import Exercise
from exercises.explaining import explained
from exercises.loading import Unusable, load
from exercises.trial import PURE, REPEATS, Case, Results, asked, cases, tried, with_needed
from exercises.verdict import NOT_REACHED, Check, Verdict


def judge(exercise: Exercise, text: str, seed: int, filename: str = "the file",
          needed_texts: Mapping[str, str] | None = None) -> Verdict:
    """The verdict on the text of a file.

    filename      what the messages call it
    needed_texts  of the files that the exercise needs; None: the engine's own
    """
    needed = tuple(name for part in exercise.parts for name in part.names)
    try:
        module = with_needed(exercise, load(text, filename, needed), needed_texts)
    except Unusable as unusable:
        return Verdict(exercise.name, seed, str(unusable))
    tries = cases(exercise, seed)
    results = [tried(exercise, module, case, filename) for case in tries]
    checks = [*_ran(tries, results), *_answers(tries, results), *_properties(exercise, tries, results)]
    findings = [] if all(check.passed for check in checks) else list(explained(exercise, seed, results))
    return Verdict(exercise.name, seed, "", checks, findings)


def _ran(tries: list[Case], results: Results) -> Iterator[Check]:
    failed = [case.setup.name for case, outcome in zip(tries, results, strict=True) if outcome.failure]
    yield Check("runs", not failed, f"fails for {_some(failed)}" if failed else f"in {len(tries)} set-ups")


def _answers(tries: list[Case], results: Results) -> Iterator[Check]:
    for name in asked(tries):
        wrong: list[str] = []
        errors = [0.0]
        for case, outcome in zip(tries, results, strict=True):
            if outcome.failure or name not in case.expected:
                continue
            if case.problem(outcome, name):
                wrong.append(case.setup.name)
            else:
                errors.append(largest_error(outcome.answers[name], case.expected[name]))
        how = next(case.expected[name].how for case in tries if name in case.expected)
        tested = any(not outcome.failure for outcome in results)
        yield Check(f"{name}: {how}", tested and not wrong, f"wrong for {_some(wrong)}" if wrong
                    else f"largest difference {max(errors):.0e}" if tested else NOT_REACHED)


def _properties(exercise: Exercise, tries: list[Case], results: Results) -> Iterator[Check]:
    for name in (PURE, REPEATS, *(each.name for each in exercise.task.properties())):
        broken = [case.setup.name for case, outcome in zip(tries, results, strict=True) if name in outcome.broken]
        tested = any(not outcome.failure for outcome in results)
        yield Check(name, tested and not broken, f"not for {_some(broken)}" if broken else "" if tested
                    else NOT_REACHED)


def _some(names: list[str]) -> str:
    shown = "; ".join(names[:3])
    return shown + (f"; and {len(names) - 3} more" if len(names) > 3 else "")
