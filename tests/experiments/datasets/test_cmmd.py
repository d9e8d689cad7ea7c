"""The CMMD reader, on small trees of DICOM files and tables made here."""
import csv
import pickle

import numpy as np
import pytest

from experiments import end2end
from experiments.datasets import cmmd, open_dataset
from experiments.datasets.cmmd import ABSENT, BOTH_CLASSES, NO_MASKS, NO_NORMALS, NO_SIDE, REPEATED, UNLABELLED
from experiments.system.errors import Failure, UsageError

pydicom = pytest.importorskip("pydicom", reason='needs pydicom: pip install -e ".[dicom]"')

HEADER = ("ID1", "LeftRight", "Age", "number", "abnormality", "classification", "subtype")
ROWS = (("D1-0001", "R", "44", "2", "calcification", "Benign", ""),
        ("D1-0002", "L", "39", "2", "both", "Malignant", ""),
        ("D1-0003", "L", "51", "2", "mass", "Benign", ""), ("D1-0003", "R", "51", "2", "mass", "Malignant", ""),
        ("D2-0001", "L", "60", "4", "mass", "Malignant", "Luminal A"))
CODES = {"CC": "399162004", "MLO": "399368009"}
H, W = 60, 40


def pixels(seed):
    return np.random.default_rng(seed).integers(0, 256, (H, W), dtype=np.uint8)


class Download:
    """A tree as TCIA distributes it; image(...) adds the next file of a patient."""

    def __init__(self, folder):
        self.folder, self.made = folder, 0

    def image(self, patient, side, view, **changed):
        self.made += 1
        number = len([*(self.folder / "CMMD" / patient).rglob("*.dcm")]) + 1
        path = self.folder / "CMMD" / patient / "07-18-2010-NA-NA-79377" / "1.000000-NA-70244" / f"1-{number}.dcm"
        meta = pydicom.dataset.FileMetaDataset()
        meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = pydicom.uid.DigitalMammographyXRayImageStorageForPresentation
        meta.MediaStorageSOPInstanceUID = f"1.2.3.{self.made}"
        file = pydicom.dataset.FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
        file.PatientID, file.SOPInstanceUID, file.ImageLaterality = patient, f"1.2.3.{self.made}", side
        file.PatientAge = "044Y"
        code = pydicom.Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = CODES[view], "SCT", "a view"
        file.ViewCodeSequence = [code]
        file.Rows, file.Columns = H, W
        file.SamplesPerPixel, file.PhotometricInterpretation, file.PixelRepresentation = 1, "MONOCHROME2", 0
        file.BitsAllocated, file.BitsStored, file.HighBit = 8, 8, 7
        file.PixelData = pixels(self.made).tobytes()
        for name, value in changed.items():
            if value is None:
                delattr(file, name)
            else:
                setattr(file, name, value)
        path.parent.mkdir(parents=True, exist_ok=True)
        file.save_as(path)
        return path

    def table(self, rows=ROWS, name="CMMD_clinicaldata_revision.csv", header=HEADER, delimiter=","):
        with open(self.folder / name, "w", newline="") as file:
            csv.writer(file, delimiter=delimiter).writerows((header, *rows))
        return self.folder


@pytest.fixture
def made(tmp_path):
    """Two images of a breast, or four of two; of D2-0001 four, while the table knows one breast only."""
    made = Download(tmp_path)
    for patient, sides in (("D1-0001", "R"), ("D1-0002", "L"), ("D1-0003", "LR"), ("D2-0001", "LR")):
        for side in sides:
            for view in ("CC", "MLO"):
                made.image(patient, side, view)
    made.table()
    return made


def test_breasts_get_their_labels_from_the_headers(made):
    data = open_dataset(made.folder, seed=0)
    assert data.name == "CMMD" and not data.marked and data.notes[:2] == (NO_NORMALS, NO_MASKS)
    assert [(one.patient, one.breast, dict(one.facts)["view"], one.label, one.source) for one in data.mammograms] == [
        (patient, breast, view, label, source) for patient, breast, label, source in (
            ("D1-0001", "right", "benign", "cmmd-D1"), ("D1-0002", "left", "cancer", "cmmd-D1"),
            ("D1-0003", "left", "benign", "cmmd-D1"), ("D1-0003", "right", "cancer", "cmmd-D1"),
            ("D2-0001", "left", "cancer", "cmmd-D2")) for view in ("CC", "MLO")]
    first = data.mammograms[2]
    assert first.name == "CMMD/D1-0002/07-18-2010-NA-NA-79377/1.000000-NA-70244/1-1.dcm"
    assert dict(first.facts) == {"view": "CC", "age": "39", "finding": "calcification, mass"}
    image, mask = pickle.loads(pickle.dumps(first)).load()
    np.testing.assert_array_equal(image, pixels(3))
    assert mask is None


def test_a_patient_with_four_images_and_one_row_has_one_breast_of_unknown_pathology(made):
    data = open_dataset(made.folder, seed=0)
    assert data.excluded == {UNLABELLED: 2}
    assert [one.breast for one in data.mammograms if one.patient == "D2-0001"] == ["left", "left"]


def test_a_part_of_one_class_is_a_note(made):
    assert "All 2 images of the part cmmd-D2 are of the class cancer" in open_dataset(made.folder, 0).notes[2]
    made.image("D2-0002", "R", "CC")
    made.table((*ROWS, ("D2-0002", "R", "60", "2", "mass", "Benign", "")))
    assert len(open_dataset(made.folder, 0).notes) == 2


def test_side_view_age_and_scanner_by_other_elements(made):
    made.image("D1-0004", "L", "CC", ImageLaterality=None, Laterality="L", ViewCodeSequence=None, ViewPosition="MLO",
               Manufacturer="GE MEDICAL SYSTEMS ", ManufacturerModelName="Senographe DS")
    made.image("D1-0004", "L", "CC", ViewCodeSequence=None, PatientAge=None)
    made.table((*ROWS, ("D1-0004", "L", "", "2", "mass", "Malignant", "")))
    one, other = (one for one in open_dataset(made.folder, 0).mammograms if one.patient == "D1-0004")
    assert dict(one.facts) == {"view": "MLO", "age": "44", "scanner": "GE MEDICAL SYSTEMS Senographe DS",
                               "finding": "mass"}
    assert one.breast == "left" and dict(other.facts) == {"finding": "mass"}


def test_what_cannot_be_used_is_counted(made):
    made.image("D1-0001", "R", "CC", ImageLaterality=None)
    made.image("D1-0005", "L", "CC")
    path = made.image("D1-0002", "L", "CC", SOPInstanceUID="1.2.3.3")
    made.table((*ROWS, ("D1-0003", "R", "51", "2", "mass", "Benign", ""), ("D1-0009", "L", "51", "2", "", "Benign", ""),
                ROWS[1]))
    data = open_dataset(made.folder, 0)
    assert data.excluded == {NO_SIDE: 1, UNLABELLED: 3, REPEATED: 1, BOTH_CLASSES: 2, ABSENT: 1}
    assert path.relative_to(made.folder).as_posix() not in {one.name for one in data.mammograms}
    assert len(data.mammograms) == 8


def test_a_spreadsheet_and_a_csv_file_saved_from_it(made):
    openpyxl = pytest.importorskip("openpyxl", reason='needs openpyxl: pip install -e ".[xlsx]"')
    expected = open_dataset(made.folder, 0).mammograms
    (made.folder / "CMMD_clinicaldata_revision.csv").unlink()
    book = openpyxl.Workbook()
    for row in (HEADER, *ROWS):
        book.active.append([int(cell) if cell.isdigit() else cell or None for cell in row])
    book.save(made.folder / "CMMD_clinicaldata_revision.xlsx")
    assert [(one.name, one.label, one.facts) for one in open_dataset(made.folder, 0).mammograms] == [
        (one.name, one.label, one.facts) for one in expected]
    made.table(tuple((*row[:5], "Malignant", "") for row in ROWS), delimiter=";")
    assert {one.label for one in open_dataset(made.folder, 0).mammograms} == {"cancer"}


def test_two_tables_of_different_names(made):
    made.table(name="CMMD_clinicaldata.csv")
    with pytest.raises(Failure, match=r"expected one clinical table, found 2: CMMD_clinicaldata\.csv, CMMD_clin.*Keep"):
        open_dataset(made.folder, 0)


@pytest.mark.parametrize(("column", "text"), [(1, "B"), (5, "Unknown"), (5, ""), (0, "")])
def test_rows_that_cannot_be_understood(made, column, text):
    row = list(ROWS[1])
    row[column] = text
    made.table((ROWS[0], row))
    with pytest.raises(Failure, match=rf"revision\.csv, line 3: ID1 .*{text!r}.*; expected for example 'D1-0001', L"):
        open_dataset(made.folder, 0)


def test_malformed_tables(made):
    made.table(())
    with pytest.raises(Failure, match=r"revision\.csv: lists no breasts"):
        open_dataset(made.folder, 0)
    made.table(header=(*HEADER[:5], "pathology", "subtype"))
    with pytest.raises(Failure, match=r"revision\.csv: lacks the column\(s\) classification"):
        open_dataset(made.folder, 0)
    (made.folder / "CMMD_clinicaldata_revision.csv").unlink()
    with pytest.raises(UsageError, match="no data set was recognised"):
        open_dataset(made.folder, 0)


def test_damaged_and_foreign_files_are_named(made):
    path = made.image("D1-0001", "R", "CC", PatientID=None)
    with pytest.raises(Failure, match=r"1-3\.dcm: its header has no PatientID"):
        open_dataset(made.folder, 0)
    path.write_bytes(b"\x02\x00no DICOM")
    with pytest.raises(Failure, match=r"1-3\.dcm: (cannot be read as DICOM|its header has no PatientID)"):
        open_dataset(made.folder, 0)


def test_only_headers_are_read_before_an_image_is_asked_for(made):
    for path in made.folder.rglob("*.dcm"):
        path.write_bytes(path.read_bytes()[:-20])
    data = open_dataset(made.folder, 0)
    assert len(data.mammograms) == 10
    with pytest.raises(Failure, match=r"1-1\.dcm.*truncated"):
        data.mammograms[0].load()


def test_without_any_image(tmp_path):
    Download(tmp_path).table()
    with pytest.raises(Failure, match=r"can be used: there are no \.dcm files\. Expected .*D1-0001/\.\.\./1-1\.dcm"):
        open_dataset(tmp_path, 0)


def test_recognised_by_the_table_alone(tmp_path):
    assert not cmmd.recognise(tmp_path)
    (tmp_path / "other.csv").write_bytes(b"\xff\xfe,\0")
    (tmp_path / "labels.csv").write_text("image,label,patient\n")
    assert not cmmd.recognise(tmp_path)
    (tmp_path / "CMMD_clinicaldata_revision.xlsx").write_bytes(b"")
    assert cmmd.recognise(tmp_path)


def test_the_fingerprint_follows_the_image(made):
    before = [one.fingerprint for one in open_dataset(made.folder, 0).mammograms]
    path = made.folder / open_dataset(made.folder, 0).mammograms[0].name
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    after = [one.fingerprint for one in open_dataset(made.folder, 0).mammograms]
    assert before[0] != after[0] and before[1:] == after[1:]


def test_a_run(tmp_path, command, tiny_flags):
    made, rows = Download(tmp_path / "cmmd"), []
    (tmp_path / "cmmd").mkdir()
    for number in range(1, 13):
        for view in ("CC", "MLO"):
            made.image(f"D1-{number:04d}", "L", view)
        rows.append((f"D1-{number:04d}", "L", "50", "2", "mass", "Benign" if number % 2 else "Malignant", ""))
    code, printed, errors = command(end2end.main, *tiny_flags(made.table(rows), tmp_path / "run"), "--classes", 2,
                                    "--steps", 2)
    assert code == 0, errors
    assert NO_NORMALS in printed and NO_MASKS in (tmp_path / "run" / "tables.md").read_text()
