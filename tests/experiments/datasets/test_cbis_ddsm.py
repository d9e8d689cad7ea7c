"""The CBIS-DDSM reader, on small trees of DICOM files made here and on the real CSV files where they are."""
import csv
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import experiments
from experiments import end2end
from experiments.datasets import cbis_ddsm, open_dataset
from experiments.datasets.cbis_ddsm import HYBRID, LOSSY, NO_IMAGE, NO_MASK, OTHER_SHAPE
from experiments.datasets.cbis_ddsm.tables import COLUMNS, FIRST_RELEASE, NAMES, read_tables
from experiments.datasets.images.reading import read_image
from experiments.system.errors import Failure

pydicom = pytest.importorskip("pydicom")

REAL = Path(experiments.__file__).parents[1] / "../shared/data/cbis-ddsm"
H, W = 60, 40


def write_dicom(path, pixels, photometric="MONOCHROME2"):
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    file = pydicom.dataset.FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    file.Rows, file.Columns = pixels.shape
    file.SamplesPerPixel, file.PhotometricInterpretation, file.PixelRepresentation = 1, photometric, 0
    bits = 8 * pixels.dtype.itemsize
    file.BitsAllocated, file.BitsStored, file.HighBit = bits, bits, bits - 1
    file.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save_as(path)


def film(seed=0, shape=(H, W)):
    return np.random.default_rng(seed).integers(1, 65536, shape, dtype=np.uint16)


def spot(row, column, shape=(H, W), size=6):
    mask = np.zeros(shape, dtype=np.uint8)
    mask[row:row + size, column:column + size] = 255
    return mask


class Download:
    """A tree as TCIA distributes it: classic with the UIDs' folders, newer with shortened ones, or by series alone."""

    def __init__(self, folder, layout):
        folder.mkdir(exist_ok=True)
        self.folder, self.layout, self.rows, self.uids = folder, layout, {name: [] for name in NAMES}, 0

    def place(self, subject, kind):
        self.uids += 1
        study, series = f"1.3.6.1.4.1.9590.100.1.2.1{self.uids:012d}", f"1.3.6.1.4.1.9590.100.1.2.2{self.uids:012d}"
        below = {
            "classic": f"CBIS-DDSM/{subject}/{study}/{series}",
            "newer": f"manifest-1/CBIS-DDSM/{subject}/07-20-2016-DDSM-NA-{study[-5:]}/1.000000-{kind}-{series[-5:]}",
            "series": f"tciaDownload/{series}"}[self.layout]
        return self.folder / below, f"{subject}/{study}/{series}"

    def names(self, count):
        return [f"00000{i}.dcm" if self.layout == "classic" else f"1-{i + 1}.dcm" for i in range(count)]

    def image(self, subject, pixels=None, **more):
        folder, cell = self.place(subject, "full mammogram images")
        write_dicom(folder / self.names(1)[0], film() if pixels is None else pixels, **more)
        return f"{cell}/000000.dcm"

    def roi(self, subject, *files):
        """The files in their order under the names of the layout; the cells always claim the crop to be the first."""
        folder, cell = self.place(subject, "ROI mask images")
        for name, pixels in zip(self.names(len(files)), files, strict=True):
            write_dicom(folder / name, pixels)
        return f"{cell}/000000.dcm", f"{cell}/000001.dcm\n"

    def row(self, table, patient, breast, view, number, pathology, image, roi, density="3"):
        self.rows[table].append(dict(zip(
            (*COLUMNS, "abnormality id", "breast_density", "abnormality type"),
            (patient, breast, view, pathology, image, *roi, number, density, table[:4]), strict=True)))

    def write_tables(self):
        for name, rows in self.rows.items():
            with open(self.folder / name, "w", newline="") as file:
                writer = csv.DictWriter(file, (*COLUMNS, "abnormality id", "breast_density", "abnormality type"))
                writer.writeheader()
                writer.writerows(rows)
        return self.folder


MASS, CALC = NAMES[0], NAMES[3]


def download(folder, layout="classic", film=film, spot=spot):
    """A cancer with two masses, a benign film listed among masses and calcifications, a hybrid of the same kind."""
    made = Download(folder, layout)
    image = made.image("Mass-Training_P_00001_LEFT_CC", film())
    crop = film(1, (9, 8))
    for number, files in ((1, (crop, spot(5, 5))), (2, (spot(30, 20), crop))):  # mask and crop exchanged
        made.row(MASS, "P_00001", "LEFT", "CC", number, "MALIGNANT", image,
                 made.roi(f"Mass-Training_P_00001_LEFT_CC_{number}", *files))
    for patient, pathology in (("P_00002", "BENIGN"), ("P_00003", "MALIGNANT")):
        for kind, table, number, row, named in (
                ("Mass-Training", MASS, 1, 10, pathology), ("Calc-Test", CALC, 2, 40, "BENIGN_WITHOUT_CALLBACK")):
            subject = f"{kind}_{patient}_RIGHT_MLO"
            made.row(table, patient, "RIGHT", "MLO", number, named, made.image(subject, film()),
                     made.roi(f"{subject}_{number}", spot(row, 3), crop))
    return made


@pytest.mark.parametrize("layout", ["classic", "newer", "series"])
def test_views_of_every_layout(tmp_path, layout):
    data = open_dataset(download(tmp_path, layout).write_tables(), seed=0)
    assert data.name == "CBIS-DDSM" and "no normal" in " ".join(data.notes)
    assert [(one.name, one.patient, one.label, one.source) for one in data.mammograms] == [
        ("Mass-Training_P_00001_LEFT_CC", "P_00001", "cancer", "cbis-ddsm"),
        ("Mass-Training_P_00002_RIGHT_MLO", "P_00002", "benign", "cbis-ddsm")]
    assert [(one.breast, one.part, dict(one.facts)) for one in data.mammograms] == [
        ("left", "", {"view": "CC", "density": "3", "finding": "mass"}),
        ("right", "", {"view": "MLO", "density": "3", "finding": "calc, mass"})]
    assert data.excluded == {HYBRID: 1}
    image, mask = data.mammograms[0].load()
    np.testing.assert_array_equal(image, film())
    np.testing.assert_array_equal(mask, (spot(5, 5) | spot(30, 20)) > 0)
    np.testing.assert_array_equal(data.mammograms[1].mask(), (spot(10, 3) | spot(40, 3)) > 0)


def test_mask_and_crop_in_series_of_their_own(tmp_path):
    made = Download(tmp_path, "classic")
    subject = "Mass-Training_P_00001_LEFT_CC"
    (crop, _), (mask, _) = made.roi(f"{subject}_1", film(1, (9, 8))), made.roi(f"{subject}_1", spot(5, 5))
    image = made.image(subject)
    made.row(MASS, "P_00001", "LEFT", "CC", 1, "BENIGN", image, (mask, crop))  # and exchanged in the table
    np.testing.assert_array_equal(open_dataset(made.write_tables(), 0).mammograms[0].mask(), spot(5, 5) > 0)


def one_view(folder, *files, image=None, subject="Mass-Training_P_00001_LEFT_CC", **more):
    made = Download(folder, "newer")
    made.row(MASS, "P_00001", "LEFT", "CC", 1, "BENIGN", made.image(subject, image, **more),
             made.roi(f"{subject}_1", *files))
    return made.write_tables()


def test_a_crop_as_large_as_its_image_is_told_by_its_values(tmp_path):
    data = open_dataset(one_view(tmp_path, film(1), spot(5, 5)), 0)
    np.testing.assert_array_equal(data.mammograms[0].mask(), spot(5, 5) > 0)


def test_tissue_is_bright_whatever_the_polarity(tmp_path):
    data = open_dataset(one_view(tmp_path, spot(5, 5), photometric="MONOCHROME1"), 0)
    np.testing.assert_array_equal(data.mammograms[0].image(), 65535 - film())


def test_a_mask_at_another_scale_is_brought_to_the_size_of_the_image(tmp_path):
    shape = (round(H / 1.15), round(W / 1.15))
    mask = open_dataset(one_view(tmp_path, spot(10, 10, shape, 20)), 0).mammograms[0].mask()
    assert mask.shape == (H, W)
    rows, columns = np.nonzero(mask)
    for place in (rows, columns):
        assert abs(place.min() - 10 * 1.15) <= 1 and abs(place.max() + 1 - 30 * 1.15) <= 1


def test_what_is_absent_or_does_not_fit_is_left_out_and_counted(tmp_path):
    made = download(tmp_path)
    for patient, image, files in (
            ("P_00004", None, [spot(1, 1)]), ("P_00005", film(), []), ("P_00006", film(), [film(2, (9, 8))]),
            ("P_00007", film(), [film(2, (9, 8)), spot(1, 1, (H + 20, W))])):
        subject = f"Mass-Training_{patient}_LEFT_CC"
        cell = f"{subject}/1.1/1.2/000000.dcm" if image is None else made.image(subject, image)
        made.row(MASS, patient, "LEFT", "CC", 1, "BENIGN", cell, made.roi(f"{subject}_1", *files))
    data = open_dataset(made.write_tables(), 0)
    assert data.excluded == {HYBRID: 1, NO_IMAGE: 1, NO_MASK: 2, OTHER_SHAPE: 1}
    assert {one.patient for one in data.mammograms} == {"P_00001", "P_00002"}


def test_a_download_without_any_image_says_what_is_expected_where(tmp_path):
    made = download(tmp_path)
    made.write_tables()
    shutil.rmtree(tmp_path / "CBIS-DDSM")
    with pytest.raises(Failure, match=r"none of the 3 mammograms.* 2 listed .*, image not in the folder.*"
                                      r"CBIS-DDSM/Mass-Training_P_00001_LEFT_CC/\.\.\./1-1\.dcm \(the image\) and "
                                      r"\.\.\./Mass-Training_P_00001_LEFT_CC_1/"):
        open_dataset(tmp_path, 0)


@pytest.mark.parametrize(("files", "message"), [
    ([np.zeros((H, W), np.uint8)], r"1-1\.dcm: the mask is empty.*train_set\.csv, line 2, lists"),
    ([film(2)], r"train_set\.csv, line 2: .*1-1\.dcm should be a mask and has more than two grey levels")])
def test_what_is_no_mask_names_file_and_line(tmp_path, files, message):
    data = open_dataset(one_view(tmp_path, *files), 0)
    with pytest.raises(Failure, match=message):
        data.mammograms[0].load()


def test_a_film_that_is_there_twice(tmp_path):
    one_view(tmp_path, spot(5, 5))
    shutil.copytree(tmp_path / "manifest-1", tmp_path / "manifest-2")
    with pytest.raises(Failure, match=r"train_set\.csv, line 2: expected one image, found 2: .*manifest-1.*manifest-2"):
        open_dataset(tmp_path, 0)


@pytest.mark.parametrize("spoil", ["pixels", "header", "cut off"])
def test_a_damaged_dicom_is_named(tmp_path, spoil):
    one_view(tmp_path, spot(5, 5))
    path = next(tmp_path.rglob("*full mammogram*/1-1.dcm"))
    if spoil == "pixels":
        file = pydicom.dcmread(path)
        del file.PixelData
        file.save_as(path)
    else:
        path.write_bytes(path.read_bytes()[:-20] if spoil == "cut off" else b"not DICOM")
    with pytest.raises(Failure, match=r"full mammogram.*1-1\.dcm: cannot be read as DICOM"):
        open_dataset(tmp_path, 0).mammograms[0].load()


GOOD = "P_1,LEFT,CC,BENIGN,a/b/c/0.dcm,\"a_1/b/c/0.dcm\n\",a_1/b/c/1.dcm\n"


@pytest.mark.parametrize(("text", "message"), [
    ("", r"lacks the column\(s\) patient_id"),
    ("patient_id,pathology\n", r"lacks the column\(s\) left or right breast"),
    (",".join(COLUMNS) + "\n", "list no images"),
    (",".join(COLUMNS) + "\n" + GOOD + GOOD.replace("BENIGN", "UNPROVEN"), r"line 4: unknown pathology 'UNPROVEN'"),
    (",".join(COLUMNS) + "\n" + GOOD + "P_2,LEFT\n", r"line 4: has 2 cells, the header 7\. Is the line cut off"),
    (",".join(COLUMNS) + "\n" + GOOD.replace("a/b/c/0.dcm", "0.dcm"), r"line 2, image file path: '0\.dcm' is no path"),
    (",".join(COLUMNS) + "\n" + GOOD.replace("BENIGN", "BÉNIN"), "CSV file in UTF-8"),
    (",".join(COLUMNS) + "\n" + GOOD[:-20], "cannot be read as a CSV file")])
def test_malformed_tables(tmp_path, text, message):
    (tmp_path / NAMES[2]).write_bytes(text.encode("latin-1"))
    with pytest.raises(Failure, match=r"calc_case_description_train_set\.csv.*" + message):
        open_dataset(tmp_path, 0)


def test_the_fingerprint_follows_image_and_mask(tmp_path):
    one_view(tmp_path, film(1, (9, 8)), spot(5, 5))
    before = open_dataset(tmp_path, 0).mammograms[0].fingerprint
    assert open_dataset(tmp_path, 1).mammograms[0].fingerprint == before
    write_dicom(next(tmp_path.rglob("*ROI*/1-2.dcm")), spot(5, 6))
    assert open_dataset(tmp_path, 0).mammograms[0].fingerprint != before


@pytest.fixture
def collection(tmp_path):
    """Twelve views of as many patients, half of them malignant; small, but whole."""
    made = Download(tmp_path / "cbis", "newer")
    for index in range(12):
        subject = f"Calc-Training_P_{index:05d}_LEFT_CC"
        made.row(NAMES[2], f"P_{index:05d}", "LEFT", "CC", 1, "BENIGN" if index % 2 else "MALIGNANT",
                 made.image(subject, film(index)), made.roi(f"{subject}_1", film(99, (9, 8)), spot(20, 10)))
    return made.write_tables()


def test_without_normal_images_the_command_says_what_can_be_done(collection, tmp_path, command, tiny_flags):
    code, _, errors = command(end2end.main, *tiny_flags(collection, tmp_path / "run"))
    assert code == 1 and "6 cancer, 0 normal, 6 benign" in errors
    assert "--normals DIR" in errors and "--classes 2" in errors
    assert not (tmp_path / "run").exists()


def test_two_classes(collection, tmp_path, command, tiny_flags):
    output = tmp_path / "run"
    code, printed, errors = command(end2end.main, *tiny_flags(collection, output), "--classes", 2, "--steps", 2)
    assert code == 0, errors
    assert "CBIS-DDSM has no normal mammograms" in printed
    assert "CBIS-DDSM has no normal mammograms" in (output / "tables.md").read_text()
    results = json.loads((output / "results.json").read_text())
    assert list(results["test"]["accuracy"]) == ["cancer", "benign", "mean"]


def test_normal_images_of_another_set(collection, drawn, tmp_path, command, tiny_flags):
    output = tmp_path / "run"
    code, printed, errors = command(end2end.main, *tiny_flags(collection, output), "--normals", drawn, "--steps", 2)
    assert code == 0, errors
    data = json.loads((output / "config.json").read_text())["data"]
    assert data["name"] == "CBIS-DDSM with normal images of synthetic" and data["images"] == 22
    assert data["train"]["normal"] + data["test"]["normal"] == 10
    assert any("All 10 normal images come from another set, synthetic" in note for note in data["notes"])
    assert "All 10 normal images come from another set" in printed
    assert "come from another set" in (output / "report.html").read_text()


def repackage(folder, suffix, layout):
    """The DICOM files of `folder` as pictures of 8 bits, in their places or below jpeg/ as the known repackaging."""
    for number, path in enumerate(sorted(folder.rglob("*.dcm"))):
        levels = read_image(path)
        picture = Image.fromarray((levels // 257 if levels.dtype == np.uint16 else levels).astype(np.uint8))
        place = folder / "jpeg" / path.parent.name / f"1-{100 + number}" if layout == "jpeg" else path
        place.parent.mkdir(parents=True, exist_ok=True)
        picture.save(place.with_suffix(suffix), quality=90)
        path.unlink()
    if layout == "jpeg":
        shutil.rmtree(folder / "CBIS-DDSM")
        (folder / "csv").mkdir()
        for table in folder.glob("*.csv"):
            table.rename(folder / "csv" / table.name)
        for name in ("dicom_info.csv", "meta.csv"):
            (folder / "csv" / name).write_text("file_path,image_path,SeriesInstanceUID\n")


def smooth(seed=0, shape=(240, 160)):
    """A film as smooth as tissue, which JPEG keeps."""
    rows, columns = np.mgrid[:shape[0], :shape[1]]
    return (30000 + 20000 * np.sin(rows / 29 + seed) * np.cos(columns / 23)).astype(np.uint16)


def large(row, column):
    return spot(row, column, (240, 160), 24)


@pytest.mark.parametrize(("suffix", "layout"), [(".jpg", "jpeg"), (".png", "classic"), (".png", "jpeg")])
def test_pictures_in_the_place_of_dicom(tmp_path, suffix, layout):
    download(tmp_path, film=smooth, spot=large).write_tables()
    before = open_dataset(tmp_path, 0)
    pixels = [mammogram.load() for mammogram in before.mammograms]
    repackage(tmp_path, suffix, layout)
    after = open_dataset(tmp_path, 0)
    assert after.name == "CBIS-DDSM" and after.excluded == before.excluded == {HYBRID: 1}
    for one, other, (image, mask) in zip(before.mammograms, after.mammograms, pixels, strict=True):
        assert (one.name, one.patient, one.label, one.breast, one.facts) == (
            other.name, other.patient, other.label, other.breast, other.facts)
        levels, marked = other.load()
        assert levels.dtype == np.uint8 and np.abs(levels - image / 257.0).max() < 8
        if suffix == ".png":
            np.testing.assert_array_equal(marked, mask)
        else:  # the edge of a mask may move by a pixel
            assert np.logical_xor(marked, mask).sum() < 0.1 * mask.sum()
    assert (LOSSY in after.notes) == (suffix == ".jpg") and LOSSY not in before.notes


def test_dicom_counts_where_a_picture_lies_beside_it(tmp_path):
    one_view(tmp_path, film(1, (9, 8)), spot(5, 5))
    for path in [*tmp_path.rglob("*.dcm")]:
        for name in (path.with_suffix(".png"), path.with_name("preview.jpg")):
            Image.fromarray(np.zeros((H, W), np.uint8)).save(name)
    image, mask = open_dataset(tmp_path, 0).mammograms[0].load()
    np.testing.assert_array_equal(image, film())
    np.testing.assert_array_equal(mask, spot(5, 5) > 0)


@pytest.mark.parametrize("level", [0, 7])
def test_an_empty_mask_in_a_jpeg_is_told_by_its_noise(tmp_path, level):
    download(tmp_path, film=smooth, spot=large).write_tables()
    repackage(tmp_path, ".jpg", "jpeg")
    noise = np.random.default_rng(0).integers(0, level + 1, (240, 160)).astype(np.uint8)
    row = next(line for line in (tmp_path / "csv" / MASS).read_text().splitlines() if line.startswith("P_00001"))
    for path in (tmp_path / "jpeg" / row.split(",")[5].split("/")[2]).iterdir():
        Image.fromarray(noise).save(path)
    with pytest.raises(Failure, match=r"1-\d+\.jpg: the mask is empty, its pixels are 0 to \d, but .*line 2, lists"):
        open_dataset(tmp_path, 0).mammograms[0].load()


def test_a_damaged_jpeg_is_named(tmp_path):
    download(tmp_path, film=smooth, spot=large).write_tables()
    repackage(tmp_path, ".jpg", "jpeg")
    next(iter(sorted((tmp_path / "jpeg").rglob("*.jpg")))).write_bytes(b"\xff\xd8\xff")
    with pytest.raises(Failure, match=r"1-\d+\.jpg: cannot be read as an image"):
        open_dataset(tmp_path, 0)


@pytest.mark.parametrize("prefix", ["", "CBIS-DDSM\\", ".\\CBIS-DDSM\\"])
def test_the_columns_and_paths_of_the_first_release(tmp_path, prefix):
    download(tmp_path).write_tables()
    expected = open_dataset(tmp_path, 0)
    for name in (MASS, CALC):
        with open(tmp_path / name, newline="") as file:
            rows = [{FIRST_RELEASE[column]: cell for column, cell in row.items() if column in FIRST_RELEASE}
                    | {"breast_density": row["breast_density"], "abn_num": row["abnormality id"]}
                    for row in csv.DictReader(file)]
        with open(tmp_path / name, "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows({column: prefix + cell.replace("/", "\\") if column.endswith("path") else cell
                              for column, cell in row.items()} for row in rows)
    found = open_dataset(tmp_path, 0)
    assert found.excluded == expected.excluded
    for one, other in zip(found.mammograms, expected.mammograms, strict=True):
        assert (one.name, one.patient, one.label, one.breast, one.fingerprint) == (
            other.name, other.patient, other.label, other.breast, other.fingerprint)
        assert dict(one.facts) == dict(other.facts) | {"finding": dict(other.facts)["finding"].replace(
            "calc", "calcification")}
        np.testing.assert_array_equal(one.mask(), other.mask())


real = pytest.mark.skipif(not REAL.is_dir(), reason="the real CBIS-DDSM excerpt is not beside the project")


def test_links_to_folders_around_are_followed_once(tmp_path):
    """Two links in each folder to each other would be walked 2^n times; images on another disk are found."""
    store = tmp_path / "disk"
    one_view(tmp_path / "set", spot(5, 5))
    (tmp_path / "set" / "manifest-1").rename(store)
    (tmp_path / "set" / "manifest-1").symlink_to(store)
    for number in range(30):
        folder = tmp_path / "set" / f"links{number:02d}"
        folder.mkdir()
        for name in ("one", "two"):
            (folder / name).symlink_to(tmp_path / "set" / f"links{(number + 1) % 30:02d}")
        (folder / "around").symlink_to(tmp_path / "set")
    data = open_dataset(tmp_path / "set", 0)
    np.testing.assert_array_equal(data.mammograms[0].mask(), spot(5, 5) > 0)


@pytest.mark.parametrize(("old", "new", "message"), [
    ("P_2,RIGHT", "P_2,LEFT", r"line 4: its image is listed as that of another view in .*line 2"),
    ("b/c/1.dcm", "a_1/b/c/1.dcm", r"line 4: its mask is listed already in .*line 2"),
    ("RIGHT", "BOTH", r"line 4: unknown breast or view, 'BOTH'"), ("MLO", "ML", r"line 4: unknown breast or view"),
    ("b/b/c/0.dcm", "../b/c/0.dcm", r"line 4, image file path: '\.\./b/c/0\.dcm' is no path"),
    ("b/b/c/0.dcm", "/b/c/0.dcm", r"line 4, image file path: '/b/c/0\.dcm' is no path"),
    ("P_2,", '"P_2,', r"line 4: "), ("BENIGN,b", 'BENIGN,"b', r"line 4: ")])
def test_rows_that_contradict_each_other(tmp_path, old, new, message):
    row = 'P_2,RIGHT,MLO,BENIGN,b/b/c/0.dcm,b_1/b/c/0.dcm,b/c/1.dcm\n'
    changed = row.replace("b/c/1.dcm\n", "b_1/b/c/1.dcm\n").replace("b/c/0.dcm,b_1", "b/c/0.dcm,b_1")
    if "mask" in message:
        changed = row.replace(old, new)
    elif "another view" in message:
        changed = changed.replace("b/b/c/0.dcm", "a/b/c/0.dcm")
    else:
        changed = changed.replace(old, new)
    (tmp_path / NAMES[2]).write_text(",".join(COLUMNS) + "\n" + GOOD + changed)
    with pytest.raises(Failure, match=r"calc_case_description_train_set\.csv, " + message):
        read_tables(tmp_path)


def test_a_column_that_stands_twice(tmp_path):
    (tmp_path / NAMES[2]).write_text(",".join((*COLUMNS, "Pathology")) + "\n" + GOOD)
    with pytest.raises(Failure, match="has the column 'pathology' 2 times"):
        read_tables(tmp_path)


def test_an_empty_or_inverted_mask_and_one_without_rows(tmp_path):
    data = open_dataset(one_view(tmp_path, 255 - spot(5, 5)), 0)
    with pytest.raises(Failure, match=r"train_set\.csv, line 2: the mask .*1-1\.dcm marks all four corners"):
        data.mammograms[0].load()
    path = next(tmp_path.rglob("*ROI*/1-1.dcm"))
    file = pydicom.dcmread(path)
    file.Rows = 0
    file.save_as(path)
    with pytest.raises(Failure, match=r"1-1\.dcm: its header says 40 x 0 pixels"):
        open_dataset(tmp_path, 0)


@real
def test_real_tables():
    views = read_tables(REAL)
    assert sum(map(len, views)) == 3568 and len(views) == 3032
    assert len({view[0].patient for view in views}) == 1566
    densities = Counter(row.density for view in views for row in view)
    assert densities == {"1": 536, "2": 1373, "3": 1103, "4": 554, "": 2}
    assert Counter(row.kind for view in views for row in view) == {"mass": 1696, "calcification": 1872}
    labels = Counter(tuple(sorted({row.label for row in view})) for view in views)
    assert labels == {("benign",): 1685, ("cancer",): 1314, ("benign", "cancer"): 33}
    assert sum(len({row.image.subject for row in view}) > 1 for view in views) == 71
    with pytest.raises(Failure, match="none of the 3032 mammograms"):
        open_dataset(REAL, 0)


@real
def test_real_tables_with_a_part_of_the_images(tmp_path):
    for name in NAMES:
        shutil.copy(REAL / name, tmp_path)
    shape = (600, 500)
    for subject in ("Mass-Test_P_00016_LEFT_CC", "Calc-Test_P_00038_LEFT_CC"):
        write_dicom(tmp_path / subject / "08-29-2017-DDSM-1/1.000000-full mammogram images-1/1-1.dcm", film(0, shape))
        folder = tmp_path / f"{subject}_1" / "08-29-2017-DDSM-2/1.000000-ROI mask images-2"
        write_dicom(folder / "1-2.dcm", spot(9, 9, shape))
        shutil.copy(REAL / f"dicom/{subject}_1.dcm", folder / "1-1.dcm")  # the real crops
    data = open_dataset(tmp_path, 0)
    assert [(one.name, one.label) for one in data.mammograms] == [("Calc-Test_P_00038_LEFT_CC", "benign")]
    assert data.excluded == {HYBRID: 33, NO_IMAGE: 2997, NO_MASK: 1}  # P_00016's film shows a calcification, too
    assert data.mammograms[0].mask().sum() == 36
    (tmp_path / NAMES[2]).unlink()
    assert [one.name for one in open_dataset(tmp_path, 0).mammograms if one.label == "cancer"] == [
        "Mass-Test_P_00016_LEFT_CC"]


@real
def test_real_crops_are_told_from_masks_by_their_values(tmp_path):
    crop = read_image(REAL / "dicom/Mass-Test_P_00016_LEFT_CC_1.dcm")
    one_view(tmp_path, crop, spot(5, 5, crop.shape), image=film(0, crop.shape))
    np.testing.assert_array_equal(cbis_ddsm.read(tmp_path).mammograms[0].mask(), spot(5, 5, crop.shape) > 0)
