"""The CDD-CESM reader, on small folders in its layout made here, and on the real images where they are."""
import csv
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import experiments
from experiments import end2end
from experiments.datasets import Choices, cdd_cesm, open_dataset
from experiments.datasets import folder as csv_folder
from experiments.datasets.cdd_cesm import (
    CONTRADICTED,
    HYBRID,
    MISNAMED,
    NO_IMAGE,
    NO_OUTLINES,
    NORMAL_OUTLINED,
    NOT_CHOSEN,
    UNLISTED,
)
from experiments.datasets.outlines import Ellipse, Point, Polygon, filled
from experiments.system.errors import Failure

REAL = Path(experiments.__file__).parents[1] / "../shared/data/cdd-cesm"
H, W = 60, 48
HEADER = ("Image_name", "Patient_ID", "Side", "Type", "Age", "Breast density (ACR)", "BIRADS", "Findings", "View",
          "Tags", "Machine", "Pathology Classification/ Follow up")
VIA = ("#filename", "file_size", "file_attributes", "region_count", "region_id", "region_shape_attributes",
       "region_attributes")
TABLE, DRAWN = "Radiology-manual-annotations", "Radiology_hand_drawn_segmentations_v2.csv"
FOLDERS = {"DM": "Low energy images of CDD-CESM", "CM": "Subtracted images of CDD-CESM"}
CIRCLE = {"name": "circle", "cx": 20, "cy": 30, "r": 5}


def row(name, pathology, findings="Mass", density=None, age=45, **changed):
    """A row of the table, in the table's own words."""
    patient, side, kind, view = name.replace(" ", "").split("_")
    cells = {"Image_name": name, "Patient_ID": patient.removeprefix("P"), "Side": side,
             "Type": {"DM": "DM", "CM": "CESM"}[kind], "Age": age,
             "Breast density (ACR)": density or {"DM": "B", "CM": "_"}[kind], "BIRADS": "4$2", "Findings": findings,
             "View": view.rstrip("12"), "Machine": 1, "Pathology Classification/ Follow up": pathology}
    return [(cells | changed).get(column, "") for column in HEADER]


def region(name, shape, count=1):
    return [name, 1, "{}", count, 0, json.dumps(shape), "{}"]


def write(path, *rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows(rows)


def draw(folder, name, file=None):
    path = folder / (file or f"{FOLDERS['CM' if '_CM_' in name else 'DM']}/{name}.jpg")
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(list(name.encode())).integers(0, 256, (H, W), dtype=np.uint8)
    Image.fromarray(levels).save(path)
    return path


ROWS = [row("P1_L_DM_CC", "Malignant"), row("P1_L_CM_CC", "Malignant"), row("P1_R_DM_MLO", "Normal", "Normal"),
        row("P2_L_DM_CC", "Benign", "Mass$Calcifications$mass"), row("P2_L_CM_CC", "Benign")]
REGIONS = [region("P1_L_DM_CC.jpg", CIRCLE), region("P1_L_CM_CC.jpg", CIRCLE),
           region("P2_L_DM_CC.jpg", {"name": "point", "cx": 7, "cy": 9}), region("P1_R_DM_MLO.jpg", {}, 0)]


def make(folder, rows=ROWS, regions=REGIONS, images=None):
    folder.mkdir(exist_ok=True)
    write(folder / f"{TABLE}.csv", HEADER, *rows)
    if regions is not None:
        write(folder / DRAWN, VIA, *regions)
    for name in images if images is not None else {"".join(str(cells[0]).split()) for cells in rows}:
        draw(folder, name)
    return folder


def names(data):
    return [Path(one.name).stem for one in data.mammograms]


def test_images_of_low_energy_by_default(tmp_path):
    data = open_dataset(make(tmp_path), seed=0)
    assert data.name == "CDD-CESM" and data.notes == () and data.excluded == {NOT_CHOSEN: 2}
    assert [(one.name, one.patient, one.label, one.source, one.breast, one.part) for one in data.mammograms] == [
        (f"{FOLDERS['DM']}/P1_L_DM_CC.jpg", "P1", "cancer", "cdd-cesm", "left", ""),
        (f"{FOLDERS['DM']}/P1_R_DM_MLO.jpg", "P1", "normal", "cdd-cesm", "right", ""),
        (f"{FOLDERS['DM']}/P2_L_DM_CC.jpg", "P2", "benign", "cdd-cesm", "left", "")]
    first, normal, last = pickle.loads(pickle.dumps(data.mammograms))
    assert dict(first.facts) == {"view": "CC", "density": "2", "age": "45", "scanner": "1", "finding": "mass"}
    assert dict(last.facts)["finding"] == "mass, calcifications"
    image, mask = first.load()
    np.testing.assert_array_equal(image, np.asarray(Image.open(tmp_path / first.name)))
    np.testing.assert_array_equal(mask, filled([Ellipse(20, 30, 5, 5)], (H, W), ""))
    assert normal.mask() is None and last.mask().sum() == 9


def test_the_table_as_it_is_distributed(tmp_path, monkeypatch):
    openpyxl = pytest.importorskip("openpyxl", reason='needs openpyxl: pip install -e ".[xlsx]"')
    expected = open_dataset(make(tmp_path), 0)
    (tmp_path / f"{TABLE}.csv").unlink()
    book = openpyxl.Workbook()
    for cells in (HEADER, *ROWS):
        book.active.append(cells)
    masses = book.create_sheet("mass_description")
    for cells in ((*HEADER, "Mass shape"), (*ROWS[0], "oval")):
        masses.append(cells)
    book.save(tmp_path / f"{TABLE}.xlsx")
    (tmp_path / f"~${TABLE}.xlsx").write_bytes(b"\0")  # while it is open in a spreadsheet program
    assert open_dataset(tmp_path, 0) == expected
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(Failure, match=r'annotations\.xlsx: .*needs openpyxl; .*"\.\[xlsx\]"'):
        open_dataset(tmp_path, 0)
    monkeypatch.undo()
    book["Sheet"]["L3"] = "Suspicious"
    book.save(tmp_path / f"{TABLE}.xlsx")
    with pytest.raises(Failure, match=r"annotations\.xlsx, sheet 'Sheet', row 3: unknown pathology 'Suspicious'"):
        open_dataset(tmp_path, 0)
    write(tmp_path / "saved.csv", HEADER, *ROWS)  # is then the table
    assert open_dataset(tmp_path, 0) == expected


def test_views_chooses_the_images(tmp_path):
    make(tmp_path)
    subtracted, both = (open_dataset(tmp_path, 0, Choices(views=views)) for views in ("subtracted", "both"))
    assert names(subtracted) == ["P1_L_CM_CC", "P2_L_CM_CC"] and subtracted.excluded == {NOT_CHOSEN: 3}
    assert "show contrast medium" in subtracted.notes[0] and "are mixed" in both.notes[0]
    assert len(both.mammograms) == 5 and both.excluded == {}
    assert {dict(one.facts)["density"] for one in both.mammograms} == {"2"}  # that of the breast, told once
    assert cdd_cesm.TAKES == ("views",)


def test_blanks_in_names_and_several_rows_of_an_image(tmp_path):
    rows = [row(" P1_L_DM_CC ", "Malignant", "Mass"), row("P1_L_DM_CC", "Malignant ", "Calcifications", age=46),
            row("P1_L_DM_CC", "malignant", "Mass"), row("P2_R_DM_MLO2", "Benign", "_", "C")]
    make(tmp_path, rows, [region("P1_L_DM_CC .jpg", CIRCLE),
                          region("P1_L_DM_CC.jpg", {"name": "point", "cx": 40, "cy": 50})], ["P2_R_DM_MLO2"])
    draw(tmp_path, "P1_L_DM_CC", "Low energy images of CDD-CESM/P1_L_DM_CC .JPG")
    one, two = open_dataset(tmp_path, 0).mammograms
    assert dict(one.facts) == {"view": "CC", "density": "2", "scanner": "1", "finding": "mass, calcifications"}
    np.testing.assert_array_equal(one.mask(), filled([Ellipse(20, 30, 5, 5), Point(40, 50)], (H, W), ""))
    assert (two.patient, two.breast) == ("P2", "right")
    assert dict(two.facts) == {"view": "MLO", "density": "3", "age": "45", "scanner": "1"}


def test_shapes_of_the_annotator(tmp_path):
    shapes = [{"name": "polygon", "all_points_x": [3, 9, 9.5], "all_points_y": [3, 3, 12]},
              {"name": "polyline", "all_points_x": [20, 30, 30, 20], "all_points_y": [3, 3, 9, 9]},
              {"name": "ellipse", "cx": 20, "cy": 40, "rx": 9, "ry": 3},
              {"name": "ellipse", "cx": 38, "cy": 25, "rx": 9, "ry": 3, "theta": 1.2},
              {"name": "point", "cx": 2, "cy": 58}]
    make(tmp_path, ROWS[:1], [region("P1_L_DM_CC.jpg", shape) for shape in shapes])
    mask = open_dataset(tmp_path, 0).mammograms[0].mask()
    np.testing.assert_array_equal(mask, filled(
        [Polygon(((3, 3), (9, 3), (9.5, 12))), Polygon(((20, 3), (30, 3), (30, 9), (20, 9))), Ellipse(20, 40, 9, 3),
         Ellipse(38, 25, 9, 3, 1.2), Point(2, 58)], (H, W), ""))
    assert mask[3:10, 20:31].all()  # a polyline is closed


@pytest.mark.parametrize(("shape", "message"), [
    ({"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}, r"line 2: unknown shape 'rect'; expected one of poly"),
    ({"name": "polygon", "all_points_x": [1, 2], "all_points_y": [1]}, r"line 2: the polygon has 2 x and 1 y"),
    ({"name": "polygon", "all_points_x": [], "all_points_y": []}, r"line 2: the polygon has no list all_points_x"),
    ({"name": "circle", "cx": 1, "cy": 2}, r"line 2: 'None' is no coordinate"),
    ({"name": "circle", "cx": 1, "cy": float("nan"), "r": 3}, r"line 2: 'nan' is no coordinate"),
    ({"name": "ellipse", "cx": 1, "cy": 2, "rx": 3, "ry": -4}, r"line 2: the ellipse has a radius of -4"),
    ([1], r"line 2: the shape '\[1\]' is not of the form")])
def test_shapes_that_cannot_be_understood(tmp_path, shape, message):
    make(tmp_path, ROWS[:1], [region("P1_L_DM_CC.jpg", shape)])
    with pytest.raises(Failure, match=r"segmentations_v2\.csv, " + message):
        open_dataset(tmp_path, 0)


def test_an_outline_outside_of_its_image_is_an_error_when_it_is_loaded(tmp_path):
    make(tmp_path, ROWS[:1], [region("P1_L_DM_CC.jpg", CIRCLE | {"cx": 900})])
    with pytest.raises(Failure, match=r"v2\.csv, line 2: the outline lies outside of its image .*DM_CC\.jpg of 48"):
        open_dataset(tmp_path, 0).mammograms[0].load()


def test_what_is_left_out_is_counted(tmp_path):
    rows = [*ROWS, row("P3_L_DM_CC", "Normal"), row("P4_L_DM_CC", "Benign"), row("P4_L_DM_CC", "Malignant"),
            row("P5_L_DM_CC", "Benign", Patient_ID=6), row("P6_L_DM_CC", "Benign", Side="R"),
            row("P7_L_DM_CC", "Benign", Type="CESM"), row("P8_L_DM_CC", "Benign", View="MLO"),
            row("P9_L_DM_CC", "Benign"), row("P10_L_DM_CC", "Benign", Image_name="case 10"),
            row("P11_L_DM_CC", "Benign")]
    make(tmp_path, rows, [*REGIONS, region("P3_L_DM_CC.jpg", CIRCLE)])
    for name in ("P9_L_DM_CC", "case10"):
        (tmp_path / FOLDERS["DM"] / f"{name}.jpg").unlink()
    draw(tmp_path, "P11_L_DM_CC", "Low energy images of CDD-CESM/P11_L_DM_CC_flipped.jpg")
    data = open_dataset(tmp_path, 0)
    assert data.excluded == {NOT_CHOSEN: 2, NORMAL_OUTLINED: 1, HYBRID: 1, CONTRADICTED: 4, NO_IMAGE: 1, MISNAMED: 1,
                             UNLISTED: 1}
    assert names(data) == ["P1_L_DM_CC", "P1_R_DM_MLO", "P2_L_DM_CC", "P11_L_DM_CC"]


def test_absent_outlines_and_those_of_other_images_are_told(tmp_path):
    data = open_dataset(make(tmp_path / "one", regions=None), 0)
    assert data.notes == (NO_OUTLINES,) and all(each.mask() is None for each in data.mammograms)
    data = open_dataset(make(tmp_path / "two", regions=[*REGIONS, region("P77_L_DM_CC.jpg", CIRCLE)]), 0)
    assert len(data.notes) == 1 and "outlines of 1 images are not used" in data.notes[0] and "P77_L" in data.notes[0]


def test_an_image_that_stands_there_twice(tmp_path):
    make(tmp_path)
    copy = draw(tmp_path, "P1_L_DM_CC", "copy/P1_L_DM_CC.jpg")
    with pytest.raises(Failure, match=r"annotations\.csv, line 2: expected one image P1_L_DM_CC, found 2: .*copy"):
        open_dataset(tmp_path, 0)
    copy.unlink()
    (tmp_path / FOLDERS["DM"] / "P2_L_DM_CC.jpg").unlink()
    os.link(tmp_path / FOLDERS["DM"] / "P1_L_DM_CC.jpg", tmp_path / FOLDERS["DM"] / "P2_L_DM_CC.jpg")
    with pytest.raises(Failure, match=r"annotations\.csv, line 5: image P2_L_DM_CC\.jpg is listed already in line 2"):
        open_dataset(tmp_path, 0)


def test_wrong_tables(tmp_path):
    make(tmp_path, [*ROWS, row("P5_L_DM_CC", "Unproven")])
    with pytest.raises(Failure, match=r"annotations\.csv, line 7: unknown pathology 'Unproven'; expected one of malig"):
        open_dataset(tmp_path, 0)
    write(tmp_path / "masses.csv", HEADER, *ROWS)
    with pytest.raises(Failure, match=r"one table that lists all images, found 2: Radiology.*, masses\.csv\. Keep one"):
        open_dataset(tmp_path, 0)
    (tmp_path / "masses.csv").unlink()
    write(tmp_path / "v1.csv", VIA)
    with pytest.raises(Failure, match=r"one table that lists the outlines, found 2"):
        open_dataset(tmp_path, 0)


def test_without_any_image_it_says_what_is_expected(tmp_path):
    make(tmp_path, images=[])
    with pytest.raises(Failure, match=r"none of the 5 images .*annotations\.csv lists can be used: .*3 listed in the "
                                      r"table, image not in the folder.*Low energy images of CDD-CESM/P1_L_DM_CC\.jpg"):
        open_dataset(tmp_path, 0)


def test_a_damaged_image_is_named_when_it_is_loaded(tmp_path):
    make(tmp_path)
    path = tmp_path / FOLDERS["DM"] / "P1_L_DM_CC.jpg"
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(Failure, match=r"P1_L_DM_CC\.jpg: cannot be read as an image"):
        open_dataset(tmp_path, 0).mammograms[0].load()
    with pytest.raises(Failure, match="more than 9"):
        open_dataset(tmp_path, 0, Choices(9)).mammograms[1].load()


def test_the_fingerprint_follows_image_and_outlines_alone(tmp_path):
    make(tmp_path)
    before = {one.name: one.fingerprint for one in open_dataset(tmp_path, 0).mammograms}
    write(tmp_path / DRAWN, VIA, region("P5_L_DM_CC.jpg", CIRCLE), *REGIONS[:2],
          region("P2_L_DM_CC.jpg", {"name": "point", "cx": 8, "cy": 9}))
    os.utime(tmp_path / FOLDERS["DM"] / "P1_R_DM_MLO.jpg", (1, 1))
    after = {one.name: one.fingerprint for one in open_dataset(tmp_path, 0).mammograms}
    assert {Path(name).stem for name in before if before[name] != after[name]} == {"P1_R_DM_MLO", "P2_L_DM_CC"}


def test_no_other_folder_is_taken_for_it(tmp_path):
    write(tmp_path / "labels.csv", ("image", "label", "patient"), ("P1_L_DM_CC.jpg", "benign", "P1"))
    draw(tmp_path, "P1_L_DM_CC", "P1_L_DM_CC.jpg")
    assert not cdd_cesm.recognise(tmp_path) and csv_folder.recognise(tmp_path)
    (tmp_path / "labels.csv").write_bytes(b"\xff\xfe\0")
    assert not cdd_cesm.recognise(tmp_path)


def test_a_run(tmp_path, command, tiny_flags):
    cases = [("Malignant", "Benign", "Normal")[number % 3] for number in range(12)]
    make(tmp_path / "set", [row(f"P{number}_L_DM_CC", label) for number, label in enumerate(cases)],
         [region(f"P{number}_L_DM_CC.jpg", CIRCLE) for number, label in enumerate(cases) if label != "Normal"])
    code, _, errors = command(end2end.main, *tiny_flags(tmp_path / "set", tmp_path / "run"), "--steps", 2)
    assert code == 0, errors
    data = json.loads((tmp_path / "run" / "config.json").read_text())["data"]
    assert (data["name"], data["images"]) == ("CDD-CESM", 12)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real CDD-CESM excerpt is not beside the project")
def test_real_images_in_the_layout(tmp_path):
    """The excerpt has images and masks of another size: its lesions' boxes stand for the outlines."""
    with open(REAL / "labels.csv", newline="") as file:
        listed = [Path(cells["image"]).stem for cells in csv.DictReader(file)]
    regions, expected = [], {}
    for name in listed[:8]:
        y, x = np.nonzero(np.asarray(Image.open(REAL / "masks" / f"{name}.jpg")) > 127)
        left, right, top, bottom = (int(each) for each in (x.min(), x.max(), y.min(), y.max()))
        expected[name] = (bottom - top + 1) * (right - left + 1)
        regions.append(region(f"{name}.jpg", {"name": "polygon", "all_points_x": [left, right, right, left],
                                              "all_points_y": [top, top, bottom, bottom]}))
    make(tmp_path, [row(name, "Malignant") for name in listed], regions, images=())
    (tmp_path / "images").symlink_to((REAL / "images").resolve())
    data = open_dataset(tmp_path, 0)
    assert len(data.mammograms) == 218 and data.excluded == {}
    assert {name: int(one.mask().sum()) for name, one in zip(names(data), data.mammograms, strict=True)
            if name in expected} == expected
    assert data.mammograms[-1].image().shape == (512, 512)
