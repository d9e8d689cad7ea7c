"""The JSON file of predict.py is whole at any moment and written in linear time; no picture's name is too long."""
import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from experiments.prediction import output as prediction_files
from experiments.prediction.output import GROWTH, ClassRow, Pictures, PredictionJson, Predictions, readable
from experiments.runs.provenance import Provenance

SOURCE = Provenance("set", False, {"cancer": 3}, 2, None, "quick", 5, None)


def predictions():
    return Predictions("c", SOURCE, ["a note"])


def row(number):
    return ClassRow(str(number), {"cancer": 0.5}, "cancer")


def test_the_file_is_whole_after_every_image_and_lacks_a_fiftieth_at_most(tmp_path):
    path = tmp_path / "p.json"
    output = PredictionJson(path, predictions())
    assert json.loads(path.read_text()) == {"checkpoint": "c", "trained_on": asdict(SOURCE), "notes": ["a note"],
                                            "images": [], "failed": []}
    for number in range(1, 301):
        if number % 7:
            output.add(row(number))
        else:
            output.fail(str(number), "no image")
        found = json.loads(path.read_text())
        rows = len(found["images"]) + len(found["failed"])
        assert rows >= number * (1 - 1 / GROWTH)
        assert rows == number or number > GROWTH
    output.write()
    found = json.loads(path.read_text())
    assert len(found["images"]) == 258 and found["failed"][0] == {"image": "7", "error": "no image"}


def test_each_row_is_written_a_bounded_number_of_times(monkeypatch):
    """Not once for every row that follows, which for 100,000 images would be five thousand million rows."""
    rows = []
    monkeypatch.setattr(prediction_files, "write_json", lambda path, content: rows.append(len(content.images)))
    output = PredictionJson(Path("p.json"), predictions())
    for number in range(20_000):
        output.add(row(number))
    assert sum(rows) / 20_000 < GROWTH + 3 and rows[:4] == [0, 1, 2, 3]


def test_without_a_file_nothing_is_written(monkeypatch):
    monkeypatch.setattr(prediction_files, "write_json", lambda *_: pytest.fail("there is no file"))
    PredictionJson(None, predictions()).add(row(1))


@pytest.mark.parametrize("name", ["l" * 255, "ü" * 127, os.fsdecode(b"\xff" * 255), "a" * 190 + ".png"])
def test_a_picture_s_name_is_shortened_to_what_systems_allow(name, tmp_path):
    pictures = Pictures(tmp_path / "out", "saliency", [tmp_path / name])
    pictures.write(tmp_path / name, b"picture")
    place = pictures.place(tmp_path / name)
    assert place.read_bytes() == b"picture" and place.name.endswith(".saliency.png")
    other = pictures.place(tmp_path / (name[:-1] + "x"))
    assert other != place and other.parent == place.parent


def test_a_name_of_the_usual_length_stays(tmp_path):
    assert Pictures(tmp_path, "mask", [Path("a/b.png")]).place(Path("a/b.png")) == tmp_path / "b.png.mask.png"


def test_readable_names():
    assert readable("ü $x.png") == "ü $x.png"
    assert readable(os.fsdecode(b"a\xff.png")) == "a\\xff.png"
