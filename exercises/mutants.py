"""Known mistakes: what comes out of them, and the hints for whom the same comes out."""
from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from types import ModuleType

from exercises.comparing import alike
from exercises.definitions import CutError
from exercises.exercise import Exercise, Mutant
from exercises.loading import load
from exercises.source import solved
from exercises.trial import Case, Outcome, Results, asked, cases, tried, with_needed


def mutated(exercise: Exercise, mutant: Mutant) -> str:
    """The text with the mistake. Raises CutError where the engine no longer has the text that the mistake changes."""
    text = solved(exercise)
    for old, new in mutant.edits.items():
        if text.count(old) != 1:
            raise CutError(f"mutant {mutant.name!r} of {exercise.name}: {old!r} stands {text.count(old)} times in the "
                           "text; expected once")
        text = text.replace(old, new)
    return text


@lru_cache(maxsize=128)
def mutants_tried(exercise: Exercise, seed: int) -> list[tuple[Mutant, list[Outcome]]]:
    """What comes out of the known mistakes, in every case."""
    return [(mutant, [tried(exercise, mutant_module(exercise, mutant.name), case, properties=False)
                      for case in cases(exercise, seed)]) for mutant in exercise.mutants]


@cache
def mutant_module(exercise: Exercise, mutant_name: str) -> ModuleType:
    """What the text with that mistake defines."""
    mutant = next(mutant for mutant in exercise.mutants if mutant.name == mutant_name)
    return with_needed(exercise, load(mutated(exercise, mutant), mutant.name))


class Hints:
    """The hints of the known mistakes, each given once."""

    def __init__(self, exercise: Exercise, seed: int) -> None:
        self.exercise, self.tries = exercise, cases(exercise, seed)
        self.outcomes = mutants_tried(exercise, seed)
        self.said: set[str] = set()

    def giving(self, name: str, results: Results) -> list[str]:
        """The hints of those that give the student's array in every set-up, and all that it follows from.

        Where some of them give all of the student's arrays, the hints of those alone: others have a second mistake.
        """
        found = [(mutant, outcomes) for mutant, outcomes in self.outcomes if all(
            self._agree(each, outcomes, results) for each in (name, *self.exercise.task.leads))]
        whole = [mutant for mutant, outcomes in found if all(
            self._agree(each, outcomes, results) for each in asked(self.tries))]
        return self._new(whole or [mutant for mutant, _ in found])

    def failing_as(self, results: Results) -> list[str]:
        """The hints of those that fail in the same set-ups, and give the same numbers in the others.

        Where there are no others, which is to say nothing of the numbers, the errors must be the same to the letter.
        """
        everywhere = all(outcome.failure for outcome in results)
        return self._new(mutant for mutant, outcomes in self.outcomes if all(
            self._agree(name, outcomes, results) for name in asked(self.tries)) and (not everywhere or [
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
        return not any(outcome.failure or any(case.problem(outcome, name) for name in case.expected)
                       for case, outcome in zip(self.tries, outcomes, strict=True))

    @staticmethod
    def _same(case: Case, name: str, first: Outcome, second: Outcome) -> bool:
        if first.failure or second.failure:
            return first.error[0] == second.error[0]
        if name not in case.expected:
            return True
        if name not in first.answers or name not in second.answers:
            return (name in first.answers) == (name in second.answers)  # both forgot it
        size = max(1.0, abs(first.answers[name]).max(initial=0.0) / (abs(case.expected[name].value).max(initial=0.0)
                                                                     or 1.0))
        return alike(first.answers[name], second.answers[name], case.expected[name].tolerance * size)
