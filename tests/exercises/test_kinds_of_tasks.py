"""What a task may be besides a layer: a step that overwrites, moments with their error, a checker's answers."""
from types import SimpleNamespace

import numpy as np
import pytest

from exercises.comparing import problem
from exercises.exercise import Exercise, Expected, Mutant, Part, Setup
from exercises.judge import judge
from exercises.mutants import mutated
from exercises.source import solved
from exercises.tasks.function import FunctionTask, value_and_gradient

MEAN = "return mean, xp.mean(centred * centred, axis=axes)  # no abs: complex-step differentiation passes through"


def exercise_on(task, *mutants):
    return Exercise("moments", "Moments", "Write them.", "3.1.4", (
        Part("engine.kernels.normalization", ("batch_moments",)),), (), task,
        lambda rng: [Setup("few", {"size": 5}), Setup("many", {"size": 500})], mutants)


def verdict_on(exercise, old=MEAN, new=MEAN):
    return judge(exercise, mutated(exercise, Mutant("", "", {old: new})), 0)


def test_arrays_that_a_step_overwrites_are_named_and_others_are_not_to_be():
    def call(module, setup, inputs):
        inputs["x"][...] = module.batch_moments(inputs["x"])[0]
        return {"x": inputs["x"]}

    def wanted(own, setup, inputs):
        return {"x": Expected(np.zeros((setup["size"], 2)) + inputs["x"].mean(axis=0), "the definition")}

    def draw(setup, rng):
        return {"x": rng.standard_normal((setup["size"], 2))}

    assert verdict_on(exercise_on(FunctionTask(draw, call, wanted, writes=("x",)))).passed
    refused = verdict_on(exercise_on(FunctionTask(draw, call, wanted)))
    assert [check.name for check in refused.checks if not check.passed] == ["writes to no argument"]
    assert "it overwrites x" in refused.text()


def test_moments_are_compared_to_a_few_standard_errors():
    def wanted(own, setup, inputs):
        error = 6 * np.sqrt(2 / setup["size"])
        return {"variance": Expected(np.asarray(1.0), "its definition, six standard errors", error)}

    task = FunctionTask(lambda setup, rng: {"x": rng.standard_normal((setup["size"], 1))},
                        lambda module, setup, inputs: {"variance": module.batch_moments(inputs["x"])[1][0]}, wanted)
    twice = Mutant("twice", "This is what comes out twice.", {MEAN: MEAN.replace("xp.mean(", "2 * xp.mean(")})
    exercise = exercise_on(task, twice)
    assert judge(exercise, solved(exercise), 0).passed
    verdict = judge(exercise, mutated(exercise, twice), 0)
    assert not verdict.passed and twice.hint in verdict.text()


def test_a_checker_s_answers_are_named_by_the_gallery():
    labels = ("the right layer", "kernel not rotated", "mean forgotten")

    def call(module, setup, inputs):
        return {"passed": module.batch_moments(inputs["x"])[1] < 2}

    def wanted(own, setup, inputs):
        return {"passed": Expected(np.array([True, False, False]), "the gallery", labels=labels)}

    task = FunctionTask(lambda setup, rng: {"x": np.outer(np.array([1.0, -1.0]), np.array([1.0, 3.0, 3.0]))},
                        call, wanted)
    blind = Mutant("blind", "This is what comes out of a checker that passes all.", {MEAN: "return mean, 0 * mean"})
    exercise = exercise_on(task, blind)
    assert judge(exercise, solved(exercise), 0).passed
    verdict = judge(exercise, mutated(exercise, blind), 0)
    assert "kernel not rotated is True, expected False by the gallery; wrong: 2 of 3 entries" in verdict.text()
    assert blind.hint in verdict.text()


@pytest.mark.parametrize(("slope", "right"), [(2.0, True), (1.0, False)])
def test_a_loss_is_compared_with_differences_of_its_definition(slope, right):
    wanted = value_and_gradient(lambda arrays, setup: float(np.sum(arrays["p"] ** 2)), "p")
    inputs = {"p": np.array([0.0, 0.5, -1.0])}
    expected = wanted(SimpleNamespace(), Setup("any"), inputs)
    assert not problem(np.asarray(1.25), expected["value"])
    assert (problem(slope * inputs["p"], expected["gradient"]) == "") == right
