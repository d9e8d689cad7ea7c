"""The DDSM reader on small cases: labels, what is left out and why, optical density."""
import pickle
import shutil
from collections import Counter

import numpy as np
import pytest

from experiments.datasets import ddsm, open_dataset
from experiments.datasets.ddsm import films
from experiments.datasets.ddsm.density import DIGITIZERS, about_levels, brightness, optical_density
from experiments.inputs.preprocessing import Preprocessing, preprocess
from experiments.system.errors import Failure, UsageError


@pytest.fixture
def tree(tmp_path, make_case, box):
    """A small DDSM in which everything happens that is no error of the user's."""
    root = tmp_path / "DDSM"
    make_case(root / "normals/normal_01/case0001", "A-0001", "DBA 21", LEFT_CC=[], RIGHT_CC=[])
    make_case(root / "cancers/cancer_01/case0002", "B-0002", "LUMISYS LASER",
              LEFT_CC=[("MALIGNANT", box(10, 5)), ("MALIGNANT", box(20, 15))], LEFT_MLO=[("BENIGN", box(3, 3))],
              RIGHT_CC=[], RIGHT_MLO=[("MALIGNANT", box(3, 3)), ("BENIGN", box(8, 8))])
    make_case(root / "benigns/benign_01/case0003", "C-0003", "LUMISYS LASER",
              LEFT_CC=[("BENIGN", box(9, 9)), ("BENIGN_WITHOUT_CALLBACK", box(9, 9))],
              LEFT_MLO=[("UNPROVEN", box(9, 9))], RIGHT_CC=[("MALIGNANT", box(9, 9))])
    make_case(root / "benign_without_callbacks/benign_without_callback_01/case0004", "D-0004",
              LEFT_CC=[("BENIGN_WITHOUT_CALLBACK", box(9, 9))])
    return root


def test_labels_patients_sources_and_what_is_left_out(tree):
    data = open_dataset(tree, seed=0)
    assert data.name == "DDSM"
    assert [(one.name.split("/")[-1], one.patient, one.label, one.source) for one in data.mammograms] == [
        ("D_0004_1.LEFT_CC.LJPEG", "benign_without_callback_01/D-0004", "benign", "D/HOWTEK"),
        ("C_0003_1.LEFT_CC.LJPEG", "benign_01/C-0003", "benign", "C/LUMISYS"),
        ("B_0002_1.LEFT_CC.LJPEG", "cancer_01/B-0002", "cancer", "B/LUMISYS"),
        ("B_0002_1.LEFT_MLO.LJPEG", "cancer_01/B-0002", "benign", "B/LUMISYS"),
        ("A_0001_1.LEFT_CC.LJPEG", "normal_01/A-0001", "normal", "A/DBA"),
        ("A_0001_1.RIGHT_CC.LJPEG", "normal_01/A-0001", "normal", "A/DBA")]
    assert data.mammograms[2].name == "cancers/cancer_01/case0002/B_0002_1.LEFT_CC.LJPEG"
    assert data.excluded == {films.UNPROVEN: 1, films.CONTRADICTION: 1, films.UNMARKED: 1, films.HYBRID: 1}


def test_breasts_and_facts(tree):
    told = {one.name.split("/")[-1]: (one.breast, one.part, dict(one.facts))
            for one in open_dataset(tree, seed=0).mammograms}
    shared = {"density": "3", "age": "37"}
    assert told["B_0002_1.LEFT_MLO.LJPEG"] == ("left", "", {"view": "MLO", "scanner": "B/LUMISYS", "finding": "mass",
                                                            **shared})
    assert told["A_0001_1.RIGHT_CC.LJPEG"] == ("right", "", {"view": "CC", "scanner": "A/DBA", **shared})


def test_pixels_and_masks(tmp_path, make_case, box):
    pixels = make_case(tmp_path, "D-0001", LEFT_CC=[("MALIGNANT", box(10, 5)), ("MALIGNANT", box(20, 15))])
    mammogram, = open_dataset(tmp_path, seed=0).mammograms
    image, mask = pickle.loads(pickle.dumps(mammogram)).load()
    density = 3.96604095 - 0.00099055808 * pixels["LEFT_CC"]
    assert image.dtype == np.uint16
    np.testing.assert_allclose(3.6 - image / 10000, density.clip(0.05, 3.6), atol=0.5001e-4)
    expected = np.zeros(image.shape, dtype=bool)
    expected[10:14, 5:10] = expected[20:24, 15:20] = True
    np.testing.assert_array_equal(mask, expected)


def test_a_single_case_outside_of_any_volume(tmp_path, make_case, box):
    make_case(tmp_path / "one", "A-0001", "HOWTEK 43.5", LEFT_CC=[], RIGHT_CC=[])
    assert [one.label for one in open_dataset(tmp_path / "one", seed=0).mammograms] == ["normal", "normal"]
    make_case(tmp_path / "two", "A-0001", "HOWTEK 43.5", LEFT_CC=[("MALIGNANT", box(1, 1))], RIGHT_CC=[])
    data = open_dataset(tmp_path / "two", seed=0)
    assert [one.label for one in data.mammograms] == ["cancer"] and data.excluded == {films.UNMARKED: 1}
    make_case(tmp_path / "cancer_07", "A-0001", "HOWTEK 43.5", LEFT_CC=[], RIGHT_CC=[])
    with pytest.raises(Failure, match=r"none of its 2 views can be used, first .*no lesion marked"):
        open_dataset(tmp_path / "cancer_07", seed=0)


def spoil_overlay(case):
    path = case / "B_0002_1.LEFT_CC.OVERLAY"
    path.write_text(path.read_text().replace("MALIGNANT", "MALIGN", 1))


def spoil_ics(case):
    (case / "B-0002-1.ics").write_text("DIGITIZER LUMISYS\nLEFT_CC LINES\n")


def unlist(case):
    path = case / "B-0002-1.ics"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if "LEFT_CC" not in line))


def flag_as_unmarked(case):
    path = case / "B-0002-1.ics"
    path.write_text(path.read_text().replace("43.5 OVERLAY", "43.5 NON_OVERLAY"))


@pytest.mark.parametrize(("spoil", "reason", "count", "detail"), [
    (spoil_overlay, films.BAD_OVERLAY, 1, r"B_0002_1.LEFT_CC.OVERLAY, line 6: expected PATHOLOGY"),
    (lambda case: (case / "B_0002_1.LEFT_CC.OVERLAY").unlink(), films.BAD_OVERLAY, 1, "No such file"),
    (spoil_ics, films.BAD_ICS, 4, r"B-0002-1.ics, line 2: cannot understand 'LEFT_CC LINES'"),
    (lambda case: (case / "B-0002-1.ics").unlink(), films.BAD_ICS, 4, "B-0002-1.ics: cannot be read (No such file"),
    (unlist, films.UNLISTED, 1, ""),
    (flag_as_unmarked, films.CONTRADICTION, 4, "NON_OVERLAY, and there is an .OVERLAY"),
    (lambda case: shutil.copytree(case, case.with_name("again")), films.REPEATED, 4, ""),
])
def test_a_defect_of_one_case_leaves_out_its_views_only(tree, spoil, reason, count, detail):
    before = open_dataset(tree, seed=0)
    spoil(tree / "cancers/cancer_01/case0002")
    data = open_dataset(tree, seed=0)
    others = [one.name for one in before.mammograms if "case0002" not in one.name]
    assert [one.name for one in data.mammograms if "B_0002" not in one.name] == others
    _, left_out = ddsm.open_films(tree)
    found = [view for view in left_out if view.reason == reason and "B_0002" in view.image.name]
    assert data.excluded == Counter(view.reason for view in left_out)
    if reason == films.CONTRADICTION:
        count -= 1  # RIGHT_CC has no .OVERLAY file: it is just unmarked
    assert len(found) == count and all(detail in view.detail for view in found), left_out


def test_one_number_in_two_volumes_names_two_women(tree, make_case):
    case = tree / "cancers/cancer_02/case0001"
    make_case(case, "A-0001", "DBA 21", LEFT_CC=[], RIGHT_CC=[])
    for view in ("LEFT_CC", "RIGHT_CC"):  # other films than those of the first woman
        (case / f"A_0001_1.{view}.LJPEG").write_bytes((tree / f"cancers/cancer_01/case0002/B_0002_1.{view}.LJPEG"
                                                       ).read_bytes())
    make_case(case.parents[2] / "normals/normal_09/case0001", "A-0001", "DBA 21", LEFT_CC=[])
    other = case.parents[2] / "normals/normal_09/case0001/A_0001_1.LEFT_CC.LJPEG"
    other.write_bytes((tree / "benigns/benign_01/case0003/C_0003_1.LEFT_MLO.LJPEG").read_bytes())
    data = open_dataset(tree, seed=0)
    women = {one.patient: one.label for one in data.mammograms if "A_0001" in one.name}
    assert women == {"normal_01/A-0001": "normal", "normal_09/A-0001": "normal"}  # cancer_02 shows no lesion
    assert films.REPEATED not in data.excluded and data.excluded[films.UNMARKED] == 3


@pytest.mark.parametrize("images", [True, False])
def test_a_case_that_stands_in_two_volumes_with_the_same_files_is_a_repeat(tree, images):
    """Told by an image; where none is left in either, by the .ics file."""
    first, again = tree / "cancers/cancer_01/case0002", tree / "cancers/cancer_07/case0815"
    shutil.copytree(first, again)
    for path in again.glob("*LEFT*.LJPEG"):
        path.write_bytes(path.read_bytes()[:100])  # a repeat is one although two of its images were cut off
    if not images:
        for path in [*first.glob("*.LJPEG"), *again.glob("*.LJPEG")]:
            path.unlink()
    _, left_out = ddsm.open_films(tree)
    repeats = [view for view in left_out if view.reason == films.REPEATED]
    assert len(repeats) == (4 if images else 1)
    assert all(view.image.parent == again and view.detail == f"first in {first}" for view in repeats)


def test_patients_do_not_depend_on_what_else_is_read(tree):
    whole = {one.name.split("/")[-1]: one.patient for one in open_dataset(tree, seed=0).mammograms}
    for volume in ("cancers/cancer_01", "normals/normal_01", "normals"):
        for one in open_dataset(tree / volume, seed=0).mammograms:
            assert one.patient == whole[one.name.split("/")[-1]]


def test_absent_images_are_a_failure_that_names_them(tree):
    next(tree.rglob("A_0001_1.LEFT_CC.LJPEG")).unlink()
    with pytest.raises(Failure, match=r"1 of 10 views have no \.LJPEG file: .*A_0001_1\.LEFT_CC\.LJPEG\. Copy them"):
        open_dataset(tree, seed=0)


def test_a_truncated_image_is_a_failure_when_it_is_loaded(tree):
    path = next(tree.rglob("A_0001_1.LEFT_CC.LJPEG"))
    path.write_bytes(path.read_bytes()[:-100])
    mammogram = next(one for one in open_dataset(tree, seed=0).mammograms if one.name.endswith(path.name))
    with pytest.raises(Failure, match=r"A_0001_1\.LEFT_CC\.LJPEG: is truncated"):
        mammogram.load()


def test_fingerprint_follows_image_ics_and_overlay(tree):
    before = {one.name: one.fingerprint for one in open_dataset(tree, seed=0).mammograms}
    for name in ("B_0002_1.LEFT_CC.OVERLAY", "A-0001-1.ics", "D_0004_1.LEFT_CC.LJPEG"):
        path = next(tree.rglob(name))
        path.write_bytes(path.read_bytes() + b"\n")
    after = {one.name: one.fingerprint for one in open_dataset(tree, seed=0).mammograms}
    assert {name.split("/")[-1][:8] for name in before if before[name] != after[name]} == {
        "B_0002_1", "A_0001_1", "D_0004_1"}
    assert sum(before[name] == after[name] for name in before) == 2


def test_links_to_folders_are_followed_once(tmp_path, make_case):
    make_case(tmp_path / "disk" / "case0001", "A-0001", "DBA 21", LEFT_CC=[])
    (tmp_path / "DDSM" / "normals").mkdir(parents=True)
    (tmp_path / "DDSM" / "normals" / "normal_01").symlink_to(tmp_path / "disk")
    (tmp_path / "DDSM" / "normals" / "around").symlink_to(tmp_path / "DDSM")
    make_case(tmp_path / "disk2" / "case0002", "A-0002", "DBA 21", LEFT_CC=[])
    (tmp_path / "DDSM" / "cancer_01").symlink_to(tmp_path / "disk2")
    data = open_dataset(tmp_path / "DDSM", seed=0)
    assert [one.name for one in data.mammograms] == ["normals/normal_01/case0001/A_0001_1.LEFT_CC.LJPEG"]
    assert data.excluded == {films.UNMARKED: 1}  # by the name of the link


def test_other_ics_files_are_no_ddsm(tmp_path):
    (tmp_path / "holidays.ics").write_text("BEGIN:VCALENDAR")
    with pytest.raises(UsageError, match="no data set was recognised"):
        open_dataset(tmp_path, seed=0)


def test_optical_density_at_known_grey_levels():
    assert optical_density("A/DBA")[[0, 1, 10, 65535]] == pytest.approx([3.6, 3.6, 4.26700423 - 0.90303290, 0.05])
    assert optical_density("A/DBA")[1000] == pytest.approx(1.55790553)
    assert optical_density("B/LUMISYS")[2000] == pytest.approx(2.07815893)
    assert optical_density("A/HOWTEK")[[0, 4095]] == pytest.approx([3.6, 0.05])


@pytest.mark.parametrize("digitizer", DIGITIZERS)
def test_brightness_grows_with_the_grey_level_and_merges_none_of_12_bits(digitizer):
    levels = brightness(digitizer).astype(int)
    assert (levels.min(), levels.max()) == (0, 35500) and (np.diff(levels) >= 0).all()
    inside = levels[(levels > 0) & (levels < 35500)]
    if digitizer != "A/DBA":
        assert (np.diff(inside) > 0).all()
    for kind in ("density", "grey"):
        assert digitizer in about_levels(kind)


def test_tissue_is_bright_after_preprocessing(tmp_path, encode):
    grey = np.full((64, 64), 300, dtype=np.uint16)  # film without breast: dark, few photons, a low grey level
    grey[20:44, 20:44] = 3000
    (tmp_path / "A_0001_1.LEFT_CC.LJPEG").write_bytes(encode(grey))
    (tmp_path / "A-0001-1.ics").write_text("DIGITIZER HOWTEK 43.5\nLEFT_CC LINES 64 PIXELS_PER_LINE 64 BITS_PER_PIXEL "
                                           "12 RESOLUTION 43.5 NON_OVERLAY\n")
    mammogram, = open_dataset(tmp_path, seed=0).mammograms
    image = preprocess(mammogram.image(), None, Preprocessing(side=32, working_side=64), "it").image
    assert image[16, 16] > 0.9 and image[2, 2] < 0.1


def test_recognise_the_real_folder_and_miss_its_images(real):
    with pytest.raises(Failure, match=r"views have no \.LJPEG file: .*D_4000_1\.LEFT_CC\.LJPEG"):
        open_dataset(real, seed=0)
