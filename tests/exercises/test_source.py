"""The student's file is cut from the engine's text, and a cut that no longer matches is an error."""
import ast
import inspect
from dataclasses import replace

import pytest

from engine.layers import conv2d
from exercises.catalogue import all_exercises, exercise
from exercises.definitions import CutError
from exercises.exercise import Cut, Mutant, Part
from exercises.loading import holes
from exercises.mutants import mutated
from exercises.source import solved, template

DENSE = exercise("dense_backward")


@pytest.mark.parametrize(("cut", "message"), [
    (Cut("Dense.backwards", "dx =", ""), "there is no function Dense.backwards"),
    (Cut("Dense.backward", "dz =", ""), "0 statements of Dense.backward begin with 'dz ='"),
    (Cut("Dense.backward", "d", ""), "statements of Dense.backward begin with 'd'; expected one"),
    (Cut("Dense.backward", "dx =", "", last="x, o"), "0 statements of Dense.backward begin with 'x, o'"),
    (Cut("Dense.backward", "expect_gradient", ""), "leaves nothing for the student to fill in"),
])
def test_a_cut_that_does_not_match_is_an_error(cut, message):
    with pytest.raises(CutError, match=r"^.*" + message.replace("(", r"\(")):
        template(replace(DENSE, cuts=(cut,)))


def test_parts_and_edits_that_do_not_match_are_errors():
    with pytest.raises(CutError, match=r"engine\.layers\.dense does not define Dance"):
        solved(replace(DENSE, parts=(Part("engine.layers.dense", ("Dance",)),)))
    with pytest.raises(CutError, match="stands 0 times in the text; expected once"):
        mutated(DENSE, Mutant("none", "", {"no such text": ""}))


def test_definitions_are_the_engine_s_text_whole():
    text = solved(exercise("convolution_dx"))
    for each in (conv2d.Conv2D, conv2d.rotate, conv2d.dilate, conv2d.input_gradient):
        assert inspect.getsource(each) in text


def test_a_hole_leaves_what_the_function_goes_on_with():
    text = template(exercise("stride_and_padding"))
    left = [line.strip() for line in text.splitlines() if line.rstrip().endswith(" ...")]
    assert left == ["return ...", "dilated[:, ::stride[0], ::stride[1], :] = ...", "first = ..."]
    assert [function for _, function in holes(ast.parse(text))] == ["_same", "dilate", "input_gradient"]


def test_the_engine_s_own_dots_are_no_holes():
    for each in all_exercises():
        assert not holes(ast.parse(solved(each))), each.name


def test_a_template_lists_no_import_that_it_does_not_use():
    for each in all_exercises():
        tree = ast.parse(solved(each))
        names = [alias.asname or alias.name for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)
                 and getattr(node, "module", "") != "__future__" for alias in node.names]
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert set(names) <= used and len(names) == len(set(names)), each.name
