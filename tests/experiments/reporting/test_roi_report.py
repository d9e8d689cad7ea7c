from experiments.reporting.roi_report import headline, measures_table, ranges, reached

GROUPS = ("P0", "P1", "P2", "P3", "P4")


def evaluation(step, overlap_accuracy, precision):
    return {"step": step, "evaluation": {"test": {"overlap_accuracy": overlap_accuracy, "precision": precision}}}


def results(empty=()):
    """Every figure is 0.5; the groups in `empty` have no test image."""
    measures = ("loss", "accuracy", "precision", "recall", "overlap_accuracy")
    half, none = dict.fromkeys(measures, 0.5), dict.fromkeys(measures)
    return {"groups": {"bounds": [10, 20, 30, 40.5], "train": dict.fromkeys(GROUPS, 9),
                       "test": {group: 0 if group in empty else 3 for group in GROUPS},
                       "lesion_pixels": {group: None if group in empty else 0.125 for group in GROUPS}},
            "detectors": {f"{group}-{loss}": {
                "group": {"train": half, "test": none if group in empty else half},
                "complete": {"train": half, "test": half}, "reached": 100 if group == "P4" else None}
                for group in GROUPS for loss in ("dice", "ss")}}


def test_a_prediction_that_covers_everything_has_not_reached_it():
    lines = [evaluation(50, 1.0, 0.03), {"step": 60, "loss": 0.1}, evaluation(100, 0.9, 0.9), evaluation(150, 1.0, 0.5),
             evaluation(200, 1.0, 0.8)]
    assert reached(lines) == 150
    assert reached(lines[:3]) is None and reached([evaluation(50, None, None), evaluation(60, 1.0, None)]) is None


def test_ranges_are_whole_pixels_without_a_gap():
    assert ranges([10, 20.4, 30, 40.9]) == ["up to 10", "11 to 20", "21 to 30", "31 to 40", "from 41"]


def test_marking_every_pixel_stands_beside_each_detector():
    table = measures_table("dice", results())
    assert len(table.rows) == 5 * 5 and table.rows[0].label == "P0 (up to 10 px): own test images"
    assert table.rows[4].cells == ("", "0.1250", "0.1250", "1.0000", "1.0000") and table.rows[4].comparison


def test_the_headline_says_what_was_reached_and_what_is_missing():
    text = " ".join(headline(results(empty=("P1", "P3"))))
    assert "P0 0.50 (0.50), P1 n/a (n/a), P2" in text and "first measured for P4 at step 100." in text
    assert "There is no test image in P1 and P3: n/a." in text
    without = results()
    for detector in without["detectors"].values():
        detector["reached"] = None
    assert "No Dice detector reached an overlap accuracy of 1" in " ".join(headline(without))
