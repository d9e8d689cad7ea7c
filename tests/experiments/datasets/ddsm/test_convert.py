"""The converter: the same training images through the `folder` format, and everything that may interrupt it."""
import csv
import errno
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from experiments import convert_ddsm
from experiments.datasets import ddsm, open_dataset
from experiments.datasets.ddsm.density import brightness
from experiments.inputs.image_set import prepare
from experiments.inputs.preprocessing import Preprocessing
from experiments.system.errors import Failure


@pytest.fixture
def tree(tmp_path, make_case, box):
    root = tmp_path / "DDSM"
    make_case(root / "normals/normal_01/case0001", "A-0001", "DBA 21", LEFT_CC=[], RIGHT_CC=[])
    make_case(root / "cancers/cancer_01/case0002", "B-0002", "LUMISYS LASER", LEFT_CC=[("MALIGNANT", box(10, 5))],
              LEFT_MLO=[("BENIGN", box(20, 20))], RIGHT_CC=[])
    return root


def convert(command, tree, output, *more):
    return command(convert_ddsm.main, "--data", tree, "--output", output, "--workers", 1, *more)


def test_the_converted_folder_gives_the_same_training_images(tree, tmp_path, command):
    code, printed, errors = convert(command, tree, tmp_path / "png")
    assert code == 0, errors
    assert "Converted: 4 views of 2 women (1 cancer, 2 normal, 1 benign)" in printed
    assert "left out: 1 (no lesion marked in this view" in printed
    direct, converted = open_dataset(tree, seed=0), open_dataset(tmp_path / "png", seed=0)
    assert direct.name == converted.name == "DDSM"
    settings = Preprocessing(side=16, working_side=32)
    sets = [prepare(data.mammograms, settings, tmp_path / "cache", progress=False) for data in (direct, converted)]
    everything = np.arange(4)
    np.testing.assert_array_equal(sets[0].images(everything), sets[1].images(everything))
    np.testing.assert_array_equal(sets[0].masks(everything), sets[1].masks(everything))
    assert sets[0].masks(everything).any(axis=(1, 2, 3)).sum() == 2
    for attribute in ("labels", "patients", "sources"):
        assert getattr(sets[0], attribute).tolist() == getattr(sets[1], attribute).tolist()
    for one, other in zip(direct.mammograms, converted.mammograms, strict=True):
        np.testing.assert_array_equal(one.image(), other.image())
        assert (one.breast, one.facts) == (other.breast, other.facts)


def test_what_the_table_and_the_texts_say(tree, tmp_path, command):
    convert(command, tree, tmp_path / "png")
    with open(tmp_path / "png" / "ddsm.csv", newline="") as file:
        first = next(csv.DictReader(file))
    assert first == {
        "image": "images/cancer_01-B_0002_1.LEFT_CC.png", "mask": "masks/cancer_01-B_0002_1.LEFT_CC.png",
        "label": "cancer", "patient": "cancer_01/B-0002", "source": "B/LUMISYS", "collection": "DDSM",
        "breast": "left", "view": "CC", "density": "3", "age": "37", "scanner": "B/LUMISYS", "finding": "mass",
        "volume": "cancer_01", "pathology": "MALIGNANT", "resolution": "43.5"}
    record = json.loads((tmp_path / "png" / "conversion.json").read_text())
    assert record["complete"] and record["converted"] == 4
    assert [view["image"].split("/")[-1] for view in record["left_out"]] == ["B_0002_1.RIGHT_CC.LJPEG"]
    assert "3.60 - v / 10000" in (tmp_path / "png" / "README.txt").read_text()


def test_grey_levels_are_the_files_own(tree, tmp_path, command):
    assert convert(command, tree, tmp_path / "grey", "--levels", "grey")[0] == 0
    for path in tree.rglob("A_*.LJPEG"):
        image = np.asarray(Image.open(tmp_path / "grey" / "images" / f"normal_01-{path.stem}.png"))
        assert image.dtype == np.uint16
        np.testing.assert_array_equal(image, ddsm.read_ljpeg(path))
    code, _, errors = convert(command, tree, tmp_path / "grey")
    assert code == 2 and "other --levels" in errors


def test_again_it_converts_only_what_is_missing_or_older_than_its_source(tree, tmp_path, command):
    output = tmp_path / "png"
    convert(command, tree, output)
    for path in output.rglob("*.png"):
        os.utime(path, (path.stat().st_atime, time.time() + 10))  # to see which are written anew
    before = {path: path.stat().st_mtime for path in output.rglob("*.png")}
    (output / "images" / "normal_01-A_0001_1.LEFT_CC.png").unlink()
    overlay = next(tree.rglob("B_0002_1.LEFT_MLO.OVERLAY"))
    overlay.write_text(overlay.read_text().replace("SUBTLETY 3", "SUBTLETY 4"))
    os.utime(overlay, (0, 0))  # an older file in its place
    (output / "images" / ".x.png.1-1.partial").write_bytes(b"left by a kill")
    assert convert(command, tree, output)[0] == 0
    changed = {path.name for path, changed in before.items() if path.stat().st_mtime != changed}
    assert changed == {"normal_01-A_0001_1.LEFT_CC.png", "cancer_01-B_0002_1.LEFT_MLO.png"}
    assert not list(output.rglob("*.partial"))


@pytest.mark.parametrize("spoil", [
    lambda path: path.write_bytes(path.read_bytes()[:-20]), lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(path.read_bytes()[:40])])
def test_a_png_file_that_was_cut_off_is_written_anew(tree, tmp_path, command, spoil):
    convert(command, tree, tmp_path / "png")
    paths = sorted((tmp_path / "png").glob("*/cancer_01-B_0002_1.LEFT_CC.png"))
    whole = [path.read_bytes() for path in paths]
    assert len(paths) == 2
    for path in paths:
        spoil(path)
        assert convert(command, tree, tmp_path / "png")[0] == 0
    assert [path.read_bytes() for path in paths] == whole


def test_a_mask_is_that_of_the_overlay_that_is_there_now(tree, tmp_path, command, box):
    """Whatever the times of the files: copies and archives bring older ones."""
    convert(command, tree, tmp_path / "png")
    overlay = next(tree.rglob("B_0002_1.LEFT_CC.OVERLAY"))
    overlay.write_text(overlay.read_text().replace(box(10, 5), box(20, 15)))
    os.utime(overlay, (1, 1))
    assert convert(command, tree, tmp_path / "png")[0] == 0
    mask = np.asarray(Image.open(tmp_path / "png/masks/cancer_01-B_0002_1.LEFT_CC.png"))
    assert mask[20:24, 15:20].all() and mask.sum() == 255 * 20


def test_two_women_of_one_number_are_both_converted(tree, tmp_path, command, make_case, box):
    make_case(tree / "benigns/benign_01/case0002", "B-0002", "LUMISYS LASER", LEFT_CC=[("BENIGN", box(1, 1))])
    rewrite_pixels(tree / "benigns/benign_01/case0002/B_0002_1.LEFT_CC.LJPEG", tree)
    assert convert(command, tree, tmp_path / "png")[0] == 0
    with open(tmp_path / "png" / "ddsm.csv", newline="") as file:
        rows = {row["image"]: row for row in csv.DictReader(file)}
    women = {name: rows[f"images/{name}-B_0002_1.LEFT_CC.png"] for name in ("cancer_01", "benign_01")}
    assert {name: (row["patient"], row["label"]) for name, row in women.items()} == {
        "cancer_01": ("cancer_01/B-0002", "cancer"), "benign_01": ("benign_01/B-0002", "benign")}
    for name, row in women.items():
        path = next(path for path in tree.rglob("B_0002_1.LEFT_CC.LJPEG") if name in path.parts)
        assert np.array_equal(open_dataset(tmp_path / "png", 0).mammograms[list(rows).index(row["image"])].image(),
                              brightness("B/LUMISYS")[ddsm.read_ljpeg(path)])


def rewrite_pixels(path, tree):
    """Those of another film of the same size."""
    path.write_bytes(next(tree.rglob("A_0001_1.RIGHT_CC.LJPEG")).read_bytes())


def test_a_folder_that_may_not_be_listed_is_an_error(tree, tmp_path, command, monkeypatch):
    listed = os.scandir

    def scandir(place):
        if os.fspath(place).endswith("case0002"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(place))
        return listed(place)

    monkeypatch.setattr(os, "scandir", scandir)
    code, _, errors = convert(command, tree, tmp_path / "png")
    assert code == 1 and "case0002: cannot be read (Permission denied)" in errors
    with pytest.raises(Failure, match=r"case0002: cannot be read \(Permission denied\)"):
        open_dataset(tree, seed=0)
    other = tmp_path / "disk"  # no DDSM, and a folder of the system's beside it
    (other / "case0002").mkdir(parents=True)
    (other / "labels.csv").write_text("image,label,patient\na.png,normal,P\n")
    Image.fromarray(np.eye(8, dtype=np.uint8)).save(other / "a.png")
    assert len(open_dataset(other, seed=0).mammograms) == 1


def test_a_view_of_more_pixels_than_allowed_is_left_out_and_counted(tree, tmp_path, command):
    code, printed, errors = convert(command, tree, tmp_path / "png", "--max-pixels", 1199)
    assert code == 1 and "30 x 40 pixels (width x height), more than 1199" in errors and "Converted: 0 views" in printed
    assert convert(command, tree, tmp_path / "png", "--max-pixels", 1200)[0] == 0
    for wrong in ("0", "-1", "²", "9" * 5000, "nan"):
        assert convert(command, tree, tmp_path / "png", f"--max-pixels={wrong}")[0] == 2


def test_a_damaged_and_an_absent_image_do_not_stop_the_others(tree, tmp_path, command):
    damaged, absent = next(tree.rglob("A_0001_1.LEFT_CC.LJPEG")), next(tree.rglob("B_0002_1.LEFT_CC.LJPEG"))
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:-200])
    absent.unlink()
    code, printed, errors = convert(command, tree, tmp_path / "png")
    assert code == 1 and "1 .LJPEG files are absent and 1 damaged or not to be read" in errors
    assert "conversion.json lists them" in errors
    assert "Converted: 2 views" in printed
    assert [one.name for one in open_dataset(tmp_path / "png", seed=0).mammograms] == [
        "images/cancer_01-B_0002_1.LEFT_MLO.png", "images/normal_01-A_0001_1.RIGHT_CC.png"]
    details = {view["reason"]: view["detail"]
               for view in json.loads((tmp_path / "png" / "conversion.json").read_text())["left_out"]}
    assert "is truncated" in details[convert_ddsm.DAMAGED]
    damaged.write_bytes(whole)
    assert "Converted: 3 views" in convert(command, tree, tmp_path / "png")[1]


@pytest.mark.parametrize(("change", "message"), [
    (lambda tree, output: (tree / "nothing", output), "expected a folder with cases of DDSM"),
    (lambda tree, output: (output.parent, output), "is inside"),
    (lambda tree, output: (tree, tree / "png"), "is inside"),
    (lambda tree, output: (tree, next(tree.rglob("*.ics"))), "is inside"),
])
def test_wrong_calls(tree, tmp_path, command, change, message):
    data, output = change(tree, tmp_path / "png")
    code, _, errors = convert(command, data, output)
    assert code == 2 and message in errors
    assert not (tmp_path / "png").exists()


def test_a_folder_with_other_things_is_left_alone(tree, tmp_path, command):
    (tmp_path / "png").mkdir()
    (tmp_path / "png" / "thesis.txt").write_text("mine")
    code, _, errors = convert(command, tree, tmp_path / "png")
    assert code == 2 and "expected a new or an empty folder" in errors
    assert [path.name for path in (tmp_path / "png").iterdir()] == ["thesis.txt"]
    assert command(convert_ddsm.main, "--data", tree, "--output", tmp_path / "new", "--workers", 0)[0] == 2


def test_killed_and_given_again_it_ends_as_if_nothing_had_happened(tree, tmp_path, make_case, command):
    for number in range(10, 40):
        make_case(tree / f"normals/normal_02/case00{number}", f"A-00{number}", "DBA 21", LEFT_CC=[], RIGHT_CC=[])
    assert convert(command, tree, tmp_path / "whole")[0] == 0
    process = subprocess.Popen([sys.executable, "-m", "experiments.convert_ddsm", "--data", tree, "--output",
                                tmp_path / "png", "--workers", "2"], stderr=subprocess.DEVNULL, text=True)
    deadline = time.monotonic() + 60
    while len(list((tmp_path / "png").rglob("*.png"))) < 1 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert convert(command, tree, tmp_path / "png")[0] == 0
    files = [{path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
             for folder in (tmp_path / "whole", tmp_path / "png")]
    assert files[0] == files[1] and len(files[0]) == 64 + 2 + 3
