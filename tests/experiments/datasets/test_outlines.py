"""Outlines become masks: what is on and inside them, whatever crosses the image's border."""
import math

import numpy as np
import pytest
from skimage import draw

from experiments.datasets.outlines import LARGEST, Ellipse, Point, Polygon, coordinate, digest, filled
from experiments.system.errors import Failure

SHAPE = (40, 60)


def mask_of(*outlines, shape=SHAPE):
    return filled(outlines, shape, "a.png")


def square(top, bottom, left, right):
    mask = np.zeros(SHAPE, dtype=bool)
    mask[top:bottom + 1, left:right + 1] = True
    return mask


def test_a_polygon_marks_what_is_on_and_inside_it():
    corners = ((7.0, 3.0), (20.0, 3.0), (20.0, 9.0), (7.0, 9.0))
    for points in (corners, corners[::-1], (*corners, corners[0])):
        np.testing.assert_array_equal(mask_of(Polygon(points)), square(3, 9, 7, 20))


def distance_to_edges(points):
    """(H, W): of each pixel's centre to the nearest edge."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    nearest = np.full(SHAPE, np.inf)
    for (x0, y0), (x1, y1) in zip(points, (*points[1:], points[0]), strict=True):
        along = ((columns - x0) * (x1 - x0) + (rows - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2)
        along = along.clip(0, 1)
        nearest = np.minimum(nearest, np.hypot(columns - x0 - along * (x1 - x0), rows - y0 - along * (y1 - y0)))
    return nearest


@pytest.mark.parametrize("reach", [0, 25])
def test_polygons_are_those_of_the_definition(reach):
    """skimage asks of each pixel whether it is inside; crossing themselves and, with `reach`, the image's border."""
    generator = np.random.default_rng(reach)
    for corners in (3, 4, 7, 12):
        for _ in range(12):
            y, x = generator.uniform([[-reach], [-reach]], np.array(SHAPE)[:, None] - 1 + reach, (2, corners))
            points = tuple(zip(x.tolist(), y.tolist(), strict=True))
            inside = np.zeros(SHAPE, dtype=bool)
            inside[draw.polygon(y, x, SHAPE)] = True
            try:
                mask = mask_of(Polygon(points))
            except Failure:
                assert not inside.any()
                continue
            assert not (inside & ~mask).any()
            assert (distance_to_edges(points)[mask & ~inside] < 1.3).all()


def test_a_thin_polygon_and_a_line_keep_their_pixels():
    assert mask_of(Polygon(((5.2, 5.3), (25.3, 5.4), (5.2, 5.45)))).sum() == 21
    np.testing.assert_array_equal(mask_of(Polygon(((5.0, 5.0), (25.0, 5.0)))), square(5, 5, 5, 25))


def test_an_ellipse_is_that_of_its_equation():
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    expected = (4 * (columns - 20)) ** 2 + (9 * (rows - 15)) ** 2 <= (9 * 4) ** 2
    np.testing.assert_array_equal(mask_of(Ellipse(20, 15, 9, 4)), expected)
    np.testing.assert_array_equal(mask_of(Ellipse(15.3, 15.2, 9.1, 4.3, math.pi / 2)),
                                  mask_of(Ellipse(15.3, 15.2, 4.3, 9.1)))


@pytest.mark.parametrize("angle", [0.4, 1.2, 2.5, -0.7])
def test_an_ellipse_is_turned_from_x_towards_y_which_runs_down(angle):
    turned = mask_of(Ellipse(30, 20, 14, 5, angle))
    assert abs(turned.sum() / (math.pi * 14 * 5) - 1) < 0.05
    for half, direction in ((14, angle), (5, angle + math.pi / 2)):
        for along, inside in ((half - 1.5, True), (half + 1.5, False)):
            for sign in (1, -1):
                assert turned[round(20 + sign * along * math.sin(direction)),
                              round(30 + sign * along * math.cos(direction))] == inside


def test_the_part_beyond_the_border_is_cut_off():
    np.testing.assert_array_equal(mask_of(Polygon(((-9, -7), (4, -7), (4, 2), (-9, 2)))), square(0, 2, 0, 4))
    whole = mask_of(Ellipse(60, 50, 8, 8), shape=(100, 140))
    np.testing.assert_array_equal(mask_of(Ellipse(-2, 35, 8, 8)), whole[15:55, 62:122])


@pytest.mark.parametrize("radius", [0.0, 0.3])
def test_the_smallest_circle_marks_the_pixel_of_its_centre(radius):
    np.testing.assert_array_equal(mask_of(Ellipse(7.4, 3.6, radius, radius)), square(4, 4, 7, 7))


def test_a_point_marks_its_pixel_and_its_neighbours():
    np.testing.assert_array_equal(mask_of(Point(7.4, 3.6)), square(3, 5, 6, 8))
    np.testing.assert_array_equal(mask_of(Point(0, 0)), square(0, 1, 0, 1))
    np.testing.assert_array_equal(mask_of(Point(59.2, 39.2)), square(38, 39, 58, 59))


@pytest.mark.parametrize("outside", [
    Polygon(((70, 5), (80, 5), (80, 9)), "t.csv, line 3"), Ellipse(30, -9, 8, 8, 0, "t.csv, line 3"),
    Ellipse(30, 900, 8, 8, 0, "t.csv, line 3"), Point(60.1, 3, "t.csv, line 3"), Point(3, -0.6, "t.csv, line 3"),
    Polygon(((-LARGEST, -5), (LARGEST, -5), (0, -LARGEST)), "t.csv, line 3")])
def test_what_lies_outside_names_file_line_and_image(outside):
    with pytest.raises(Failure, match=r"t\.csv, line 3: .*outside of its image a\.png of 60 x 40 pixels"):
        mask_of(Point(3, 3), outside)


def test_outlines_are_joined():
    np.testing.assert_array_equal(mask_of(Point(10, 10), Point(30, 10)), square(9, 11, 9, 11) | square(9, 11, 29, 31))


def test_the_digest_follows_the_outlines_and_not_their_lines():
    one, other = Polygon(((1, 2), (3, 4), (5, 6)), "a, line 2"), Point(1, 2, "a, line 3")
    known = digest([one, other])
    assert digest((Polygon(one.points, "b, line 9"), other)) == known
    assert known not in {digest([other, one]), digest([one]), digest([]), digest([one, Point(1, 2.01)]),
                         digest([one, Ellipse(1, 2, 0, 0)])}


@pytest.mark.parametrize("value", [None, "7", math.nan, math.inf, 10**400, -LARGEST - 1, True, [3]])
def test_what_is_no_coordinate(value):
    with pytest.raises(Failure, match=r"a, line 2: .* is no coordinate"):
        coordinate(value, "a, line 2")
