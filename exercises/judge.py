"""From the text of a student's file to a verdict that teaches."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from exercises.comparing import alike, largest_error, problem
from exercises.diagnosis import facts, in_common
from exercises.exercise import Exercise, Mutant
from exercises.loading import Unusable, load
from exercises.trial import PURE, REPEATS, Case, Outcome, cases, mutant_module, mutants_tried, tried, with_needed
from exercises.verdict import Check, Verdict

Results = list[Outcome]  # one for each case


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
    findings = [] if all(check.passed for check in checks) else list(_explained(exercise, seed, results))
    return Verdict(exercise.name, seed, "", checks, findings)


def _ran(tries: list[Case], results: Results) -> Iterator[Check]:
    failed = [case.setup.name for case, outcome in zip(tries, results, strict=True) if outcome.failure]
    yield Check("runs", not failed, f"fails for {_some(failed)}" if failed else f"in {len(tries)} set-ups")


def _answers(tries: list[Case], results: Results) -> Iterator[Check]:
    for name in dict.fromkeys(name for case in tries for name in case.expected):
        wrong, errors = [], [0.0]
        for case, outcome in zip(tries, results, strict=True):
            if outcome.failure or name not in case.expected:
                continue
            if said := _problem(case, outcome, name):
                wrong.append((case.setup.name, said))
            else:
                errors.append(largest_error(outcome.answers[name], case.expected[name]))
        how = next(case.expected[name].how for case in tries if name in case.expected)
        tested = any(not outcome.failure for outcome in results)
        yield Check(f"{name}: {how}", tested and not wrong, f"wrong for {_some([setup for setup, _ in wrong])}" if wrong
                    else f"largest difference {max(errors):.0e}" if tested else "not reached")


def _properties(exercise: Exercise, tries: list[Case], results: Results) -> Iterator[Check]:
    for name in (PURE, REPEATS, *(each.name for each in exercise.task.properties())):
        broken = [case.setup.name for case, outcome in zip(tries, results, strict=True) if name in outcome.broken]
        tested = any(not outcome.failure for outcome in results)
        yield Check(name, tested and not broken, f"not for {_some(broken)}" if broken else "" if tested
                    else "not reached")


def _explained(exercise: Exercise, seed: int, results: Results) -> Iterator[list[str]]:
    """A paragraph for what failed, for every wrong array, and where the numbers are right for every broken property."""
    tries = cases(exercise, seed)
    mutants = _Mutants(exercise, seed)
    failures = [(case, outcome) for case, outcome in zip(tries, results, strict=True) if outcome.failure]
    if failures:
        yield [f"It fails in the set-up '{failures[0][0].setup.name}': {failures[0][1].failure}",
               *_only(exercise, tries, [bool(outcome.failure) for outcome in results]), *mutants.failing_as(results)]
    numbers_right = not failures
    for name in dict.fromkeys(name for case in tries for name in case.expected):
        wrong = [None if outcome.failure else bool(_problem(case, outcome, name))
                 for case, outcome in zip(tries, results, strict=True)]
        if any(wrong):
            numbers_right = False
            yield [*_wrong_array(exercise, tries, results, name, wrong), *mutants.giving(name, results)]
            if name in exercise.task.leads:
                return
    if numbers_right:
        for name in dict.fromkeys(name for outcome in results for name in outcome.broken):
            case, outcome = next((case, outcome) for case, outcome in zip(tries, results, strict=True)
                                 if name in outcome.broken)
            yield [f"'{name}' does not hold in the set-up '{case.setup.name}': {outcome.broken[name]}",
                   *mutants.breaking(name, results)]


def _wrong_array(exercise: Exercise, tries: list[Case], results: Results, name: str,
                 wrong: list[bool | None]) -> list[str]:
    bad = [(case, outcome) for case, outcome, is_wrong in zip(tries, results, wrong, strict=True) if is_wrong]
    first, outcome = bad[0]
    known = [facts(exercise.task, name, outcome.answers[name], case.expected[name], case.inputs)
             for case, outcome in bad if name in outcome.answers]
    return [f"{name} is wrong in the set-up '{first.setup.name}': {_problem(first, outcome, name)}.",
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


class _Mutants:
    """The hints of the known mistakes, each given once."""

    def __init__(self, exercise: Exercise, seed: int) -> None:
        self.exercise, self.tries = exercise, cases(exercise, seed)
        self.outcomes = mutants_tried(exercise, seed)
        self.said: set[str] = set()

    def giving(self, name: str, results: Results) -> list[str]:
        """The hints of those that give the student's array in every set-up, and all that it follows from.

        Where some of them give all of the student's arrays, the hints of those alone: others have a second mistake.
        """
        names = list(dict.fromkeys(name for case in self.tries for name in case.expected))
        alike = [(mutant, outcomes) for mutant, outcomes in self.outcomes if all(
            self._agree(each, outcomes, results) for each in (name, *self.exercise.task.leads))]
        whole = [mutant for mutant, outcomes in alike if all(
            self._agree(each, outcomes, results) for each in names)]
        return self._new(whole or [mutant for mutant, _ in alike])

    def failing_as(self, results: Results) -> list[str]:
        """The hints of those that fail in the same set-ups, and give the same numbers in the others.

        Where there are no others, which is to say nothing of the numbers, the errors must be the same to the letter.
        """
        everywhere = all(outcome.failure for outcome in results)
        names = list(dict.fromkeys(name for case in self.tries for name in case.expected))
        return self._new(mutant for mutant, outcomes in self.outcomes if all(
            self._agree(name, outcomes, results) for name in names) and (not everywhere or [
                outcome.error for outcome in outcomes] == [outcome.error for outcome in results]))

    def breaking(self, name: str, results: Results) -> list[str]:
        """The hints of those whose numbers are right and in which the same property is broken in the same set-ups."""
        where = [name in outcome.broken for outcome in results]
        return self._new(mutant for mutant, outcomes in self.outcomes if self._right(outcomes) and where == [
            name in tried(self.exercise, mutant_module(self.exercise, mutant.name), case).broken
            for case in self.tries])

    def _new(self, mutants: Iterable[Mutant]) -> list[str]:
        hints = [mutant.hint for mutant in mutants]
        new = [hint for hint in hints if hint not in self.said]
        self.said.update(new)
        return ["The mistake above gives this, too."] if hints and not new else new

    def _agree(self, name: str, outcomes: Results, results: Results) -> bool:
        return all(self._same(case, name, first, second)
                   for case, first, second in zip(self.tries, outcomes, results, strict=True))

    def _right(self, outcomes: Results) -> bool:
        return not any(outcome.failure or any(_problem(case, outcome, name) for name in case.expected)
                       for case, outcome in zip(self.tries, outcomes, strict=True))

    @staticmethod
    def _same(case: Case, name: str, first: Outcome, second: Outcome) -> bool:
        if first.failure or second.failure:
            return first.error[0] == second.error[0]
        if name not in case.expected:
            return True
        if name not in first.answers or name not in second.answers:
            return False
        size = max(1.0, abs(first.answers[name]).max(initial=0.0) / (abs(case.expected[name].value).max(initial=0.0)
                                                                     or 1.0))
        return alike(first.answers[name], second.answers[name], case.expected[name].tolerance * size)


def _problem(case: Case, outcome: Outcome, name: str) -> str:
    if name not in case.expected:
        return ""
    if name not in outcome.answers:
        return f"there is none; the code answers with {', '.join(outcome.answers) or 'nothing'}"
    return problem(outcome.answers[name], case.expected[name])


def _some(names: list[str]) -> str:
    shown = "; ".join(names[:3])
    return shown + (f"; and {len(names) - 3} more" if len(names) > 3 else "")
