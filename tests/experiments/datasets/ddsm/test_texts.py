"""The .ics and .OVERLAY files of DDSM, whole and malformed."""
import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.draw import line, polygon

from experiments.datasets.ddsm.ics import View, read_ics
from experiments.datasets.ddsm.outline import STEPS, Outline
from experiments.datasets.ddsm.overlay import lesions_mask, read_overlay
from experiments.system.errors import Failure

ICS = """

ics_version 1.0
filename B-3024-1
DATE_OF_STUDY 2 7 1995
PATIENT_AGE 42
FILM
FILM_TYPE REGULAR
DENSITY 4
DATE_DIGITIZED 7 22 1997
DIGITIZER LUMISYS LASER
SELECTED
LEFT_CC LINES 4696 PIXELS_PER_LINE 3024 BITS_PER_PIXEL 12 RESOLUTION 50 OVERLAY
RIGHT_MLO LINES 4664 PIXELS_PER_LINE 3120 BITS_PER_PIXEL 12 RESOLUTION 43.5 NON_OVERLAY
"""

OVERLAY = """TOTAL_ABNORMALITIES 2
ABNORMALITY 1
LESION_TYPE CALCIFICATION TYPE PLEOMORPHIC DISTRIBUTION CLUSTERED
LESION_TYPE MASS SHAPE IRREGULAR MARGINS SPICULATED
ASSESSMENT 5
SUBTLETY 3
PATHOLOGY MALIGNANT
TOTAL_OUTLINES 2
BOUNDARY
2 1  2 2 2 2 4 4 4 6 6 6 6 0 0 0 #
\tCORE
3 2  2 4 6 0 #
ABNORMALITY 2
LESION_TYPE MASS SHAPE OVAL MARGINS OBSCURED
ASSESSMENT 3
SUBTLETY 5
PATHOLOGY BENIGN_WITHOUT_CALLBACK
TOTAL_OUTLINES 1
BOUNDARY
14 5  3 5 7 1 #
"""
SIZE = (12, 20)


@pytest.fixture
def ics(tmp_path):
    def read(text, name="B-3024-1.ics"):
        (tmp_path / name).write_text(text, encoding="latin-1")
        return read_ics(tmp_path / name)
    return read


@pytest.fixture
def overlay(tmp_path):
    def read(text, size=SIZE):
        path = tmp_path / "B_3024_1.LEFT_CC.OVERLAY"
        path.write_text(text, encoding="latin-1")
        return read_overlay(path, size)
    return read


@pytest.mark.parametrize("end", ["\n", " \r\n"])
def test_ics(ics, end):
    case = ics(ICS.replace("\n", end))
    assert (case.patient, case.digitizer) == ("B-3024", "B/LUMISYS")
    assert (case.age, case.density) == ("42", "4")
    assert case.views == {"LEFT_CC": View(4696, 3024, 50.0, True), "RIGHT_MLO": View(4664, 3120, 43.5, False)}


@pytest.mark.parametrize(("old", "new", "told"), [
    ("PATIENT_AGE 42\n", "", ("", "4")), ("PATIENT_AGE 42", "PATIENT_AGE", ("", "4")),
    ("PATIENT_AGE 42", "PATIENT_AGE 0", ("", "4")), ("DENSITY 4", "DENSITY 0", ("42", "")),
    ("DENSITY 4", "DENSITY 3 4", ("42", ""))])
def test_facts_that_are_absent_or_not_understood_make_nothing_unusable(ics, old, new, told):
    case = ics(ICS.replace(old, new))
    assert (case.age, case.density) == told and len(case.views) == 2


@pytest.mark.parametrize(("old", "new", "message"), [
    ("filename B-3024-1", "filename B-3025-1", r"line 4: says 'filename B-3025-1', expected 'filename B-3024-1'"),
    ("LUMISYS LASER", "HOWTEK 43.5", r"line 11: no optical density is known .*'DIGITIZER HOWTEK 43\.5' at inst.* B"),
    ("LUMISYS LASER", "", r"line 11: no optical density is known"),
    ("DIGITIZER LUMISYS LASER\n", "", r"lists no digitizer"),
    ("LINES 4696", "LINES many", r"line 13: cannot understand 'LEFT_CC LINES many.*expected for example"),
    ("LINES 4696", "LINES 0", r"line 13: 'LEFT_CC LINES 0 .* is not the size of an image"),
    ("LINES 4696", "LINES 70000", r"line 13: 'LEFT_CC LINES 70000 .* is not the size"),
    ("50 OVERLAY", "50 MAYBE", r"line 13: cannot understand"),
    ("LEFT_CC", "LEFT_XX", r"line 13: cannot understand"),
    ("RIGHT_MLO", "LEFT_CC", r"line 14: LEFT_CC is listed twice"),
    (ICS[ICS.index("LEFT_CC"):], "", r"lists no views"),
    (ICS, "", r"lists no digitizer"),
])
def test_malformed_ics(ics, old, new, message):
    with pytest.raises(Failure, match=r"B-3024-1\.ics(: |, )" + message):
        ics(ICS.replace(old, new))


def test_an_ics_file_of_another_name(ics):
    with pytest.raises(Failure, match=r"calendar\.ics: expected a name like A-0002-1\.ics"):
        ics(ICS, "calendar.ics")


def test_overlay(overlay):
    lesions = overlay(OVERLAY)
    assert [lesion.pathology for lesion in lesions] == ["MALIGNANT", "BENIGN_WITHOUT_CALLBACK"]
    expected = np.zeros(SIZE, dtype=bool)
    expected[1:5, 2:7] = True  # rows and columns of the box; its core is inside
    expected[5:8, 14], expected[6, 13:16] = True, True  # a diamond around (6, 14)
    np.testing.assert_array_equal(lesions_mask(lesions, SIZE), expected)


@pytest.mark.parametrize(("old", "new", "message"), [
    (OVERLAY, "", r"line 1: expected TOTAL_ABNORMALITIES and a number of at least 1, found '\(end of the file\)'"),
    ("ABNORMALITIES 2", "ABNORMALITIES 0", r"line 1: expected TOTAL_ABNORMALITIES and a number of at least 1"),
    ("ABNORMALITIES 2", "ABNORMALITIES \xb2", r"line 1: expected TOTAL_ABNORMALITIES and a number of at least 1"),
    ("ABNORMALITIES 2", "ABNORMALITIES 3", r"line 20: expected 'ABNORMALITY 3', found '\(end of the file\)'"),
    ("ABNORMALITIES 2", "ABNORMALITIES 1", r"line 13: 1 abnormalities were announced and 'ABNORMALITY 2' comes after"),
    ("MALIGNANT", "MALIGN", r"line 7: expected PATHOLOGY and one of MALIGNANT, .*found 'PATHOLOGY MALIGN'"),
    ("PATHOLOGY MALIGNANT\n", "", r"line 7: expected PATHOLOGY .*found 'TOTAL_OUTLINES 2'"),
    ("OUTLINES 2", "OUTLINES 1", r"line 11: expected 'ABNORMALITY 2', found 'CORE'"),
    ("OUTLINES 2", "OUTLINES 3", r"line 13: expected CORE, found 'ABNORMALITY 2'"),
    ("0 0 0 #\n\t", "0 0 0\n\t", r"line 10: expected a chain code.*ends ' 6 6 0 0 0'"),
    ("2 1  2 2", "2 1  2 8", r"line 10: '8' is not a direction"),
    ("2 1  2 2", "2 1  2 23", r"line 10: '23' is not a direction"),
    ("2 1  2 2", "2 -1  2 2", r"line 10: expected a chain code"),
    ("14 5  3 5 7 1 #", "14 5 #", r"line 20: expected a chain code"),
    ("14 5  3 5 7 1 #", "19 5  3 5 7 1 #",
     r"line 20: the outline leaves the image of 20 x 12 pixels \(width x height\): column 20, row 6 after 1 steps"),
    ("14 5  3 5 7 1 #", "14 12  3 5 7 1 #", r"line 20: the outline leaves the image .*column 14, row 12 after 0 steps"),
    ("14 5  3 5 7 1 #", "14 0  1 5 #", r"line 20: the outline leaves the image .*column 15, row -1 after 1 steps"),
    ("14 5  3 5 7 1 #", "14 5  3 5 4 #", r"line 20: the outline does not close: its ends are 3 pixels apart"),
])
def test_malformed_overlay(overlay, old, new, message):
    assert old in OVERLAY
    with pytest.raises(Failure, match=r"B_3024_1\.LEFT_CC\.OVERLAY, " + message):
        overlay(OVERLAY.replace(old, new))


def test_absent_overlay(tmp_path):
    with pytest.raises(Failure, match=r"none\.OVERLAY: cannot be read \(No such file"):
        read_overlay(tmp_path / "none.OVERLAY", SIZE)


def test_a_concave_outline_and_one_whose_ends_are_neighbours():
    mask = np.zeros((6, 7), dtype=bool)
    around_u = [4, 4, 4, 4, 2, 2, 2, 2, 0, 0, 0, 0, 6, 4, 4, 5, 7, 0, 0]  # its last step would be 6
    outline = Outline(1, 1, np.array(around_u, dtype=np.uint8), "here")
    assert outline.fault(mask.shape) is None
    outline.fill(mask)
    expected = np.array([[0, 0, 0, 0, 0, 0, 0], [0, 1, 1, 0, 1, 1, 0], [0, 1, 1, 0, 1, 1, 0], [0, 1, 1, 0, 1, 1, 0],
                         [0, 1, 1, 1, 1, 1, 0], [0, 1, 1, 1, 1, 1, 0]], dtype=bool)
    np.testing.assert_array_equal(mask, expected)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(20, 60), st.integers(20, 60), st.integers(4, 18), st.integers(4, 18), st.integers(3, 12))
def test_convex_outlines_enclose_what_another_algorithm_says(row, column, high, wide, corners):
    angles = 2 * np.pi * np.arange(corners + 1) / corners
    points = np.rint([row + high * np.sin(angles), column + wide * np.cos(angles)]).astype(int).T
    path = np.concatenate([np.transpose(line(*start, *stop))[:-1] for start, stop in pairwise(points)])
    path = np.vstack([path, path[:1]])
    directions = [int(np.flatnonzero((step == STEPS).all(axis=1))[0]) for step in np.diff(path, axis=0) if step.any()]
    outline = Outline(*path[0].tolist(), np.array(directions, dtype=np.uint8), "here")
    mask, expected = np.zeros((80, 80), dtype=bool), np.zeros((80, 80), dtype=bool)
    assert outline.fault(mask.shape) is None
    outline.fill(mask)
    expected[polygon(*path.T)] = True
    expected[tuple(path.T)] = True
    np.testing.assert_array_equal(mask, expected)


def malformed(text):
    """The text with a piece exchanged for other characters, lines exchanged, or both."""
    pieces = st.tuples(st.integers(0, len(text)), st.integers(0, 12),
                       st.text("0123456789 #\n\t-ABLMNO_T\x00\xff.", max_size=8))
    swaps = st.tuples(st.integers(0, text.count("\n")), st.integers(0, text.count("\n")))

    def change(changes):
        pieces, swaps = changes
        changed = text
        for at, removed, new in pieces:
            changed = changed[:at] + new + changed[at + removed:]
        lines = changed.split("\n")
        for first, second in swaps:
            if max(first, second) < len(lines):
                lines[first], lines[second] = lines[second], lines[first]
        return "\n".join(lines)

    return st.tuples(st.lists(pieces, max_size=3), st.lists(swaps, max_size=2)).map(change)


def test_malformed_overlays_are_read_rightly_or_refused_with_file_and_line(tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / "B_3024_1.LEFT_CC.OVERLAY"

    @settings(max_examples=500, deadline=None, derandomize=True)
    @given(malformed(OVERLAY))
    def check(text):
        path.write_text(text, encoding="latin-1", newline="")
        try:
            lesions = read_overlay(path, SIZE)
        except Failure as error:
            assert re.match(rf"{re.escape(str(path))}, line \d+: ", str(error))
            assert int(re.search(r", line (\d+)", str(error))[1]) <= max(1, len(re.split(r"\r\n|\r|\n", text)))
            return
        mask = lesions_mask(lesions, SIZE)
        assert mask.shape == SIZE and mask.any()
        chains = re.findall(r"BOUNDARY\s+(\d+)\s+(\d+)((?:\s+[0-7])+)\s+#", text)
        assert len(chains) == len(lesions) == int(text.split()[1])
        for column, row, directions in chains:  # every pixel on every outline, step by step
            y, x = int(row), int(column)
            for direction in directions.split():
                assert mask[y, x] and min(y, x) >= 0
                y, x = y + STEPS[int(direction)][0], x + STEPS[int(direction)][1]

    check()


def test_malformed_ics_files_are_read_rightly_or_refused_with_the_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / "B-3024-1.ics"

    @settings(max_examples=500, deadline=None, derandomize=True)
    @given(malformed(ICS))
    def check(text):
        path.write_text(text, encoding="latin-1", newline="")
        try:
            case = read_ics(path)
        except Failure as error:
            assert re.match(rf"{re.escape(str(path))}(, line \d+: |: lists no )", str(error))
            return
        assert case.digitizer == "B/LUMISYS" and case.views
        for name, view in case.views.items():
            listed = re.search(rf"{name}\s+LINES\s+(\d+)\s+PIXELS_PER_LINE\s+(\d+)", text)
            assert (view.lines, view.pixels_per_line) == (int(listed[1]), int(listed[2]))

    check()


def test_real_texts(real):
    case = read_ics(real / "case4000" / "D-4000-1.ics")
    assert (case.patient, case.digitizer) == ("D-4000", "D/HOWTEK")
    assert [view.overlay for view in case.views.values()] == [True, True, False, False]
    for name in ("LEFT_CC", "LEFT_MLO"):
        view = case.views[name]
        size = (view.lines, view.pixels_per_line)
        lesion, = read_overlay(real / "case4000" / f"D_4000_1.{name}.OVERLAY", size)
        pixels = lesion.boundary.pixels()
        assert lesion.pathology == "BENIGN" and (pixels[0] == pixels[-1]).all()
        rows, columns = pixels.T
        area = abs(np.sum(rows[:-1] * columns[1:] - rows[1:] * columns[:-1])) / 2
        # Pick's theorem: lattice points on and inside a simple outline
        assert lesions_mask([lesion], size).sum() == area + len(lesion.boundary.directions) / 2 + 1


def test_a_real_view_has_the_size_of_its_ics_file(real):
    image = pytest.importorskip("PIL.Image").open(real / "case4606" / "D_4606_1.LEFT_CC.LJPEG.tiff")
    view = read_ics(real / "case4606" / "D-4606-1.ics").views["LEFT_CC"]
    assert image.size == (view.pixels_per_line, view.lines)
