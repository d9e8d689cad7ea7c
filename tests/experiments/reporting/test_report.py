import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from experiments.evaluation import evaluate, thesis
from experiments.evaluation.predictions import ImagePredictions
from experiments.evaluation.results import ClassifierResults
from experiments.inputs.loading import DataRecord
from experiments.reporting import head
from experiments.reporting.figures import Samples, choose_samples, loss_figure, roc_figure, samples_figure
from experiments.reporting.head import duration, report_head
from experiments.reporting.report import write_results
from experiments.runs.log import Entry
from experiments.runs.record import RunRecord
from experiments.system.errors import Failure
from experiments.system.records import read_record

FILES = {"results.json", "tables.md", "report.html", "figures/roc.png", "figures/loss.png", "figures/samples.png",
         "figures/calibration.png"}
TITLE = "A run <&> its report"
DATA = DataRecord(
    "a set", is_ddsm=False, fingerprint="abc123", images=130, patients=65, excluded={"hybrid": 3},
    dropped={"annotation lost": 2}, notes=["A note on the data."], train={"cancer": 30, "normal": 30, "benign": 30},
    test={"cancer": 14, "normal": 13, "benign": 13}, train_patients=45, test_patients=20)
RECORD = RunRecord(
    "end2end", {"kind": "classifier", "batch_size": 50, "seed": 4, "normals": None}, DATA,
    command="python experiments/end2end.py --seed 4", device="cpu", started="2026-03-14T15:09:26",
    versions={"numpy": "2"})


def predictions(images, who, signal=0.4):
    generator = np.random.default_rng(images)
    labels = generator.integers(3, size=images)
    outputs = generator.random((images, 3), dtype=np.float32)
    outputs[np.arange(images), labels] += signal
    return of_images(outputs / (1 + np.float32(signal)), labels, np.array([f"{who}{i // 2}" for i in range(images)]))


def of_images(outputs, labels, patients):
    return ImagePredictions(np.array([f"{i}.png" for i in range(len(labels))]), patients, labels, outputs)


def arguments():
    test = predictions(40, "test")
    chosen = choose_samples(test.labels, 5, seed=0)
    images = np.random.default_rng(0).random((5, 16, 16), dtype=np.float32)
    return {
        "title": TITLE, "record": RECORD, "predictions": {"train": predictions(90, "train"), "test": test},
        "losses": {"end-to-end": [Entry(step, 1 / (step + 1)) for step in range(0, 600, 10)]},
        "samples": Samples(images, test.labels[chosen], test.probabilities[chosen]),
        "shown": thesis.Shown(thesis.END_TO_END, roc="4.1", loss="4.6")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("run")
    write_results(path, **arguments())
    return path


class Page(HTMLParser):
    """Collects what a page would load, and its visible text."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.tags, self.text, self.found = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.found.append((tag, dict(attributes)))
        self.loads += [value for name, value in attributes if name in ("src", "srcset", "href", "data", "poster")]

    def handle_data(self, data):
        self.text.append(data)


def test_the_folder_holds_the_files_of_a_run_and_nothing_else(folder):
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == FILES


def test_results_are_strict_json_and_read_back_what_was_written(folder, tmp_path):
    def refuse(token):
        raise AssertionError(token)

    json.loads((folder / "results.json").read_text(), parse_constant=refuse)
    results = read_record(ClassifierResults, folder / "results.json")
    assert results == write_results(tmp_path, **arguments())
    for split, images in (("train", 90), ("test", 40)):
        found = results.splits[split]
        assert found.images == images
        assert isinstance(found.accuracy["mean"], float)
        assert found.auroc_ci["mean"][0] < found.auroc["mean"]
    assert results.data == DATA and results.seed == 4 and results.confounders is None


def test_the_page_needs_nothing_beside_it(folder):
    text = (folder / "report.html").read_text()
    page = Page(text)
    loads = [value for value in page.loads if not value.startswith("#")]
    assert len(loads) == 4 and all(value.startswith("data:image/png;base64,") for value in loads)
    assert not {"script", "link", "iframe"} & set(page.tags)
    assert not re.search(r"url\(|@import|https?://", text)


def test_the_page_says_what_was_run_and_what_came_out(folder):
    text = " ".join(" ".join(Page((folder / "report.html").read_text()).text).split())
    for words in ("A run <&> its report", "python experiments/end2end.py --seed 4", "abc123", "hybrid", "batch size",
                  "annotation lost", "a set · seed 4 · begun 2026-03-14 15:09", "seed 4 batch size 50 normals not set",
                  "A note on the data.",
                  "The test set is small: 40 images of 20 patients",
                  "thesis, Table 4.2", "a set) are not the thesis's (DDSM)", "True cancer"):
        assert words in text
    assert text.count("not for diagnosis") == 1


def test_the_page_has_contents_with_anchors_and_scrolls_without_a_mouse(folder, check_page):
    text = (folder / "report.html").read_text()
    check_page(text)
    page = Page(text)
    assert {"#results", "#how-to-read-it", "#figures", "#roc-curves", "#data", "#what-was-run"} <= set(page.loads)
    pictures = [attributes for tag, attributes in page.found if tag == "img"]
    assert [each["class"] for each in pictures] == ["chart keep", "chart", "photograph keep", "chart"]
    for attributes, name in zip(pictures, ("roc", "loss", "samples", "calibration"), strict=True):
        width, height = Image.open(folder / "figures" / f"{name}.png").size
        assert (int(attributes["width"]), int(attributes["height"])) == (width // 2, height // 2)


def test_an_interval_may_stand_below_its_figure_but_is_one_piece(folder):
    text = (folder / "report.html").read_text()
    accuracy = re.search(r"Accuracy</th>(.*)</tr>", text)[1]
    assert len(re.findall(r'<td>0\.\d{4} <span class="interval">\[0\.\d{3}, [01]\.\d{3}\]</span></td>', accuracy)) == 4


@pytest.mark.parametrize(("found", "said"), [
    ((125, False), ["trained in 2 min 05 s"]), ((125, True), ["trained in more than 2 min 05 s"]), ((None, True), [])])
def test_what_is_not_known_of_a_training_is_not_said_and_a_part_that_was_not_timed_is(found, said, folder, monkeypatch):
    monkeypatch.setattr(head, "total_time", lambda folders: found if folders == [folder] else None)
    made = report_head(TITLE, RECORD, RECORD.configuration, DATA, [folder])
    assert list(made.about) == ["a set", "seed 4", "begun 2026-03-14 15:09", *said]
    assert dict(made.settings) == {"seed": 4, "batch_size": 50, "normals": None}
    assert "None" not in (folder / "report.html").read_text()


def test_the_same_run_writes_the_same_bytes(folder, tmp_path):
    write_results(tmp_path, **arguments())
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_a_failure_leaves_the_earlier_report(tmp_path, monkeypatch):
    (tmp_path / "figures").mkdir()
    before = dict.fromkeys(FILES, b"earlier")
    for name, data in before.items():
        (tmp_path / name).write_bytes(data)
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(Failure, match="disk is full"):
        write_results(tmp_path, **{**arguments(), "title": "Another"})
    assert {p.relative_to(tmp_path).as_posix(): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_a_patient_in_both_splits_is_refused(tmp_path):
    given = arguments()
    given["predictions"]["train"] = predictions(90, "test")
    with pytest.raises(ValueError, match="20 patients"):
        write_results(tmp_path, **given)
    assert not list(tmp_path.iterdir())


def test_a_test_set_without_one_class_and_without_losses_is_reported(tmp_path):
    given = arguments()
    test = given["predictions"]["test"]
    keep = test.labels < 2
    given["predictions"]["test"] = of_images(test.probabilities[keep], test.labels[keep], test.patients[keep])
    given["losses"] = {"end-to-end": []}
    results = write_results(tmp_path, **given)
    assert results.test.auroc["benign"] is None
    assert "undefined, since a class is absent" in (tmp_path / "report.html").read_text()


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def test_figures_are_png_of_a_legible_size():
    given = arguments()
    results = {split: evaluate(p.probabilities, p.labels, p.patients)
               for split, p in given["predictions"].items()}
    for data in (roc_figure(given["predictions"], results), loss_figure(given["losses"]),
                 samples_figure(given["samples"])):
        assert data.startswith(b"\x89PNG") and min(pixels(data).shape[:2]) >= 700


def test_right_and_wrong_samples_differ_without_colour():
    white = np.ones((1, 8, 8), np.float32)
    dashes = []
    for output in (np.array([[0.9, 0.1, 0.1]]), np.array([[0.1, 0.9, 0.1]])):
        inked = pixels(samples_figure(Samples(white, np.array([0]), output))).min(axis=2) < 128
        lower_edge = inked[np.flatnonzero(inked.any(axis=1))[-1] - 2]
        dashes.append(int(np.diff(lower_edge.astype(int), prepend=0).clip(0).sum()))
    assert dashes[0] == 1 and dashes[1] > 10


def test_samples_are_drawn_equally_from_the_classes_and_by_seed():
    labels = np.array([1] * 50 + [0] * 5 + [2] * 2)
    chosen = choose_samples(labels, 12, seed=3)
    assert np.bincount(labels[chosen]).tolist() == [5, 5, 2] and len(set(chosen.tolist())) == 12
    assert np.all(np.diff(labels[chosen]) >= 0)
    np.testing.assert_array_equal(chosen, choose_samples(labels, 12, seed=3))
    assert not np.array_equal(chosen, choose_samples(labels, 12, seed=4))
    assert len(choose_samples(labels[:3], 12, seed=0)) == 3 and len(choose_samples(labels[:0], 12, seed=0)) == 0


def test_durations_are_said_as_one_says_them():
    assert [duration(s) for s in (41.6, 245, 3599.7, 12_000)] == ["42 s", "4 min 05 s", "1 h 00 min", "3 h 20 min"]


def test_heat_maps_are_drawn_over_the_samples_and_explained(tmp_path):
    given = arguments()
    plain = given["samples"]
    heat_maps = np.zeros((5, 16, 16))
    heat_maps[:, 4:8, 4:8] = 5
    write_results(tmp_path, **given | {"samples": replace(plain, heat_maps=heat_maps)})
    assert "what the ROI detectors mark" in (tmp_path / "report.html").read_text()

    def coloured(samples):
        picture = pixels(samples_figure(samples)).astype(int)
        return np.count_nonzero((picture[..., 0] > 150) & (picture[..., 2] < 100) & (picture[..., 1] > 150))  # yellow

    bar_alone = coloured(replace(plain, heat_maps=np.zeros((5, 16, 16))))
    assert coloured(plain) == 0 < bar_alone < coloured(replace(plain, heat_maps=heat_maps))
