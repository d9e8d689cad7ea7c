"""The curve of lesions found over false marks, against its definition."""
import numpy as np
import pytest

from experiments.evaluation.by_size import overlap_by_size
from experiments.evaluation.froc import IOU, POINTS, RATES, ImageMarks, froc, image_marks
from experiments.evaluation.intervals.rate import rate


def parts(mask):
    """The connected parts of a (h, w) bool, corners touching, as sets of pixels: by flooding, without a library."""
    left, found = set(zip(*map(list, np.nonzero(mask)), strict=True)), []
    while left:
        reached, part = [left.pop()], set()
        while reached:
            y, x = reached.pop()
            part.add((y, x))
            around = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= around
            reached += around
        found.append(part)
    return found


def defined(output, annotated, threshold):
    """`image_marks` as its module's text has it: the scores, sorted."""
    marks, lesions = parts(output > threshold), parts(annotated)
    scores = [float(np.mean([output[pixel] for pixel in mark])) for mark in marks]
    hits = [[len(mark & lesion) >= IOU * len(mark | lesion) for lesion in lesions] for mark in marks]
    best = [max((score for score, of in zip(scores, hits, strict=True) if of[place]), default=-np.inf)
            for place in range(len(lesions))]
    return sorted(best), sorted(score for score, of in zip(scores, hits, strict=True) if not any(of))


@pytest.mark.parametrize("seed", range(20))
def test_marks_are_what_the_definition_says(seed):
    generator = np.random.default_rng(seed)
    coarse = generator.random((2, 6, 5)) ** (1 + seed % 3)
    output, level = coarse.repeat(3, axis=1).repeat(3, axis=2)
    output = np.clip(output + generator.normal(0, 0.1, output.shape), 0, 1)
    annotated = (level + output) / 2 > 0.6
    found, (best, wrong) = image_marks(output, annotated, 0.5), defined(output, annotated, 0.5)
    np.testing.assert_allclose(np.sort(found.lesions), best, rtol=1e-12)
    np.testing.assert_allclose(np.sort(found.wrong), wrong, rtol=1e-12)


def square(*corners, size=3, shape=(12, 12)):
    mask = np.zeros(shape, bool)
    for y, x in corners:
        mask[y:y + size, x:x + size] = True
    return mask


def test_a_mask_of_everything_hits_nothing_and_is_one_false_mark():
    found = image_marks(np.ones((12, 12)), square((0, 0), (8, 8)), 0.5)
    assert found.lesions.tolist() == [-np.inf, -np.inf] and found.wrong.tolist() == [1.0]


def test_an_exact_mask_hits_each_lesion_and_a_normal_image_has_but_false_marks():
    lesions = square((0, 0), (8, 8))
    found = image_marks(lesions * 0.75, lesions, 0.5)
    assert found.lesions.tolist() == [0.75, 0.75] and not len(found.wrong)
    found = image_marks(lesions * 0.75, np.zeros((12, 12), bool), 0.5)
    assert not len(found.lesions) and found.wrong.tolist() == [0.75, 0.75]
    nothing = image_marks(np.zeros((12, 12)), lesions, 0.5)
    assert nothing.lesions.tolist() == [-np.inf] * 2 and not len(nothing.wrong)


def test_corners_touch():
    diagonal = np.eye(12, dtype=bool)
    assert len(image_marks(diagonal * 1.0, diagonal, 0.5).lesions) == 1


def marks(lesions, wrong):
    return ImageMarks(np.array(lesions, float), np.array(wrong, float))


def test_the_curve_by_hand():
    """Two images of one patient, one normal one of another."""
    found = froc([marks([0.9, -np.inf], [0.8]), marks([0.7], []), marks([], [0.95, 0.6])], np.array(["a", "a", "b"]))
    assert (found.images, found.lesions, found.patients) == (3, 3, 2)
    third = 1 / 3
    np.testing.assert_allclose(found.curve, [(0, 0), (third, 0), (third, third), (2 / 3, third), (2 / 3, 2 / 3),
                                             (1, 2 / 3)])
    assert found.all_marks.sensitivity == pytest.approx(2 / 3) and found.all_marks.false_positives == 1
    told = {name: (point.sensitivity, point.false_positives) for name, point in found.at.items()}
    assert told["0.25"] == (0, 0), "one false mark in three images is more than a quarter"
    assert told["0.5"] == pytest.approx((third, third)) and told["1"] == told["2"] == pytest.approx((2 / 3, 1))
    assert list(told) == [f"{each:g}" for each in RATES]


def test_equal_scores_come_together():
    found = froc([marks([0.9], [0.5, 0.5]), marks([0.5], [])], np.array(["a", "b"]))
    assert found.curve == [(0, 0), (0, 0.5), (1, 1)]
    assert found.at["0.5"].sensitivity == 0.5 and found.at["0.5"].false_positives == 0, "both false marks or none"


def test_without_lesions_or_marks():
    nothing = froc([marks([], [0.9]), marks([], [])], np.array(["a", "b"]))
    assert nothing.curve == [] and nothing.all_marks.sensitivity is None and nothing.all_marks.false_positives == 0.5
    silent = froc([marks([-np.inf], []), marks([-np.inf], [])], np.array(["a", "b"]))
    assert silent.curve == [(0, 0)] and silent.all_marks.sensitivity == 0
    low, high = silent.all_marks.false_positives_ci
    assert low == 0 and 1 < high < 3, "none in two images of two women does not show that there are none"


def test_a_long_curve_keeps_both_ends():
    generator = np.random.default_rng(0)
    found = froc([marks(generator.random(2), generator.random(3)) for _ in range(200)], np.arange(200).astype(str))
    assert len(found.curve) == POINTS and found.curve[0] == (0, 0) and found.curve[-1] == (3, 1)
    assert all(one <= other for before, after in zip(found.curve, found.curve[1:], strict=False)
               for one, other in zip(before, after, strict=True))


def test_intervals_count_patients():
    generator = np.random.default_rng(1)
    found = [marks(np.where(generator.random(1) < 0.7, 0.9, -np.inf), [0.8] * generator.poisson(1)) for _ in range(20)]
    alone = froc(found, np.arange(20).astype(str))
    repeated = froc([each for each in found for _ in range(4)], np.arange(20).repeat(4).astype(str))
    assert repeated.all_marks.sensitivity_ci == pytest.approx(alone.all_marks.sensitivity_ci)
    assert repeated.all_marks.false_positives_ci == pytest.approx(alone.all_marks.false_positives_ci)


def test_a_rate_s_interval_holds_its_mean_and_is_exact_for_one_image_of_each():
    """Of Poisson counts whose variance is the mean: Garwood's interval, chi-squared quantiles (tables: 5 counts, 1.62
    to 11.67), widened by Student's distribution."""
    counts = np.array([0, 1, 0, 2, 0, 0, 1, 0, 1, 0])
    found = rate(counts, np.arange(10), 10)
    assert found.value == 0.5 and found.low < 0.162 + 0.01 and found.high > 1.167 - 0.01
    nothing = rate(np.zeros(10), np.arange(10), 10)
    assert nothing.interval == pytest.approx((0, 0.3689), abs=1e-4)
    assert rate(np.ones(3), np.zeros(3, int), 1).interval is None
    assert np.isnan(rate(np.ones(0), np.zeros(0, int), 2).value)


def test_overlap_by_size():
    found = overlap_by_size(np.array([True, True, False, True]), np.array(["a", "b", "c", "d"]),
                            {"P0": np.array([0, 2]), "P1": np.array([1]), "P2": np.array([], int)})
    assert (found["P0"].images, found["P0"].value) == (2, 0.5) and found["P0"].ci[0] < 0.5 < found["P0"].ci[1]
    assert (found["P1"].value, found["P1"].ci) == (1.0, None) and found["P2"].value is None
