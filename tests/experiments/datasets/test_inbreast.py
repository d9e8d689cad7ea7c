"""The INbreast reader, on small folders in its layout made here."""
import json
import os
import pickle
import plistlib
from pathlib import Path

import numpy as np
import pytest

from experiments import end2end
from experiments.datasets import Choices, inbreast, open_dataset
from experiments.datasets.inbreast import (
    CONTRADICTED,
    NEGATIVE_OUTLINED,
    NO_IMAGE,
    NO_OUTLINES,
    NOT_ASSESSED,
    UNLISTED,
)
from experiments.datasets.inbreast.outlines import read_outlines
from experiments.datasets.outlines import Point, Polygon, filled
from experiments.system.errors import Failure

pydicom = pytest.importorskip("pydicom", reason='needs pydicom: pip install -e ".[dicom]"')

H, W = 60, 48
HEADER = "Patient ID;Patient age;Laterality;View;Acquisition date;File Name;ACR;Bi-Rads"
ONE, TWO = "6c613a14b80a8591", "b6a4f750c6df4f90"
MASS = ("Mass", [(10.25, 20.5), (30.75, 20.5), (30.75, 40.25)])
MARK = ("Calcification", [(5.5, 6.5)])
# number, patient, side and view of the name, ACR, BI-RADS, outlines
IMAGES = [("20586908", ONE, "R", "CC", "3", "4a", [MASS, MARK, ("mass ", MASS[1])]),
          ("20586934", ONE, "L", "ML", "3", "1", None),
          ("20587054", TWO, "R", "CC", "     ", "2", [MARK, ("", [(40, 50), (44, 52)])])]


def write_dicom(path, seed, photometric="MONOCHROME2"):
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = pydicom.uid.DigitalMammographyXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    file = pydicom.dataset.FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    file.Rows, file.Columns, file.SamplesPerPixel, file.PixelRepresentation = H, W, 1, 0
    file.PhotometricInterpretation, file.BitsAllocated, file.BitsStored, file.HighBit = photometric, 16, 14, 13
    file.PixelData = levels(seed).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save_as(path)
    return path


def levels(seed):
    return np.random.default_rng(seed).integers(0, 1 << 14, (H, W), dtype=np.uint16)


def write_outlines(path, outlines, **changed):
    path.parent.mkdir(parents=True, exist_ok=True)
    rois = [{"Area": 0.5, "Name": name, "NumberOfPoints": len(points), "Type": 10,
             "Point_px": [f"({x:f}, {y:f})" for x, y in points]} | changed for name, points in outlines]
    path.write_bytes(plistlib.dumps({"Images": [{"ImageIndex": 0, "NumberOfROIs": len(rois), "ROIs": rois}]}))
    return path


def row(number, side="R", view="CC", density="3", assessment="2", age="removed"):
    return f"removed;{age};{side};{view};200801;{number};{density};{assessment}"


def make(folder, images=IMAGES, *more):
    """more: rows of the table."""
    rows = []
    for number, patient, side, view, density, assessment, outlines in images:
        write_dicom(folder / "AllDICOMs" / f"{number}_{patient}_MG_{side}_{view}_ANON.dcm", int(number))
        rows.append(row(number, side, {"ML": "MLO"}.get(view, view), density, assessment))
        if outlines is not None:
            write_outlines(folder / "AllXML" / f"{number}.xml", outlines)
    (folder / "INbreast.csv").write_text("\n".join([HEADER, *rows, *more, ""]))
    return folder


def image(folder, number):
    return next((folder / "AllDICOMs").glob(f"{number}_*"))


def test_rows_become_mammograms(tmp_path):
    data = open_dataset(make(tmp_path), seed=0)
    assert data.name == "INbreast" and data.excluded == {}
    assert data.notes == ("The classes are BI-RADS assessments, not pathology: cancer 4, 4a, 4b, 4c, 5, 6; normal 1; "
                          "benign 2, 3 (--birads).",)
    assert [(one.name, one.patient, one.label, one.source, one.breast, dict(one.facts)) for one in data.mammograms] == [
        (f"AllDICOMs/20586908_{ONE}_MG_R_CC_ANON.dcm", ONE, "cancer", "inbreast", "right",
         {"view": "CC", "density": "3", "finding": "mass, calcification"}),
        (f"AllDICOMs/20586934_{ONE}_MG_L_ML_ANON.dcm", ONE, "normal", "inbreast", "left",
         {"view": "MLO", "density": "3"}),
        (f"AllDICOMs/20587054_{TWO}_MG_R_CC_ANON.dcm", TWO, "benign", "inbreast", "right",
         {"view": "CC", "finding": "calcification"})]
    first, normal, last = pickle.loads(pickle.dumps(data.mammograms))
    pixels, mask = first.load()
    np.testing.assert_array_equal(pixels, levels(20586908))
    np.testing.assert_array_equal(mask, filled([Polygon(tuple(MASS[1])), Point(5.5, 6.5)], (H, W), ""))
    assert mask[25, 25] and not mask[35, 15]
    assert normal.mask() is None
    np.testing.assert_array_equal(last.mask(), filled([Point(5.5, 6.5), Point(40, 50), Point(44, 52)], (H, W), ""))


def test_birads_chooses_the_classes(tmp_path):
    make(tmp_path)
    data = open_dataset(tmp_path, 0, Choices(birads="normal=1,2 cancer=5"))
    assert data.excluded == {NOT_ASSESSED: 1} and "normal 1, 2" in data.notes[0]
    assert [(one.label, one.mask()) for one in data.mammograms] == [("normal", None), ("normal", None)]
    assert data.notes[1] == "Images of the class normal whose outlined findings are not marked as lesions: 1."
    assert inbreast.TAKES == ("birads",)


def test_examinations_of_one_woman_and_the_age_where_it_is_told(tmp_path):
    make(tmp_path, [*IMAGES[:1], ("50990000", ONE.upper(), "L", "CC", "2", "6", [MASS])])
    table = (tmp_path / "INbreast.csv").read_text().replace("removed;removed;L", "removed;61;L")
    (tmp_path / "INbreast.csv").write_text(table)
    one, other = open_dataset(tmp_path, 0).mammograms
    assert one.patient == other.patient == ONE
    assert "age" not in dict(one.facts) and dict(other.facts)["age"] == "61"


def test_tissue_is_bright_whatever_the_polarity(tmp_path):
    make(tmp_path)
    write_dicom(image(tmp_path, "20586934"), 7, "MONOCHROME1")
    np.testing.assert_array_equal(open_dataset(tmp_path, 0).mammograms[1].image(), (1 << 14) - 1 - levels(7))


def test_what_is_left_out_is_counted(tmp_path):
    more = [("20000001", TWO, "R", "CC", "1", "", [MASS]), ("20000002", TWO, "R", "CC", "1", "0", [MASS]),
            ("20000003", TWO, "R", "CC", "1", "1", [MASS]), ("20000004", TWO, "R", "CC", "1", "1", [])]
    make(tmp_path, [*IMAGES, *more], row("20000009"), row("20000005", side="L"), row("20000006", view="MLO"),
         ";;;;;;;", "Patients;;;;115;;;")  # what stands below the spreadsheet's table
    for number in ("20000005", "20000006"):
        write_dicom(tmp_path / "AllDICOMs" / f"{number}_{TWO}_MG_R_CC_ANON.dcm", 1)
    write_dicom(tmp_path / "AllDICOMs" / f"20000007_{TWO}_MG_R_CC_ANON.dcm", 1)
    write_dicom(tmp_path / "AllDICOMs" / f"20000008_{TWO}_MG_R_CC_ANON_flip.dcm", 1)
    data = open_dataset(tmp_path, 0)
    assert data.excluded == {NO_IMAGE: 1, NOT_ASSESSED: 2, NEGATIVE_OUTLINED: 1, CONTRADICTED: 2, UNLISTED: 2}
    assert [one.name[10:18] for one in data.mammograms] == ["20586908", "20586934", "20587054", "20000004"]


def test_outlines_of_the_pectoral_muscle_are_no_lesions(tmp_path):
    make(tmp_path)
    write_outlines(tmp_path / "PectoralMuscle" / "Pectoral Muscle XML" / "20586934.xml", [MASS])
    assert open_dataset(tmp_path, 0).mammograms[1].mask() is None


def test_without_outlines_it_says_so(tmp_path):
    make(tmp_path, [(*each[:6], None) for each in IMAGES])
    data = open_dataset(tmp_path, 0)
    assert data.notes[1] == NO_OUTLINES and all(each.mask() is None for each in data.mammograms)


def test_images_and_outlines_that_stand_there_twice(tmp_path):
    make(tmp_path, IMAGES, row("20586934", "L", "MLO", "3", "2"))
    with pytest.raises(Failure, match=r"INbreast\.csv, line 5: image 20586934_.* is listed already in line 3"):
        open_dataset(tmp_path, 0)
    make(tmp_path)
    copy = write_dicom(tmp_path / "copy" / image(tmp_path, "20587054").name, 1)
    with pytest.raises(Failure, match=r"INbreast\.csv, line 4: expected one image 20587054, found 2: .*copy"):
        open_dataset(tmp_path, 0)
    copy.unlink()
    image(tmp_path, "20587054").unlink()
    os.link(image(tmp_path, "20586908"), tmp_path / "AllDICOMs" / f"20587054_{TWO}_MG_R_CC_ANON.dcm")
    with pytest.raises(Failure, match=r"INbreast\.csv, line 4: image 20587054_.* is listed already in line 2"):
        open_dataset(tmp_path, 0)
    write_outlines(tmp_path / "again" / "AllXML" / "20586908.xml", [MASS])
    with pytest.raises(Failure, match=r"20586908\.xml: there are outlines of this image already, .*Keep one"):
        open_dataset(tmp_path, 0)


@pytest.mark.parametrize(("line", "message"), [
    (row("20587054", assessment="7"), r"line 5: unknown Bi-Rads '7'; expected one of 0, 1, 2, 3, 4, 4a"),
    (row("2058705"), r"line 5: the file name is '2058705'; expected the eight digits"),
    ("removed;removed;R", r"line 5: has 3 cells, the header 8")])
def test_wrong_rows(tmp_path, line, message):
    make(tmp_path, IMAGES, line)
    with pytest.raises(Failure, match=r"INbreast\.csv, " + message):
        open_dataset(tmp_path, 0)


def test_the_spreadsheet_alone_says_what_to_do(tmp_path):
    make(tmp_path)
    (tmp_path / "INbreast.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    assert len(open_dataset(tmp_path, 0).mammograms) == 3  # beside the CSV file it is not looked at
    (tmp_path / "INbreast.csv").unlink()
    with pytest.raises(Failure, match=r"INbreast\.xls: is a spreadsheet of the old kind.* Save it beside as INbr"):
        open_dataset(tmp_path, 0)


def test_without_any_image_it_says_what_is_expected(tmp_path):
    (tmp_path / "INbreast.csv").write_text(f"{HEADER}\n{row('20587054')}\n")
    with pytest.raises(Failure, match=r"none of the 1 images that INbreast\.csv lists can be used: 1 listed in the "
                                      r"table, image not in the folder\. .*AllDICOMs/20586908_6c"):
        open_dataset(tmp_path, 0)


def test_a_damaged_image_is_named_when_it_is_loaded(tmp_path):
    make(tmp_path)
    path = image(tmp_path, "20586908")
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(Failure, match=r"20586908_.*ANON\.dcm: cannot be read as DICOM"):
        open_dataset(tmp_path, 0).mammograms[0].load()
    with pytest.raises(Failure, match="more than 9"):
        open_dataset(tmp_path, 0, Choices(9)).mammograms[1].load()


@pytest.mark.parametrize(("text", "message"), [
    (b"", "cannot be read as a property list"), (b"<plist><dict/></plist>", "cannot be read as a property list"),
    (b"bplist00\xd0", "cannot be read as a property list"),
    (plistlib.dumps({"Images": [{"NumberOfROIs": 2, "ROIs": []}]}), r"says that it has 2 outlines .* and has 0"),
    (plistlib.dumps({"Images": [{"NumberOfROIs": 1, "ROIs": ["x"]}]}), "says that it has 1 outlines"),
    (b'<!DOCTYPE plist [<!ENTITY a "Mass">]><plist version="1.0"><dict><key>Images</key><array><dict><key>&a;</key>'
     b"<integer>0</integer></dict></array></dict></plist>", ".*entity declarations are not supported")])
def test_property_lists_that_cannot_be_understood(tmp_path, text, message):
    make(tmp_path)
    (tmp_path / "AllXML" / "20586908.xml").write_bytes(text)
    with pytest.raises(Failure, match=r"20586908\.xml: " + message):
        open_dataset(tmp_path, 0)


def test_a_document_type_that_refers_to_elsewhere_is_not_followed(tmp_path):
    path = write_outlines(tmp_path / "a.xml", [MARK])
    text = path.read_bytes().replace(b"http://www.apple.com/DTDs/PropertyList-1.0.dtd", b"file:///nowhere.dtd")
    path.write_bytes(text)
    assert b"nowhere" in text and read_outlines(path) == ([Point(5.5, 6.5, f"{path}, outline 1")], ["calcification"])


@pytest.mark.parametrize(("changed", "message"), [
    ({"NumberOfPoints": 4}, r"outline 1: expected a Name and as many Point_px as NumberOfPoints says, found 'Mass', "),
    ({"Point_px": "(1, 2)"}, r"outline 1: expected a Name"), ({"Name": 3}, r"outline 1: expected a Name"),
    ({"Point_px": ["(1, 2)", "(1, 2)", "exit()"]}, r"outline 1: 'exit\(\)' is no point; expected for example '\(1024"),
    ({"Point_px": ["(1, 2)", "(1, 2)", "(1, 2000000)"]}, r"outline 1: '2000000.0' is no coordinate")])
def test_outlines_that_cannot_be_understood(tmp_path, changed, message):
    write_outlines(tmp_path / "a.xml", [MASS], **changed)
    with pytest.raises(Failure, match=r"a\.xml, " + message):
        read_outlines(tmp_path / "a.xml")


def test_an_outline_outside_of_its_image_is_an_error_when_it_is_loaded(tmp_path):
    make(tmp_path)
    write_outlines(tmp_path / "AllXML" / "20586908.xml", [MARK, ("Mass", [(x + 900, y) for x, y in MASS[1]])])
    with pytest.raises(Failure, match=r"20586908\.xml, outline 2: the outline lies outside of its image .*of 48 x 60"):
        open_dataset(tmp_path, 0).mammograms[0].load()


def test_the_fingerprint_follows_image_and_outlines(tmp_path):
    make(tmp_path)
    before = {one.name: one.fingerprint for one in open_dataset(tmp_path, 0).mammograms}
    write_outlines(tmp_path / "AllXML" / "20587054.xml", [("Calcification", [(5.5, 7.5)])])
    os.utime(image(tmp_path, "20586934"), (1, 1))
    after = {one.name: one.fingerprint for one in open_dataset(tmp_path, 0).mammograms}
    assert {Path(name).name[:8] for name in before if before[name] != after[name]} == {"20586934", "20587054"}


def test_no_other_folder_is_taken_for_it(tmp_path):
    (tmp_path / "labels.csv").write_text("image,label,patient\na.png,benign,P1\n")
    assert not inbreast.recognise(tmp_path)


def test_a_run(tmp_path, command, tiny_flags):
    images = [(f"{20000000 + number}", f"{number:016x}", "RL"[number % 2], "CC", "2", "125"[number % 3],
               None if number % 3 == 0 else [MASS]) for number in range(12)]
    make(tmp_path / "set", images)
    code, printed, errors = command(end2end.main, *tiny_flags(tmp_path / "set", tmp_path / "run"), "--steps", 2)
    assert code == 0, errors
    assert "BI-RADS assessments, not pathology" in printed
    data = json.loads((tmp_path / "run" / "config.json").read_text())["data"]
    assert (data["name"], data["images"]) == ("INbreast", 12)
