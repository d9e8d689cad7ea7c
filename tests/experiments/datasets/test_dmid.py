"""The DMID reader, on small folders of images, masks and tables made here."""
import csv
import pickle
import shutil

import numpy as np
import pytest
from PIL import Image

from experiments import end2end
from experiments.datasets import dmid, open_dataset
from experiments.datasets.dmid import ABSENT, HYBRID, NO_PATIENTS, OTHER_SHAPE, UNLISTED
from experiments.system.errors import Failure

LEGEND = (("Digital mammography dataset",), ("F", "Fatty"), ("CALC", "Calcification"), ("Image", "View", "Tissue"))
ROWS = (("IMG001", "CCLT", "G", "CIRC", "B", "12", "30", "5"), ("IMG002", "MLORT", "D", "NORM"),
        ("IMG003", "MLO R", "F", "SPIC", "M", "9", "9", "3"), ("IMG003", "MLO R", "F", "CALC", "M", "20", "20", "3"),
        ("IMG004", "CC", "G", "ARCH", "B", "3", "3", "2"))
H, W = 60, 40


def pixels(number):
    return np.random.default_rng(number).integers(0, 65536, (H, W), dtype=np.uint16)


def spot(row, column, shape=(H, W)):
    mask = np.zeros(shape, dtype=np.uint8)
    mask[row:row + 8, column:column + 8] = 255
    return mask


def save(path, levels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(levels).save(path)
    return path


def write_table(folder, rows=ROWS, name="Metadata.csv", delimiter=","):
    with open(folder / name, "w", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows((*LEGEND, *rows))
    return folder


def image_of(folder, number, suffix=".tif"):
    return folder / "TIFF Images" / "TIFF Images" / f"IMG{number:03d}{suffix}"


def mask_of(folder, number, more=""):
    return folder / "ROI Masks" / "ROI Masks" / f"IMG{number:03d}{more}.tif"


@pytest.fixture
def data(tmp_path):
    """Four images as they are distributed, of which two have masks, with pictures and reports that are not read."""
    folder = tmp_path / "data"
    for number in range(1, 5):
        save(image_of(folder, number), pixels(number))
        save(folder / "Pixel-level annotation" / f"IMG{number:03d}.tif", np.dstack(3 * [spot(0, 0)]))
        (folder / "Reports").mkdir(exist_ok=True)
        (folder / "Reports" / f"Img{number:03d}.txt").write_text("IMG shows nothing. BIRADS: 2\n")
    save(mask_of(folder, 1), spot(20, 10))
    save(mask_of(folder, 3), spot(5, 5))
    save(mask_of(folder, 3, "_2"), spot(30, 20))
    return write_table(folder)


def test_labels_breasts_views_and_masks(data):
    found = open_dataset(data, seed=0)
    assert found.name == "DMID" and found.excluded == {} and found.marked
    assert [(one.name.rpartition("/")[2], one.patient, one.label, one.breast, dict(one.facts))
            for one in found.mammograms] == [
        ("IMG001.tif", "IMG001", "benign", "left", {"view": "CC", "finding": "CIRC"}),
        ("IMG002.tif", "IMG002", "normal", "right", {"view": "MLO"}),
        ("IMG003.tif", "IMG003", "cancer", "right", {"view": "MLO", "finding": "CALC, SPIC"}),
        ("IMG004.tif", "IMG004", "benign", "", {"view": "CC", "finding": "ARCH"})]
    image, mask = pickle.loads(pickle.dumps(found.mammograms[2])).load()
    np.testing.assert_array_equal(image, pixels(3))
    np.testing.assert_array_equal(mask, (spot(5, 5) | spot(30, 20)) > 0)
    assert [one.mask() is None for one in found.mammograms] == [False, True, False, True]


def test_what_the_set_does_not_tell_is_a_note(data):
    patients, circles = open_dataset(data, 0).notes
    assert patients == NO_PATIENTS and circles.startswith("DMID: 1 of its images with a finding have no mask")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_of_every_kind(data, delimiter):
    expected = [(one.name, one.label, one.breast) for one in open_dataset(data, 0).mammograms]
    write_table(data, delimiter=delimiter)
    assert [(one.name, one.label, one.breast) for one in open_dataset(data, 0).mammograms] == expected
    (data / "Metadata.csv").unlink()
    (data / "Info.txt").write_text("\n".join(" ".join(row).replace("MLO R", "MLO-R") for row in ROWS))
    assert [(one.name, one.label, one.breast) for one in open_dataset(data, 0).mammograms] == expected
    (data / "Info.txt").write_text("\n".join(" ".join((row[0], *row[2:])) for row in ROWS))  # as MIAS, without a view
    assert [(one.name, one.label, one.breast) for one in open_dataset(data, 0).mammograms] == [
        (name, label, "") for name, label, _ in expected]


def test_the_spreadsheet_has_a_legend_and_no_header(data):
    openpyxl = pytest.importorskip("openpyxl", reason='needs openpyxl: pip install -e ".[xlsx]"')
    expected = [(one.name, one.label, one.facts) for one in open_dataset(data, 0).mammograms]
    (data / "Metadata.csv").unlink()
    assert not dmid.recognise(data)
    book = openpyxl.Workbook()
    for row in (*LEGEND, ("=COUNTA(A1:A2)",), *ROWS):
        book.active.append([int(cell) if cell.isdigit() else cell for cell in row])
    book.save(data / "Metadata.xlsx")
    assert [(one.name, one.label, one.facts) for one in open_dataset(data, 0).mammograms] == expected
    shutil.rmtree(data / "ROI Masks")
    assert not open_dataset(data, 0).marked
    shutil.rmtree(data / "TIFF Images")
    shutil.rmtree(data / "Pixel-level annotation")
    assert not dmid.recognise(data)  # another set's Metadata.xlsx


def test_what_cannot_be_used_is_counted(data):
    save(image_of(data, 5), pixels(5))
    save(image_of(data, 6), pixels(6))
    save(mask_of(data, 4), spot(3, 3, (H, W + 1)))
    write_table(data, (*ROWS, ("IMG005", "CCLT", "G", "CIRC", "B"), ("IMG005", "CCLT", "G", "CIRC", "M"),
                       ("IMG009", "CCLT", "G", "CIRC", "M")))
    found = open_dataset(data, 0)
    assert found.excluded == {UNLISTED: 1, ABSENT: 1, HYBRID: 1, OTHER_SHAPE: 1}
    assert len(found.mammograms) == 3


def test_folders_of_other_names_are_told_by_what_they_hold(data):
    (data / "TIFF Images").rename(data / "a")
    (data / "a" / "TIFF Images").rename(data / "a" / "b")
    (data / "ROI Masks" / "ROI Masks").rename(data / "c")
    (data / "ROI Masks").rmdir()
    found = open_dataset(data, 0)
    assert found.mammograms[0].name == "a/b/IMG001.tif"
    np.testing.assert_array_equal(found.mammograms[0].mask(), spot(20, 10) > 0)


def write_dicom(path, number, **identity):
    pydicom = pytest.importorskip("pydicom", reason='needs pydicom: pip install -e ".[dicom]"')
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    file = pydicom.dataset.FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    for name, value in identity.items():
        setattr(file, name, value)
    file.Rows, file.Columns = H, W
    file.SamplesPerPixel, file.PhotometricInterpretation, file.PixelRepresentation = 1, "MONOCHROME2", 0
    file.BitsAllocated, file.BitsStored, file.HighBit = 16, 16, 15
    file.PixelData = pixels(number).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save_as(path, enforce_file_format=False)


@pytest.mark.parametrize(("identities", "patients"), [
    ([{"PatientID": each} for each in "aabb"], ["a", "a", "b", "b"]),
    ([{"PatientID": "x", "StudyInstanceUID": f"1.{each}"} for each in "1123"], ["1.1", "1.1", "1.2", "1.3"]),
    ([{"PatientID": "x"} for _ in "1234"], None), ([{"PatientID": each} for each in "abcd"], None),
    ([{"PatientID": each} for each in "aab"] + [{}], None)])
def test_women_are_told_by_the_dicom_headers_where_those_tell_any(data, identities, patients):
    for number, identity in enumerate(identities, start=1):
        write_dicom(data / "DICOM Images" / f"IMG{number:03d}.dcm", number, **identity)
    found = open_dataset(data, 0)
    assert [one.patient for one in found.mammograms] == (patients or [f"IMG00{number}" for number in range(1, 5)])
    assert (NO_PATIENTS in found.notes) == (patients is None)
    assert all(one.name.endswith(".tif") for one in found.mammograms)
    shutil.rmtree(data / "TIFF Images")
    found = open_dataset(data, 0)
    assert [one.name for one in found.mammograms] == [f"DICOM Images/IMG00{number}.dcm" for number in range(1, 5)]
    np.testing.assert_array_equal(found.mammograms[0].image(), pixels(1))
    np.testing.assert_array_equal(found.mammograms[0].mask(), spot(20, 10) > 0)


@pytest.mark.parametrize("cell", ["=B1", "#N/A"])
def test_a_class_that_is_a_formula_or_an_error_is_refused(data, cell):
    openpyxl = pytest.importorskip("openpyxl", reason='needs openpyxl: pip install -e ".[xlsx]"')
    (data / "Metadata.csv").unlink()
    book = openpyxl.Workbook()
    book.active.append(["IMG001", "CCLT", "G", "CIRC", cell])
    book.save(data / "Metadata.xlsx")
    with pytest.raises(Failure, match=rf"Metadata\.xlsx, sheet 'Sheet', row 1: cannot understand '.*{cell}'"):
        open_dataset(data, 0)


@pytest.mark.parametrize(("row", "message"), [
    (("IMG005", "CCLT", "G", "CIRC", "X"), r"line 10: cannot understand 'IMG005 CCLT G CIRC X'; expected for example"),
    (("IMG005", "CCLT", "G", "CIRC"), "line 10: cannot understand"),
    (("IMG005", "CCLT", "G", "NORM", "B"), "line 10: cannot understand"),
    (("IMG005", "CCLT", "Q", "CIRC", "B"), "line 10: cannot understand"), (("IMG005",), "line 10: cannot understand"),
    (("IMG002", "MLORT", "D", "CIRC", "B"), "line 10: IMG002 is normal in one row and has a finding in another")])
def test_rows_that_cannot_be_understood(data, row, message):
    write_table(data, (*ROWS, row))
    with pytest.raises(Failure, match=r"Metadata\.csv, " + message):
        open_dataset(data, 0)


def test_masks_that_cannot_be_meant(data):
    save(mask_of(data, 2), spot(1, 1))
    save(mask_of(data, 1), np.zeros((H, W), np.uint8))
    benign, normal, _, _ = open_dataset(data, 0).mammograms
    with pytest.raises(Failure, match=r"Metadata\.csv, line 5: the mask .*IMG001\.tif is empty"):
        benign.load()
    with pytest.raises(Failure, match=r"Metadata\.csv, line 6: the image is normal, and the mask .*IMG002\.tif marks"):
        normal.load()
    save(mask_of(data, 2), np.zeros((H, W), np.uint8))
    assert open_dataset(data, 0).mammograms[1].mask() is None


def test_two_files_of_one_image_and_two_tables(data):
    save(image_of(data, 1, ".png"), pixels(1))
    with pytest.raises(Failure, match=r"IMG001\.tif: is a second image IMG001, beside .*IMG001\.png\. Take one"):
        open_dataset(data, 0)
    write_table(data, name="older.csv")
    with pytest.raises(Failure, match=r"expected one table, found 2: Metadata\.csv, older\.csv"):
        open_dataset(data, 0)


def test_damaged_and_absent_files(data):
    image_of(data, 1).write_bytes(b"II*\0")
    with pytest.raises(Failure, match=r"IMG001\.tif: cannot be read as an image"):
        open_dataset(data, 0)
    shutil.rmtree(data / "TIFF Images")
    with pytest.raises(Failure, match=r"none of the 4 images that the table lists is below it.*Images/IMG001\.tif"):
        open_dataset(data, 0)


@pytest.mark.parametrize("row", ["IMG001.tif,cancer,1", "IMG001,images/a.png,cancer", "IMG001 is of film G", "IMG"])
def test_other_tables_are_not_taken_for_it(tmp_path, row):
    (tmp_path / "a.csv").write_text(row + "\n")
    (tmp_path / "b.txt").write_text(row + "\n")
    assert not dmid.recognise(tmp_path)


def test_the_fingerprint_follows_image_and_masks(data):
    before = [one.fingerprint for one in open_dataset(data, 0).mammograms]
    save(mask_of(data, 3, "_2"), spot(31, 20))
    save(mask_of(data, 4), spot(31, 20))
    after = [one.fingerprint for one in open_dataset(data, 0).mammograms]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, True, False, False]


def test_a_run(tmp_path, command, tiny_flags):
    rows = []
    for number in range(1, 31):
        rows.append((f"IMG{number:03d}", "CCLT", "G", *(("NORM",), ("CIRC", "B"), ("SPIC", "M"))[number % 3]))
        save(image_of(tmp_path / "dmid", number), pixels(number))
        if number % 3:
            save(mask_of(tmp_path / "dmid", number), spot(20, 10))
    code, printed, errors = command(end2end.main, *tiny_flags(write_table(tmp_path / "dmid", rows), tmp_path / "run"),
                                    "--steps", 2)
    assert code == 0, errors
    assert NO_PATIENTS in printed and NO_PATIENTS in (tmp_path / "run" / "tables.md").read_text()
