"""What is wrong, in paragraphs: where, what the error has in common with the right answer, which mistake gives it."""
from __future__ import annotations

from collections.abc import Iterator

from exercises.diagnosis import facts, in_common
from exercises.exercise import Exercise
from exercises.mutants import Hints
from exercises.trial import Case, Results, asked, cases


def explained(exercise: Exercise, seed: int, results: Results) -> Iterator[list[str]]:
    """A paragraph for what failed, for every wrong array, and where the numbers are right for every broken property."""
    tries = cases(exercise, seed)
    hints = Hints(exercise, seed)
    failures = [(case, outcome) for case, outcome in zip(tries, results, strict=True) if outcome.failure]
    if failures:
        yield [f"It fails in the set-up '{failures[0][0].setup.name}': {failures[0][1].failure}",
               *_only(exercise, tries, [bool(outcome.failure) for outcome in results]), *hints.failing_as(results)]
    numbers_right = not failures
    for name in asked(tries):
        wrong = [None if outcome.failure else bool(case.problem(outcome, name))
                 for case, outcome in zip(tries, results, strict=True)]
        if any(wrong):
            numbers_right = False
            yield [*_wrong_array(exercise, tries, results, name, wrong), *hints.giving(name, results)]
            if name in exercise.task.leads:
                return
    if numbers_right:
        for name in dict.fromkeys(name for outcome in results for name in outcome.broken):
            case, outcome = next((case, outcome) for case, outcome in zip(tries, results, strict=True)
                                 if name in outcome.broken)
            yield [f"'{name}' does not hold in the set-up '{case.setup.name}': {outcome.broken[name]}",
                   *hints.breaking(name, results)]


def _wrong_array(exercise: Exercise, tries: list[Case], results: Results, name: str,
                 wrong: list[bool | None]) -> list[str]:
    bad = [(case, outcome) for case, outcome, is_wrong in zip(tries, results, wrong, strict=True) if is_wrong]
    first, outcome = bad[0]
    known = [facts(exercise.task, name, outcome.answers[name], case.expected[name], case.inputs)
             for case, outcome in bad if name in outcome.answers]
    return [f"{name} is wrong in the set-up '{first.setup.name}': {first.problem(outcome, name)}.",
            *_only(exercise, tries, wrong),
            *(f"Wherever it is wrong, {phrase}." for phrase in sorted(in_common(known)))]


def _only(exercise: Exercise, tries: list[Case], wrong: list[bool | None]) -> list[str]:
    """Where some set-ups are wrong and others right: what only the wrong ones have. None: not known."""
    said = []
    for key in exercise.telling:
        values = [case.setup[key] for case in tries]
        bad, good = ({repr(value) for value, known in zip(values, wrong, strict=True) if known is is_wrong}
                     for is_wrong in (True, False))
        if good and bad and not good & bad:
            said.append(f"It is wrong only where {key} is {' or '.join(sorted(bad))}; right where it is "
                        f"{' or '.join(sorted(good))}.")
    return said
