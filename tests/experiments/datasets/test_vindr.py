"""The VinDr-Mammo reader, on small folders in the set's layout: three tables and images/<study_id>/<image_id>.dicom."""
import csv
import json
import pickle

import numpy as np
import pytest

from experiments import end2end
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.datasets import Choices, open_dataset, reader_of, vindr
from experiments.datasets.vindr import BREASTS, FINDINGS, NO_IMAGE, NORMAL_WITH_BOX
from experiments.datasets.vindr.tables import METADATA
from experiments.inputs.selection import chosen_dataset
from experiments.system.errors import Failure

pydicom = pytest.importorskip("pydicom")

H, W = 40, 30
SHARED = ("study_id", "series_id", "image_id", "laterality", "view_position", "height", "width", "breast_birads",
          "breast_density")
BREAST_COLUMNS = (*SHARED, "split")
FINDING_COLUMNS = (*SHARED, "finding_categories", "finding_birads", "xmin", "ymin", "xmax", "ymax", "split")


def write_dicom(path, pixels, photometric="MONOCHROME2"):
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPInstanceUID = pydicom.uid.ExplicitVRLittleEndian, "1.2.3"
    meta.MediaStorageSOPClassUID = pydicom.uid.DigitalMammographyXRayImageStorageForPresentation
    file = pydicom.dataset.FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    file.Rows, file.Columns = pixels.shape
    file.SamplesPerPixel, file.PhotometricInterpretation, file.PixelRepresentation = 1, photometric, 0
    file.BitsAllocated, file.BitsStored, file.HighBit = 16, 12, 11
    file.PixelData = pixels.astype(np.uint16).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save_as(path)


def levels(seed, shape=(H, W)):
    return np.random.default_rng(seed).integers(0, 4096, shape)


class Folder:
    """The set in its layout. rows: of the table of breasts; findings: of the other; both as dictionaries."""

    def __init__(self, folder):
        folder.mkdir(exist_ok=True)
        self.folder, self.rows, self.findings = folder, [], []

    def image(self, study, name, birads=1, *, side="L", view="CC", density="DENSITY C", part="training", file=True,
              boxes=(), **of_file):
        row = dict(zip(BREAST_COLUMNS, (study, "series", name, side, view, H, W, f"BI-RADS {birads}", density, part),
                       strict=True))
        self.rows.append(row)
        for categories, corners in boxes or [(["No Finding"], ("",) * 4)]:
            self.findings.append({**row, "finding_categories": repr(categories), "finding_birads": "",
                                  **dict(zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True))})
        if file:
            write_dicom(self.folder / "images" / study / f"{name}.dicom", levels(len(self.rows)), **of_file)
        return self

    def write(self):
        for name, columns, rows in ((BREASTS, BREAST_COLUMNS, self.rows), (FINDINGS, FINDING_COLUMNS, self.findings)):
            with open(self.folder / name, "w", newline="") as file:
                table = csv.DictWriter(file, columns)
                table.writeheader()
                table.writerows(rows)
        return self.folder


@pytest.fixture
def made(tmp_path):
    return Folder(tmp_path / "set")


def rectangle(top, bottom, left, right):
    mask = np.zeros((H, W), dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def test_rows_become_mammograms(made):
    made.image("s1", "a", 1).image("s1", "b", 4, side="R", view="MLO", part="training", boxes=[
        (["Mass"], (3.2, 5.9, 10.1, 12.0)), (["Skin Retraction", "Mass"], (20, 30, 22, 33))])
    made.image("s2", "c", 2, density="DENSITY A", part="test")
    data = open_dataset(made.write(), seed=0)
    assert reader_of(made.folder) is vindr and data.name == "VinDr-Mammo" and data.excluded == {}
    assert [(one.name, one.patient, one.label, one.breast, one.part) for one in data.mammograms] == [
        ("a", "s1", "normal", "left", "training"), ("b", "s1", "cancer", "right", "training"),
        ("c", "s2", "benign", "left", "test")]
    assert [dict(one.facts) for one in data.mammograms] == [
        {"view": "CC", "density": "3"}, {"view": "MLO", "density": "3", "finding": "Mass, Skin Retraction"},
        {"view": "CC", "density": "1"}]
    image, mask = pickle.loads(pickle.dumps(data.mammograms[1])).load()
    np.testing.assert_array_equal(image, levels(2))
    np.testing.assert_array_equal(mask, rectangle(5, 12, 3, 11) | rectangle(30, 33, 20, 22))
    assert data.mammograms[0].mask() is None and data.mammograms[2].mask() is None
    assert any("BI-RADS assessments, not pathology" in note for note in data.notes)
    assert any("names no patients" in note for note in data.notes)
    assert any("1 of the 2 images of the classes benign and cancer have none" in note for note in data.notes)


def test_boxes_that_reach_beyond_the_image_are_cut_at_its_edge(made):
    made.image("s", "a", 5, boxes=[(["Mass"], (-6.25, -1, 4.5, 3)), (["Mass"], (25, 35, W + 7.5, H + 2))])
    mask = open_dataset(made.write(), 0).mammograms[0].mask()
    np.testing.assert_array_equal(mask, rectangle(0, 3, 0, 5) | rectangle(35, H, 25, W))


def test_dark_on_bright_films_are_turned_over(made):
    made.image("s", "a").image("s", "b", photometric="MONOCHROME1")
    one, other = open_dataset(made.write(), 0).mammograms
    np.testing.assert_array_equal(one.image(), levels(1))
    np.testing.assert_array_equal(other.image(), 4095 - levels(2))


def test_what_the_headers_say(made):
    made.image("s", "a").image("s", "b").image("s", "c").write()
    with open(made.folder / METADATA, "w", newline="") as file:
        csv.writer(file).writerows([
            ("", "SOP Instance UID", "Patient's Age", "Manufacturer", "Manufacturer's Model Name"),
            (0, "a", "053Y", "SIEMENS", "Mammomat Inspiration"), (1, "b", "", "", ""),
            (2, "elsewhere", "041Y", "X", "Y")])
    facts = [dict(one.facts) for one in open_dataset(made.folder, 0).mammograms]
    assert facts[0] == {"view": "CC", "density": "3", "age": "53", "scanner": "Mammomat Inspiration"}
    assert facts[1] == facts[2] == {"view": "CC", "density": "3"}
    (made.folder / METADATA).write_text("Patient's Age\n053Y\n")
    with pytest.raises(Failure, match=r"metadata\.csv: lacks the column\(s\) sop instance uid"):
        open_dataset(made.folder, 0)


def test_assessments_become_classes_by_the_choice(made):
    box = [(["Mass"], (3, 5, 10, 12))]
    for name, birads in zip("abcde", (1, 2, 3, 4, 5), strict=True):
        made.image("s", name, birads, boxes=box if birads == 2 else ())
    folder = str(made.write())
    data = chosen_dataset(ClassifierConfiguration(data=folder, birads="normal=1,2 benign=4 cancer=5"))
    assert [(one.name, one.label) for one in data.mammograms] == [("a", "normal"), ("d", "benign"), ("e", "cancer")]
    assert data.excluded == {NORMAL_WITH_BOX: 1, "BI-RADS 3, of no class by --birads": 1}
    assert "benign 4" in data.notes[0]
    assert [one.label for one in open_dataset(made.folder, 0).mammograms] == [
        "normal", "benign", "benign", "cancer", "cancer"]


def test_a_part_of_the_images_is_enough_and_none_is_not(made):
    made.image("s", "a").image("s", "b", 4, file=False, boxes=[(["Mass"], (1, 1, 2, 2))]).image("t", "c", file=False)
    data = open_dataset(made.write(), 0)
    assert [one.name for one in data.mammograms] == ["a"] and data.excluded == {NO_IMAGE: 2}
    (made.folder / "images" / "s" / "a.dicom").unlink()
    with pytest.raises(Failure, match=r"none of the 3 mammograms .* 3 listed .* image not in the folder.*"
                                      r"images/s/a\.dicom"):
        open_dataset(made.folder, 0)


def test_an_image_of_another_size_than_its_box(made):
    made.image("s", "a", 4, boxes=[(["Mass"], (1, 1, 2, 2))]).image("s", "b").write()
    for name in "ab":
        write_dicom(made.folder / "images" / "s" / f"{name}.dicom", levels(0, (H // 2, W // 2)))
    marked, plain = open_dataset(made.folder, 0).mammograms
    with pytest.raises(Failure, match=r"finding_annotations\.csv, line 2: its box is in pixels of an image of 30 x 40 "
                                      r".*a\.dicom has 15 x 20"):
        marked.load()
    assert plain.image().shape == (H // 2, W // 2)


def test_the_fingerprint_follows_the_image_and_its_boxes(made):
    def fingerprints():
        return [one.fingerprint for one in open_dataset(made.folder, 0).mammograms]

    made.image("s", "a", 4, boxes=[(["Mass"], (1, 1, 2, 2))]).image("s", "b").write()
    before = fingerprints()
    made.findings[0]["xmax"] = 3
    made.write()
    moved = fingerprints()
    assert moved[0] != before[0] and moved[1] == before[1]
    write_dicom(made.folder / "images" / "s" / "b.dicom", levels(9))
    assert fingerprints()[0] == moved[0] and fingerprints()[1] != moved[1]


@pytest.mark.parametrize(("table", "column", "value", "message"), [
    (BREASTS, "laterality", "LEFT", "unknown laterality 'LEFT'"), (BREASTS, "breast_birads", "7", "breast_birads '7'"),
    (BREASTS, "breast_birads", "", "unknown breast_birads ''"), (BREASTS, "split", "val", "unknown split 'val'"),
    (BREASTS, "breast_density", "C", "unknown breast_density 'C'"), (BREASTS, "height", "40.5", r"height '40\.5'"),
    (BREASTS, "width", "0", "width '0' is no whole number"), (BREASTS, "study_id", "..", r"study_id '\.\.' cannot be"),
    (BREASTS, "image_id", "a/b", "image_id 'a/b' cannot be the name"), (BREASTS, "image_id", "", "image_id '' cannot"),
    (FINDINGS, "image_id", "z", "does not list the image 'z'"),
    (FINDINGS, "split", "test", r"says of the image another split than .*breast-level_annotations\.csv, line 2"),
    (FINDINGS, "breast_birads", "BI-RADS 2", "another breast_birads than"),
    (FINDINGS, "xmax", "", "is no box"), (FINDINGS, "xmax", "1", "is no box"),
    (FINDINGS, "ymin", "nan", "is no box"), (FINDINGS, "ymin", "x", "is no box"), (FINDINGS, "xmin", "30", "is no box"),
    (FINDINGS, "xmax", "inf", "is no box"), (FINDINGS, "finding_categories", "Mass", "cannot understand the finding"),
    (FINDINGS, "finding_categories", "[]", "cannot understand"), (FINDINGS, "finding_categories", "[1]", "cannot"),
    (FINDINGS, "finding_categories", "['No Finding']", "'No Finding' with a box; expected a box for every finding")])
def test_rows_that_cannot_be_understood(made, table, column, value, message):
    made.image("s", "a", 4, boxes=[(["Mass"], (2, 3, 9, 5))])
    (made.rows if table == BREASTS else made.findings)[0][column] = value
    with pytest.raises(Failure, match=rf"{table}, line 2: .*({message})"):
        open_dataset(made.write(), 0)


def test_a_finding_without_a_box(made):
    made.image("s", "a", 4, boxes=[(["Mass"], ("",) * 4)])
    with pytest.raises(Failure, match=r"finding_annotations\.csv, line 2: 'Mass' without a box"):
        open_dataset(made.write(), 0)


def test_wrong_tables(made):
    made.image("s", "a").image("s", "a")
    with pytest.raises(Failure, match=r"annotations\.csv, line 3: the image a is listed already in line 2"):
        open_dataset(made.write(), 0)
    (made.folder / BREASTS).write_text(",".join(BREAST_COLUMNS) + "\n")
    with pytest.raises(Failure, match=r"breast-level_annotations\.csv: lists no images"):
        open_dataset(made.folder, 0)
    for name in (BREASTS, FINDINGS):
        made.write()
        (made.folder / name).write_text("study_id,image_id\n")
        with pytest.raises(Failure, match=rf"{name}: lacks the column\(s\) laterality|listed already"):
            open_dataset(made.folder, 0)


def test_a_damaged_image_is_named(made):
    made.image("s", "a").write()
    path = made.folder / "images" / "s" / "a.dicom"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(Failure, match=r"a\.dicom: cannot be read as DICOM"):
        open_dataset(made.folder, 0).mammograms[0].load()


def test_the_limit_on_pixels_reaches_it(made):
    made.image("s", "a")
    with pytest.raises(Failure, match="more than 10"):
        open_dataset(made.write(), 0, Choices(10)).mammograms[0].load()


def test_it_is_not_mistaken(made, tmp_path):
    """One of the two tables alone is somebody's CSV file."""
    made.image("s", "a").write()
    (made.folder / FINDINGS).unlink()
    assert not vindr.recognise(made.folder) and not vindr.recognise(tmp_path)


def collection(made, swapped=()):
    """Six examinations of each class, every third of which tests; `swapped` are in the other part."""
    for number in range(18):
        part = "test" if (number % 9 >= 6) != (number in swapped) else "training"
        birads = (1, 2, 4)[number % 3]
        for view in ("CC", "MLO"):
            made.image(f"s{number:02d}", f"{number:02d}{view}", birads, view=view, part=part,
                       boxes=[(["Mass"], (5, 5, 20, 25))] if birads == 4 else ())
    return made.write()


def test_a_run_keeps_the_sets_own_split(made, tmp_path, command, tiny_flags):
    output = tmp_path / "run"
    code, printed, errors = command(end2end.main, *tiny_flags(collection(made), output), "--steps", 2, "--seed", 3)
    assert code == 0, errors
    data = json.loads((output / "config.json").read_text())["data"]
    assert data["split"] == "its own" and "split: its own" in printed
    assert (data["train"], data["test"]) == ({"cancer": 8, "normal": 8, "benign": 8},
                                             {"cancer": 4, "normal": 4, "benign": 4})
    with open(output / "predictions.csv") as file:
        tested = {row["patient"] for row in csv.DictReader(file) if row["split"] == "test"}
    assert tested == {"s06", "s07", "s08", "s15", "s16", "s17"}
    assert "The split into training and test set: its own." in (output / "report.html").read_text()
    assert "those that the data set itself tells" in (output / "tables.md").read_text()
    assert any("BI-RADS assessments, not pathology" in note for note in data["notes"])

    for rows in (made.rows, made.findings):  # another split of the same images is other data
        for row in rows:
            row["split"] = {"s00": "test", "s06": "training"}.get(row["study_id"], row["split"])
    code, _, errors = command(end2end.main, *tiny_flags(made.write(), output), "--resume", "--steps", 4)
    assert code == 1 and "another fingerprint" in errors


def test_a_study_in_both_parts_is_refused_before_anything_is_prepared(made, tmp_path, command, tiny_flags):
    folder = collection(made)
    for row in (*made.rows, *made.findings):
        if row["image_id"] == "00CC":
            row["split"] = "test"
    made.write()
    code, _, errors = command(end2end.main, *tiny_flags(folder, tmp_path / "run"))
    assert code == 1 and "1 of its patients in both parts, training and test, the first is s00" in errors
    assert not (tmp_path / "cache").exists()
