"""The reader of the RSNA 2022 set, on small folders in its layout: train.csv and train_images/<patient>/<image>.dcm."""
import csv
import json
import pickle
from functools import partial

import numpy as np
import pytest

from experiments import end2end, roi_detection
from experiments.datasets import Choices, open_dataset, reader_of, rsna
from experiments.datasets.rsna import NO_IMAGE, NO_LABEL, RECALLED
from experiments.inputs.selection import with_normals
from experiments.system.errors import Failure

pydicom = pytest.importorskip("pydicom")

H, W = 24, 20
COLUMNS = ("site_id", "patient_id", "image_id", "laterality", "view", "age", "cancer", "biopsy", "invasive", "BIRADS",
           "implant", "density", "machine_id", "difficult_negative_case")
TEST_COLUMNS = ("site_id", "patient_id", "image_id", "laterality", "view", "age", "implant", "machine_id",
                "prediction_id")
RLE = pydicom.uid.RLELossless


def write_dicom(path, pixels, photometric="MONOCHROME2", syntax=pydicom.uid.ExplicitVRLittleEndian):
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPInstanceUID = pydicom.uid.ExplicitVRLittleEndian, "1.2.3"
    meta.MediaStorageSOPClassUID = pydicom.uid.DigitalMammographyXRayImageStorageForPresentation
    file = pydicom.dataset.FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    file.Rows, file.Columns = pixels.shape
    file.SamplesPerPixel, file.PhotometricInterpretation, file.PixelRepresentation = 1, photometric, 0
    file.BitsAllocated, file.BitsStored, file.HighBit = 16, 12, 11
    file.SOPInstanceUID, file.PixelData = "1.2.3", pixels.astype(np.uint16).tobytes()
    if syntax != pydicom.uid.ExplicitVRLittleEndian:
        file.compress(syntax)
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save_as(path)


def levels(seed):
    return np.random.default_rng(seed).integers(0, 4096, (H, W))


class Folder:
    def __init__(self, folder):
        folder.mkdir(exist_ok=True)
        self.folder, self.rows = folder, []

    def image(self, patient, name, cancer=0, biopsy=0, *, site=2, side="L", view="CC", age="61.0", birads="", implant=0,
              density="", machine=29, difficult="False", file=True, **of_file):
        self.rows.append(dict(zip(COLUMNS, (site, patient, name, side, view, age, cancer, biopsy, cancer, birads,
                                            implant, density, machine, difficult), strict=True)))
        if file:
            write_dicom(self.folder / "train_images" / str(patient) / f"{name}.dcm", levels(len(self.rows)), **of_file)
        return self

    def write(self, name="train.csv", columns=COLUMNS, rows=None):
        with open(self.folder / name, "w", newline="") as file:
            table = csv.DictWriter(file, columns, extrasaction="ignore")
            table.writeheader()
            table.writerows(self.rows if rows is None else rows)
        return self.folder


@pytest.fixture
def made(tmp_path):
    return Folder(tmp_path / "set")


def test_rows_become_mammograms(made):
    made.image(10006, 462822612).image(10006, 1459541791, view="MLO", side="R", density="B", birads="1.0")
    made.image(7, 1, 1, 1, site=1, age="").image(8, 2, 0, 1, site=1, birads="0.0", difficult="True", machine="")
    data = open_dataset(made.write(), seed=0)
    assert reader_of(made.folder) is rsna and data.name == "RSNA 2022" and data.excluded == {} and not data.marked
    assert [(one.name, one.patient, one.label, one.source, one.breast, one.part) for one in data.mammograms] == [
        ("462822612", "10006", "normal", "site 2", "left", ""),
        ("1459541791", "10006", "normal", "site 2", "right", ""),
        ("1", "7", "cancer", "site 1", "left", ""), ("2", "8", "benign", "site 1", "left", "")]
    assert [dict(one.facts) for one in data.mammograms] == [
        {"view": "CC", "age": "61", "scanner": "29"}, {"view": "MLO", "density": "2", "age": "61", "scanner": "29"},
        {"view": "CC", "scanner": "29"}, {"view": "CC", "age": "61"}]
    image, mask = pickle.loads(pickle.dumps(data.mammograms[2])).load()
    np.testing.assert_array_equal(image, levels(3))
    assert mask is None and len(data.notes) == 1 and "Labels are of the breast" in data.notes[0]


def test_only_what_is_known_to_be_normal_is_called_normal(made):
    made.image(1, 1).image(2, 2, birads="1").image(3, 3, birads="2.0").image(4, 4, birads="0").image(
        5, 5, difficult="True").image(6, 6, birads="1", difficult="TRUE").image(7, 7, 1, 0, birads="0").image(
        8, 8, 0, 1, birads="0", difficult="1")
    data = open_dataset(made.write(), 0)
    assert [(one.patient, one.label) for one in data.mammograms] == [
        ("1", "normal"), ("2", "normal"), ("3", "normal"), ("7", "cancer"), ("8", "benign")]
    assert data.excluded == {RECALLED: 3} and "Recalled breasts without biopsy are left out" in data.notes[0]


def test_all_views_are_kept_and_counted_and_so_are_implants(made):
    for number, view in enumerate(("CC", "MLO", "AT", "LM", "ML", "LMO", "AT", "")):
        made.image(number, number, view=view, implant=int(number < 2))
    data = open_dataset(made.write(), 0)
    assert len(data.mammograms) == 8
    assert ("Of 8 images 1 (none), 2 AT, 1 LM, 1 LMO, 1 ML are of other views than CC and MLO; they are used."
            in data.notes)
    assert "2 of 8 images are of women or breasts with implants; they are used." in data.notes
    assert dict(data.mammograms[7].facts) == {"age": "61", "scanner": "29"}


def test_the_table_without_labels_is_counted(made):
    made.image(1, 1).write()
    made.write("test.csv", TEST_COLUMNS, [dict.fromkeys(TEST_COLUMNS, number) for number in range(3)])
    made.write("sample_submission.csv", ("prediction_id", "cancer"), [])
    data = open_dataset(made.folder, 0)
    assert data.excluded == {NO_LABEL: 3} and len(data.mammograms) == 1


def test_a_part_of_the_images_is_enough_and_none_is_not(made):
    made.image(1, 1).image(1, 2, file=False).image(2, 3, file=False)
    assert open_dataset(made.write(), 0).excluded == {NO_IMAGE: 2}
    (made.folder / "train_images" / "1" / "1.dcm").unlink()
    with pytest.raises(Failure, match=r"none of the 3 mammograms .* 3 listed .* image not in the folder.*"
                                      r"train_images/1/1\.dcm"):
        open_dataset(made.folder, 0)


def test_inverted_and_compressed_images(made):
    made.image(1, 1, photometric="MONOCHROME1").image(1, 2, syntax=RLE)
    one, other = open_dataset(made.write(), 0).mammograms
    np.testing.assert_array_equal(one.image(), 4095 - levels(1))
    np.testing.assert_array_equal(other.image(), levels(2))


def test_lossless_and_jpeg_2000(made):
    imagecodecs = pytest.importorskip("imagecodecs")
    for name, syntax, encode in (
            (1, pydicom.uid.JPEG2000Lossless, partial(imagecodecs.jpeg2k_encode, level=0, codecformat="j2k")),
            (2, pydicom.uid.JPEGLosslessSV1, imagecodecs.ljpeg_encode)):
        made.image(1, name)
        path = made.folder / "train_images" / "1" / f"{name}.dcm"
        file = pydicom.dcmread(path)
        file.file_meta.TransferSyntaxUID = syntax
        file.PixelData = pydicom.encaps.encapsulate([encode(levels(name).astype(np.uint16))])
        file["PixelData"].is_undefined_length = True
        file.save_as(path)
    for number, mammogram in enumerate(open_dataset(made.write(), 0).mammograms, start=1):
        np.testing.assert_array_equal(mammogram.image(), levels(number))


@pytest.mark.parametrize(("column", "value", "message"), [
    ("site_id", "", "the site_id ''"), ("patient_id", "", "the patient_id '' cannot be the name"),
    ("patient_id", "../1", r"the patient_id '\.\./1' cannot be"), ("image_id", "1.dcm", r"image_id '1\.dcm' cannot"),
    ("laterality", "left", "the laterality 'left'"), ("cancer", "", "the cancer ''"), ("cancer", "2", "the cancer '2'"),
    ("biopsy", "yes", "the biopsy 'yes'"), ("BIRADS", "4", "the birads '4'"), ("BIRADS", "1.5", "the birads"),
    ("age", "old", "the age 'old'"), ("age", "-3", "the age '-3'"), ("density", "E", "the density 'E'"),
    ("implant", "2", "the implant '2'"), ("difficult_negative_case", "maybe", "the difficult_negative_case 'maybe'")])
def test_rows_that_cannot_be_understood(made, column, value, message):
    made.image(1, 1).image(2, 2)
    made.rows[1][column] = value
    with pytest.raises(Failure, match=rf"train\.csv, line 3: .*{message}"):
        open_dataset(made.write(), 0)


def test_wrong_tables(made):
    made.image(1, 1).image(2, 1)
    with pytest.raises(Failure, match=r"train\.csv, line 3: the image 1 is listed already in line 2"):
        open_dataset(made.write(), 0)
    with pytest.raises(Failure, match=r"train\.csv: lists no images"):
        open_dataset(made.write(rows=[]), 0)


def test_only_what_is_needed_must_be_there(made):
    needed = COLUMNS[:5] + COLUMNS[6:8]
    made.image(1, 1, density="B").write(columns=needed)
    mammogram, = open_dataset(made.folder, 0).mammograms
    assert mammogram.facts == (("view", "CC"),)
    for column in needed:
        made.write(columns=[each for each in needed if each != column])
        assert not rsna.recognise(made.folder)


def test_the_fingerprint_follows_the_image(made):
    made.image(1, 1).image(1, 2).write()
    before = [one.fingerprint for one in open_dataset(made.folder, 0).mammograms]
    write_dicom(made.folder / "train_images" / "1" / "2.dcm", levels(9))
    after = [one.fingerprint for one in open_dataset(made.folder, 0).mammograms]
    assert before[0] == after[0] and before[1] != after[1]


def test_a_damaged_image_is_named_and_the_limit_on_pixels_reaches_it(made):
    made.image(1, 1).write()
    with pytest.raises(Failure, match="more than 10"):
        open_dataset(made.folder, 0, Choices(10)).mammograms[0].load()
    path = made.folder / "train_images" / "1" / "1.dcm"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(Failure, match=r"1\.dcm: cannot be read as DICOM"):
        open_dataset(made.folder, 0).mammograms[0].load()


def test_a_csv_folder_with_a_table_of_that_name_is_still_one(tmp_path):
    (tmp_path / "train.csv").write_text("image,label,patient\na.pgm,normal,1\n")
    (tmp_path / "a.pgm").write_bytes(b"P5 3 4 255\n" + bytes(range(12)))
    assert open_dataset(tmp_path, 0).mammograms[0].name == "a.pgm"


@pytest.fixture
def collection(made):
    """Six women of each class, two views each."""
    for number in range(18):
        for view in ("CC", "MLO"):
            made.image(number, f"{number}{view}", int(number % 3 == 0), int(number % 3 < 2), view=view)
    return made.write()


def test_a_run(collection, tmp_path, command, tiny_flags):
    output = tmp_path / "run"
    code, printed, errors = command(end2end.main, *tiny_flags(collection, output), "--steps", 2)
    assert code == 0, errors
    data = json.loads((output / "config.json").read_text())["data"]
    assert data["split"] == "drawn by the seed" and "split: drawn by the seed" in printed
    assert data["images"] == 36 and data["notes"] == [rsna.RULE]
    assert "Labels are of the breast" in (output / "report.html").read_text()


def test_detection_says_at_once_that_there_are_no_masks(collection, tmp_path, command, tiny_flags):
    flags = [each for each in tiny_flags(collection, tmp_path / "run") if each not in ("--width", "0.05")]
    code, _, errors = command(roi_detection.main, *flags)
    assert code == 1 and "RSNA 2022 does not mark where lesions are" in errors and "end2end.py" in errors
    assert not (tmp_path / "cache").exists() and "Traceback" not in errors


def test_normal_images_of_it_do_not_take_the_masks_of_another_set(collection, drawn):
    other, found = open_dataset(drawn, 0), open_dataset(collection, 0)
    assert with_normals(other, found).marked and not with_normals(found, other).marked
