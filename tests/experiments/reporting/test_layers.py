"""The picture of the layers, of any number of them, and the sentence on those that died."""
import io

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from experiments.reporting.figures.layers import layers_course, short
from experiments.reporting.figures.style import VERMILLION
from experiments.reporting.layers import deaths, layers_picture
from experiments.runs.log import QUANTILES, LayersEntry, Spread

COLUMNS = ("weights", "biases", "activations", "weights' gradient")
NOTHING = Spread(1.0, [0.0] * len(QUANTILES))


def spread(scale, zeros=0.0):
    return Spread(zeros, [scale * (2 * quantile - 1) for quantile in QUANTILES])


def entry(step, layers=3, dead=()):
    names = [f"stage.conv_{place}" for place in range(layers)]
    gone = {names[place] for place in dead}
    return LayersEntry(
        step, {f"{name}.{kind}": spread(step) for name in names for kind in ("W", "b")},
        {f"{name}.{kind}": NOTHING if name in gone else spread(0.1 / step) for name in names for kind in ("W", "b")},
        {name: NOTHING if name in gone else spread(2.0, 0.25) for name in names})


def texts(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("layers", [1, 3, 40])
def test_a_strip_for_every_layer_in_each_of_four_columns(layers):
    columns = layers_course([entry(step, layers) for step in (1, 10, 100)]).axes
    assert tuple(axes.get_title() for axes in columns) == COLUMNS
    for axes in columns:
        assert [len(bands.get_paths()) for bands in axes.collections] == [layers, layers]  # of 90 and 50 %
        assert axes.get_xlabel() == "training step"
    assert [label.get_text() for label in columns[0].get_yticklabels()] == [
        f"stage.conv_{place}" for place in range(layers)]


def test_a_strip_is_drawn_to_the_scale_that_it_names():
    weights, _, activations, gradient = layers_course([entry(step) for step in (1, 10, 100)]).axes
    assert texts(weights) == ["±90"] * 3  # 5 % and 95 % of -100 to 100
    assert texts(activations) == ["±1.8"] * 3 + ["25 % zeros"] * 3
    assert texts(gradient) == ["±0.09"] * 3 + ["at last ±0.0009"] * 3
    outer = weights.collections[0].get_paths()[0].vertices
    at_the_end = outer[outer[:, 0] == 100][:, 1]
    assert max(at_the_end) - min(at_the_end) == pytest.approx(0.6)  # within its row, which is 1 high
    assert weights.yaxis_inverted() and np.ptp(outer[outer[:, 0] == 1][:, 1]) == pytest.approx(0.006)


def test_a_dead_layer_is_seen():
    _, _, activations, gradient = layers_course([entry(1), entry(2, dead=[1])]).axes
    for axes in (activations, gradient):
        said, = (text for text in axes.texts if text.get_text() == "all 0")
        assert to_hex(said.get_color()) == VERMILLION.lower() and said.get_fontweight() == "bold"
        assert 0.5 < said.get_position()[1] < 1  # above the strip of the second layer


def test_an_array_that_was_not_finite_in_a_step_leaves_a_hole():
    broken = entry(2)
    del broken.activations["stage.conv_1"], broken.gradients["stage.conv_0.W"]
    axes = layers_course([entry(1), broken, entry(3)]).axes
    assert len(axes[2].texts) == 2 * 3
    assert len(layers_course([broken]).axes[3].lines) > 0
    assert layers_course([entry(1), broken]).axes[3].texts[-1].get_text() == "at last ±0.045"


@pytest.mark.parametrize(("path", "expected"), [
    ("stage_1.conv_a", "stage_1.conv_a"), ("logits", "logits"), ("a.b.b.b.c", "a.(b)×3.c"), ("aa.a.b", "aa.a.b"),
    ("levels.skip.below.skip.below.skip.below.stack.conv_a", "levels.(skip.below)×3.stack.conv_a"),
    ("levels.skip.below.skip.below.skip.norm", "levels.(skip.below)×2.skip.norm")])
def test_paths_that_repeat_themselves_are_shortened(path, expected):
    assert short(path) == expected


def test_a_single_step_is_a_bar():
    axes = layers_course([entry(7)]).axes[0]
    assert axes.get_xlim() == (6, 8) and np.ptp(axes.collections[0].get_paths()[0].vertices[:, 0]) == pytest.approx(0.6)


def test_which_layers_are_dead():
    alive, dead = [entry(1)], [entry(1, dead=[0]), entry(2, dead=[0, 2])]
    assert deaths({"": alive}) == "No layer was dead when last looked at." == deaths({"P0-dice": alive, "P0-ss": []})
    assert deaths({"": dead}) == "Dead when last looked at: stage.conv_0, stage.conv_2."
    assert deaths({"P0-dice": alive, "P1-ss": dead}) == (
        "Dead when last looked at: stage.conv_0 of P1-ss, stage.conv_2 of P1-ss.")


def test_the_picture_of_a_run_of_one_step():
    picture = layers_picture("Layers", [entry(1, dead=[1])])
    assert "Dead when last looked at: stage.conv_1." in picture.caption
    with Image.open(io.BytesIO(picture.data)) as image:
        assert image.width == 2 * picture.size[0] == 2000
