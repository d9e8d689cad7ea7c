"""Verdicts: every check can fail, failing set-ups are told apart, mistakes that nobody foresaw are described."""
import re
from copy import copy
from dataclasses import replace

import numpy as np
import pytest

from exercises.catalogue import exercise
from exercises.judge import judge
from exercises.mutants import mutated
from exercises.source import solved, template
from exercises.verdict import Verdict

DX = 'dx = matrix_product(da, xp.matrix_transpose(self.params["W"]))'
Y = "y = sum(x_uv @ kernel[u, v, :, :] for u, v, x_uv in _taps(x, kernel.shape[:2], stride, padding))"


def verdict_on(name, old, new):
    text = solved(exercise(name))
    assert text.count(old) == 1
    return judge(exercise(name), text.replace(old, new), 2)


def failed(verdict):
    return {check.name for check in verdict.checks if not check.passed}


@pytest.mark.parametrize(("name", "old", "new", "check"), [
    ("dense_backward", DX, DX + " + 1e-4", "dx: finite differences"),
    ("dense_backward", DX, DX + " + 1e-4", "backward is linear in dy"),
    ("dense_backward", DX, "dy *= 2; " + DX, "writes to no argument"),
    ("dense_backward", DX, DX + "; self.memory = dy", "engine.gradient_check"),
    ("dense_backward", DX, DX + ' + xp.zeros(x.shape, dtype="float64")', "float32 in, float32 out"),
    ("dense_backward", DX, "self.calls = getattr(self, 'calls', 0) + 1; " + DX + " * self.calls",
     "engine.gradient_check"),
    ("dense_backward", DX, "import random; " + DX + " * random.random()", "answers the same twice"),
    ("dense_backward", '{"W": dW, "b": db}', '{"b": db}', "dW: finite differences"),
    ("convolution_forward", Y, Y + " + x[:1, :1, :1, :1] ** 2", "forward is linear in x but for the bias"),
    ("convolution_forward", Y, Y.replace("kernel[u, v, :, :]", "kernel[-1 - u, v, :, :]"),
     "adjointness: <A x, dy> = <x, A' dy>"),
    ("convolution_forward", Y, "raise IndexError('none')", "runs"),
])
def test_every_check_can_fail(name, old, new, check):
    assert check in failed(verdict_on(name, old, new))


def test_wrong_only_where_the_set_ups_differ():
    verdict = verdict_on("stride_and_padding", "dilated[:, ::stride[0], ::stride[1], :] = da",
                         "dilated[:, ::stride[0], ::stride[1], :] = da * 2")
    assert "It is wrong only where stride is (2, 2) or (2, 3); right where it is (1, 1)." in verdict.text()


def test_a_mistake_that_is_no_mutant_is_described():
    verdict = verdict_on("dense_backward", DX, DX + " * -1")
    assert "Wherever it is wrong, the sign is wrong everywhere." in verdict.findings[0]
    assert not {line for finding in verdict.findings for line in finding} & {
        mutant.hint for mutant in exercise("dense_backward").mutants}


def test_two_mistakes_get_a_hint_each():
    text = solved(exercise("dense_backward"))
    mutants = {mutant.name: mutant for mutant in exercise("dense_backward").mutants}
    for name in ("dy instead of da", "dW a mean"):
        (old, new), = mutants[name].edits.items()
        text = text.replace(old, new)
    said = judge(exercise("dense_backward"), text, 2).text()
    assert mutants["dy instead of da"].hint in said and mutants["dW a mean"].hint in said


def test_what_follows_from_a_wrong_y_is_not_explained():
    verdict = verdict_on("dense_forward", ' + self.params["b"]', "")
    assert "dx: finite differences" in failed(verdict)
    assert [finding[0].split(" ")[0] for finding in verdict.findings] == ["y"]


def test_a_name_that_is_gone_is_a_message():
    verdict = verdict_on("dense_backward", "class Dense(Layer)", "class Thick(Layer)")
    assert "no longer defines Dense" in verdict.problem and not verdict.passed


def test_an_answer_that_both_forgot_gets_the_mutant_s_hint():
    mutant = next(each for each in exercise("concatenation").mutants if each.name == "parameters forgotten")
    verdict = judge(exercise("concatenation"), mutated(exercise("concatenation"), mutant), 2)
    assert all("there is none; the code answers with y, da, db" in finding[0] for finding in verdict.findings)
    assert mutant.hint in verdict.text()


def test_nothing_checked_is_not_passed():
    assert not Verdict("dense_backward", 0).passed


def test_the_worst_entry_is_named_with_both_numbers():
    verdict = verdict_on("dense_backward", DX, DX + "; dx = dx.copy(); dx[-1, 0] += 5")
    first = verdict.findings[0][0]
    row, got, expected = re.search(r"entry \[(\d), 0\] is (\S+), expected (\S+) by finite", first).groups()
    assert row == "2" and np.isclose(float(got) - float(expected), 5, atol=1e-4)


def test_an_exercise_goes_on_with_the_files_that_it_needs():
    backward = exercise("dense_backward")
    seen = []

    def with_forward(module, setup, inputs):
        seen.append(module.needed["dense_forward"].Dense)
        return type(backward.task).answers(backward.task, module, setup, inputs)

    task = copy(backward.task)
    object.__setattr__(task, "answers", with_forward)
    needing = replace(backward, needs=("dense_forward",), task=task)
    assert judge(needing, solved(backward), 2).passed
    engine = set(seen)
    text = solved(exercise("dense_forward")) + "\n\nDense.mine = True\n"
    assert judge(needing, solved(backward), 2, needed_texts={"dense_forward": text}).passed
    assert {hasattr(each, "mine") for each in set(seen) - engine} == {True}
    holed = judge(needing, solved(backward), 2, needed_texts={"dense_forward": template(exercise("dense_forward"))})
    assert "there is a hole left in Dense.forward" in holed.problem


@pytest.mark.parametrize(("new", "message"), [
    ("dx = None", "dx is None; expected an array of numbers"),
    ("return 7", "cannot unpack"),
])
def test_what_is_no_array_is_told(new, message):
    verdict = verdict_on("dense_backward", DX, new)
    assert message in verdict.findings[0][0] and "runs" in failed(verdict)


def test_an_error_of_another_kind_everywhere_gets_no_hint():
    verdict = verdict_on("dense_backward", DX, "raise ValueError('something else')")
    assert len(verdict.findings) == 1 and len(verdict.findings[0]) == 1, verdict.text()
