"""Every exercise's judge: the engine's own text passes, the template fails, each mutant fails with its own hint."""
import ast
from pathlib import Path

import pytest

from exercises import catalogue
from exercises.catalogue import all_exercises
from exercises.cuts import function_named
from exercises.judge import judge
from exercises.mutants import mutated
from exercises.source import solved, template
from exercises.trial import cases

CHAPTERS = Path(__file__).parents[2] / "docs" / "chapters"
EXERCISES = all_exercises()
MUTANTS = [(exercise, mutant) for exercise in EXERCISES for mutant in exercise.mutants]
each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)


@each_exercise
@pytest.mark.parametrize("seed", [0, 1])
def test_the_engine_s_own_text_passes(exercise, seed):
    verdict = judge(exercise, solved(exercise), seed)
    assert verdict.passed, verdict.text()
    assert len(verdict.checks) >= 4 and not verdict.findings


@each_exercise
def test_the_template_fails_and_names_its_first_hole(exercise):
    verdict = judge(exercise, template(exercise), 0)
    assert not verdict.passed and "there is a hole left in" in verdict.problem
    assert any(cut.function in verdict.problem for cut in exercise.cuts), verdict.problem


@each_exercise
def test_the_template_keeps_the_engine_s_lines_and_asks_for_what_is_cut(exercise):
    text, whole = template(exercise), solved(exercise)
    tree = ast.parse(text)
    kept = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("# ")
            and not line.rstrip().endswith(("= ...", "return ..."))]
    assert set(kept) <= set(whole.splitlines())
    assert text.count("# Hole ") == len(exercise.cuts)
    assert all(function_named(tree, cut.function) for cut in exercise.cuts)


@pytest.mark.parametrize(("exercise", "mutant"), MUTANTS,
                         ids=[f"{exercise.name}, {mutant.name}" for exercise, mutant in MUTANTS])
def test_each_mutant_fails_with_its_own_hint_and_no_other(exercise, mutant):
    verdict = judge(exercise, mutated(exercise, mutant), 0)
    hints = {other.hint for other in exercise.mutants}
    given = {line for finding in verdict.findings for line in finding} & hints
    assert not verdict.passed
    assert given == {mutant.hint}, verdict.text()


def test_every_module_with_an_exercise_is_in_the_order():
    names = {path.stem for path in Path(catalogue.__file__).parent.glob("*.py")
             if "EXERCISE = " in path.read_text("utf-8")}
    assert names - {"__init__"} == set(catalogue.ORDER) == {exercise.name for exercise in EXERCISES}


@each_exercise
def test_an_exercise_says_what_it_is(exercise):
    assert all(key in case.setup.values for case in cases(exercise, 0) for key in exercise.telling)
    assert exercise.asks.endswith(".") and exercise.title
    names = [mutant.name for mutant in exercise.mutants]
    assert len(set(names)) == len(names) >= 2
    assert all(mutant.hint.endswith(".") for mutant in exercise.mutants)


@each_exercise
def test_the_chapter_to_read_exists(exercise):
    assert (CHAPTERS / f"{exercise.chapter}.md").is_file()


def test_the_order_is_one_in_which_they_can_be_done():
    for place, exercise in enumerate(EXERCISES):
        assert set(exercise.needs) <= {before.name for before in EXERCISES[:place]}, exercise.name


@each_exercise
def test_seeds_draw_other_numbers_for_the_same_set_ups(exercise):
    first, second, again = cases(exercise, 0), cases(exercise, 1), cases.__wrapped__(exercise, 0)
    assert [case.setup.name for case in first] == [case.setup.name for case in second]
    assert len({case.setup.name for case in first}) == len(first) >= 2

    def bits(made):
        return [array.tobytes() for case in made for array in case.inputs.values()]

    assert bits(first) == bits(again) != bits(second)
