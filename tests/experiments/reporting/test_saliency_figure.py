"""The saliency picture: opacities that are ones, whatever the gradients are and however they round."""
import io

import numpy as np
import pytest
from PIL import Image

from experiments.reporting.figures.saliency import opacity, saliency_figure


def test_opacities_lie_between_a_fifth_and_one_however_they_round():
    """0.2 + 0.8 v / largest, evaluated from the left, is 1.0000000000000002 for 7 % of all values v = largest."""
    largest = np.random.default_rng(0).random(10_000) * 10.0 ** np.random.default_rng(1).integers(-300, 300, 10_000)
    old = 0.2 + 0.8 * largest / largest
    assert 0.02 < (old > 1).mean() < 0.2
    for value in largest[old > 1]:
        found = opacity(np.array([0, value / 2, np.nextafter(value, 0), value]))
        assert (found >= 0.2).all() and (found <= 1).all()
        assert found[-1] == 1 and found[1] == pytest.approx(0.6)


@pytest.mark.parametrize("scale", [0, 5e-324, 1e-300, 1e-30, 1, 3.7, 1e30, 1e300])
def test_every_gradient_gives_a_picture(scale):
    generator = np.random.default_rng(0)
    gradient = scale * generator.standard_normal((16, 16, 2))
    picture = saliency_figure(generator.random((16, 16)), gradient, "cancer", "title")
    assert Image.open(io.BytesIO(picture)).size[0] > 1000


def test_a_gradient_that_rounds_above_one_gives_a_picture():
    """Constant over the image, so that smoothing leaves it as it is: a value of which the old opacity was above 1."""
    value = next(v for v in np.random.default_rng(0).random(1000) if 0.2 + 0.8 * v / v > 1)
    assert saliency_figure(np.zeros((8, 8)), np.full((8, 8, 1), value), "benign", "title")


@pytest.mark.parametrize("title", ["$x", "$\\frac{", "a_$b$_c.png: cancer 0.20", "x" * 3000, "50 %\n\t", "乳.png"])
def test_a_title_is_text_and_no_formula(title, recwarn):
    assert saliency_figure(np.zeros((8, 8)), np.ones((8, 8, 1)), "benign", title)
    assert not recwarn.list
