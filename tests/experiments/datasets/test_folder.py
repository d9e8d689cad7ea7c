"""The folder format: a CSV beside images and masks."""
import builtins
import errno
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import experiments
from experiments.datasets import open_dataset
from experiments.system.errors import Failure

REAL = Path(experiments.__file__).parents[1] / "../shared/data/cdd-cesm"
HEADER = "image,mask,label,patient\n"


def make(folder, text, mask=None):
    (folder / "labels.csv").write_text(text)
    for name in "abcdef":
        Image.fromarray(np.random.default_rng(ord(name)).integers(0, 256, (8, 10), dtype=np.uint8)
                        ).save(folder / f"{name}.png")
    Image.fromarray(np.eye(8, 10, dtype=np.uint8) * 255 if mask is None else mask).save(folder / "m.png")
    return folder


def test_rows_become_mammograms(tmp_path):
    make(tmp_path, "patient,view,label,image,mask,source\nP1,CC,Malignant,a.png,m.png,lumisys\nP1,CC, cancer ,b.png,,\n"
                   "P2,,NORMAL,c.png,,dba\n\nP3,,benign_without_callback,d.png,m.png,x\nP3,,Benign,e.png,,x\n")
    data = open_dataset(tmp_path, seed=0)
    assert data.name == tmp_path.name and data.excluded == {}
    assert [(one.name, one.patient, one.label, one.source) for one in data.mammograms] == [
        ("a.png", "P1", "cancer", "lumisys"), ("b.png", "P1", "cancer", tmp_path.name),
        ("c.png", "P2", "normal", "dba"), ("d.png", "P3", "benign", "x"), ("e.png", "P3", "benign", "x")]
    image, mask = data.mammograms[0].load()
    assert image.shape == (8, 10)
    np.testing.assert_array_equal(mask, np.eye(8, 10, dtype=bool))
    assert data.mammograms[1].mask() is None


def test_what_else_a_table_may_say(tmp_path):
    make(tmp_path, "image,label,patient,Breast,split,view,density,age,scanner,finding\n"
                   "a.png,cancer,P1,Left,training,CC,3,58,GE Senographe,mass\nb.png,cancer,P1,R,TEST,mlo,D,58.0,,\n"
                   "c.png,normal,P2,,train,left_MLO,b,,,\nd.png,normal,P2,right,,RIGHT_CC,,041,,\n"
                   "e.png,benign,P3,,,LATERAL_OBLIQUE,,,,\n")
    assert [(one.breast, one.part, dict(one.facts)) for one in open_dataset(tmp_path, 0).mammograms] == [
        ("left", "training", {"view": "CC", "density": "3", "age": "58", "scanner": "GE Senographe",
                              "finding": "mass"}),
        ("right", "test", {"view": "MLO", "density": "4", "age": "58"}),
        ("left", "training", {"view": "MLO", "density": "2"}), ("right", "", {"view": "CC", "age": "41"}),
        ("", "", {"view": "LATERAL_OBLIQUE"})]


@pytest.mark.parametrize(("column", "text", "message"), [
    ("breast", "both", "unknown breast 'both'; expected nothing or one of l, left, r, right"),
    ("split", "val", "unknown split 'val'; expected nothing or one of training, train, test"),
    ("density", "5", "unknown density '5'"), ("density", "0.3", "unknown density '0.3'"),
    ("age", "old", "the age 'old' is no whole number of years"), ("age", "400", "the age '400'"),
    ("age", "58.5", "the age '58.5'")])
def test_what_is_not_understood_of_it_is_refused(tmp_path, column, text, message):
    make(tmp_path, f"image,label,patient,{column}\na.png,cancer,P1,\nb.png,cancer,P1,{text}\n")
    with pytest.raises(Failure, match=r"labels\.csv, line 3: " + message):
        open_dataset(tmp_path, 0)


def test_breast_and_view_that_contradict_each_other(tmp_path):
    make(tmp_path, "image,label,patient,breast,view\na.png,cancer,P1,left,RIGHT_CC\n")
    with pytest.raises(Failure, match=r"line 2: the breast is 'left', the view 'RIGHT_CC'"):
        open_dataset(tmp_path, 0)


def test_facts_change_no_fingerprint(tmp_path):
    make(tmp_path, "image,label,patient,breast\na.png,cancer,P1,left\n")
    before = open_dataset(tmp_path, 0).mammograms[0].fingerprint
    (tmp_path / "labels.csv").write_text("image,label,patient,breast,view\na.png,cancer,P1,right,CC\n")
    assert open_dataset(tmp_path, 0).mammograms[0].fingerprint == before


@pytest.mark.parametrize(("on", "off"), [(1, 0), (255, 0), (250, 4), (65535, 0)])
def test_masks_of_any_range(tmp_path, on, off):
    levels = np.where(np.eye(8, 10, dtype=bool), on, off).astype(np.uint16 if on > 255 else np.uint8)
    make(tmp_path, HEADER + "a.png,m.png,cancer,P1\n", levels)
    np.testing.assert_array_equal(open_dataset(tmp_path, 0).mammograms[0].mask(), np.eye(8, 10, dtype=bool))


@pytest.mark.parametrize("level", [0, 3, 255])
def test_a_mask_that_marks_nothing_says_so(tmp_path, level):
    make(tmp_path, HEADER + "a.png,m.png,cancer,P1\n", np.full((8, 10), level, dtype=np.uint8))
    with pytest.raises(Failure, match=r"labels\.csv, line 2: the mask .*m\.png is empty"):
        open_dataset(tmp_path, 0).mammograms[0].load()


def test_a_mask_with_a_bright_background_is_refused(tmp_path):
    make(tmp_path, HEADER + "a.png,m.png,cancer,P1\n", 255 - 255 * np.pad(np.ones((2, 2), np.uint8), ((3, 3), (4, 4))))
    with pytest.raises(Failure, match=r"labels\.csv, line 2: the mask .*m\.png marks all four corners"):
        open_dataset(tmp_path, 0).mammograms[0].load()


def test_a_normal_image_has_no_lesion(tmp_path):
    make(tmp_path, HEADER + "a.png,m.png,normal,P1\nb.png,black.png,normal,P2\nc.png,black.png,normal,P3\n")
    Image.fromarray(np.zeros((8, 10), np.uint8)).save(tmp_path / "black.png")
    first, second, third = open_dataset(tmp_path, 0).mammograms
    with pytest.raises(Failure, match=r"labels\.csv, line 2: the label is normal, and the mask .*m\.png marks"):
        first.load()
    assert second.mask() is None and third.mask() is None


@pytest.mark.parametrize("spoil", ["a.png", "m.png"])
def test_what_cannot_be_read_is_named_with_its_line(tmp_path, spoil):
    make(tmp_path, HEADER + "b.png,,normal,P2\na.png,m.png,cancer,P1\n")
    (tmp_path / spoil).write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(Failure, match=rf"labels\.csv, line 3: .*{spoil}: cannot be read as an image"):
        open_dataset(tmp_path, 0).mammograms[1].load()


@pytest.mark.parametrize(("text", "encoding"), [
    ("image;mask;label;patient\na.png;m.png;cancer;P1\nb.png;;normal;P2,3\n", "utf-8"),
    ("Image,MASK, Label ,Patient\na.png,m.png,cancer,P1\nb.png,,normal,\"P2,3\"\n", "utf-8"),
    ("image,mask,label,patient\r\na.png,m.png,cancer,P1\r\nb.png,,normal,\"P2,3\"\r\n", "utf-8-sig"),
    ('\n"image";"mask";"label";"patient"\n"a.png";"m.png";"cancer";"P1"\n"b.png";"";"normal";"P2,3"\n;;;\n', "utf-8"),
    ("image\tmask\tlabel\tpatient\na.png\tm.png\tcancer\tP1\nb.png\t\tnormal\tP2,3\n", "utf-8")])
@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_delimiters_capitals_and_byte_order_marks(tmp_path, text, encoding, suffix):
    make(tmp_path, "")
    (tmp_path / "labels.csv").unlink()
    (tmp_path / f"labels.{suffix}").write_bytes(text.encode(encoding))
    data = open_dataset(tmp_path, 0)
    assert [(one.name, one.patient, one.label) for one in data.mammograms] == [
        ("a.png", "P1", "cancer"), ("b.png", "P2,3", "normal")]
    assert data.mammograms[0].mask().any() and data.mammograms[1].mask() is None


def test_the_mask_column_may_be_absent(tmp_path):
    make(tmp_path, "image,label,patient\na.png,cancer,P1\n")
    assert [one.mask() for one in open_dataset(tmp_path, 0).mammograms] == [None]


def test_one_stray_quote_swallows_no_rows(tmp_path):
    rows = [f"{name}.png,,normal,P{name}" for name in "abcdef"]
    for line in range(6):
        for column in range(4):
            for other in (None, 5):
                cells = rows[line].split(",")
                cells[column] = '"' + cells[column]
                lines = [*rows[:line], ",".join(cells), *rows[line + 1:]]
                if other is not None and other != line:
                    lines[other] += '"'
                make(tmp_path, HEADER + "\n".join(lines) + "\n")
                with pytest.raises(Failure, match=rf"labels\.csv, line {line + 2}: "):
                    open_dataset(tmp_path, 0)


def test_a_column_that_stands_twice_is_refused(tmp_path):
    for header in ("image,label,mask,Label,patient", "image,patient,mask,label, PATIENT"):
        make(tmp_path, header + "\na.png,cancer,,normal,P1\n")
        with pytest.raises(Failure, match=r"labels\.csv: has the column '(label|patient)' 2 times"):
            open_dataset(tmp_path, 0)
    make(tmp_path, "image,mask,label,patient,,\na.png,,cancer,P1,,\n")  # a spreadsheet's empty columns
    assert len(open_dataset(tmp_path, 0).mammograms) == 1


@pytest.mark.parametrize("kind", ["dot", "folder", "absolute", "link", "hard link", "linked folder"])
def test_one_file_by_two_names_is_listed_twice(tmp_path, kind):
    make(tmp_path, "")
    (tmp_path / "sub").mkdir()
    (tmp_path / "around").symlink_to(tmp_path)
    (tmp_path / "link.png").symlink_to("a.png")
    os.link(tmp_path / "a.png", tmp_path / "hard.png")
    name = {"dot": "./a.png", "folder": "sub/../a.png", "absolute": str(tmp_path / "a.png"), "link": "link.png",
            "hard link": "hard.png", "linked folder": "around/a.png"}[kind]
    (tmp_path / "labels.csv").write_text(HEADER + f"a.png,,cancer,P1\n{name},,cancer,P2\n")
    with pytest.raises(Failure, match=r"labels\.csv, line 3: image .* is listed already in line 2"):
        open_dataset(tmp_path, 0)
    for rows in (f"b.png,{name},cancer,P1\na.png,,cancer,P2\n", f"a.png,,cancer,P1\nb.png,{name},cancer,P2\n",
                 f"a.png,{name},cancer,P1\n"):
        (tmp_path / "labels.csv").write_text(HEADER + rows)
        with pytest.raises(Failure, match=r"labels\.csv, line [23]: the (mask|image) .* is listed as an? (image|mask)"):
            open_dataset(tmp_path, 0)


def test_a_name_says_where_the_file_is_however_it_is_written(tmp_path):
    make(tmp_path, HEADER + f"./a.png,,cancer,P1\n{tmp_path}/b.png,,normal,P2\n")
    assert [one.name for one in open_dataset(tmp_path, 0).mammograms] == ["a.png", "b.png"]


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "loop", ".", "²" * 100])
def test_names_that_no_file_can_have(tmp_path, name):
    make(tmp_path, "")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "labels.csv").write_text(HEADER + f"{name},,cancer,P1\n")
    with pytest.raises(Failure, match=r"labels\.csv, line 2: the image .*(is not a file|File name too long|null)"):
        open_dataset(tmp_path, 0)


def test_what_may_not_be_read_is_a_message(tmp_path, monkeypatch):
    """As root every file may be read: the system's answer is made here."""
    make(tmp_path, HEADER + "a.png,,cancer,P1\n")
    opened = builtins.open

    def refuse(name):
        def open_(file, *arguments, **named):
            if str(file).endswith(name):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
            return opened(file, *arguments, **named)

        monkeypatch.setattr(builtins, "open", open_)

    refuse("labels.csv")
    with pytest.raises(Failure, match=r"labels\.csv: cannot be read \(Permission denied\)"):
        open_dataset(tmp_path, 0)
    refuse("a.png")
    with pytest.raises(Failure, match=r"labels\.csv, line 2: .*a\.png: cannot be read \(Permission denied\)"):
        open_dataset(tmp_path, 0).mammograms[0].load()


def test_names_and_folders_that_are_no_utf_8(tmp_path):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe"))
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    make(folder, HEADER + "a.png,m.png,cancer,P1\n")
    one, = open_dataset(folder, 0).mammograms
    one.fingerprint.encode("utf-8")
    assert one.load()[1].any()


@pytest.mark.parametrize(("rows", "message"), [
    ("a.png,,cancer,P1\nb.png,,suspicious,P2\n", r"line 3: unknown label 'suspicious'; expected one of cancer,"),
    ("a.png,,cancer,\n", r"line 2: the patient is empty"),
    ("z.png,,cancer,P1\n", r"line 2: the image 'z\.png' is not a file"),
    (",,cancer,P1\n", r"line 2: the image '' is not a file"),
    ("a.png,z.png,cancer,P1\n", r"line 2: the mask 'z\.png' is not a file"),
    ("a.png,,cancer,P1\na.png,,benign,P1\n", r"line 3: image a\.png is listed already in line 2"),
    ("a.png\n", r"line 2: has 1 cells, the header 4"), ("a.png,,cancer,P1,x\n", r"line 2: has 5 cells, the header 4"),
    ("", r"lists no images"),
])
def test_wrong_rows(tmp_path, rows, message):
    make(tmp_path, HEADER + rows)
    with pytest.raises(Failure, match=r"labels\.csv.*" + message):
        open_dataset(tmp_path, seed=0)


def test_wrong_tables(tmp_path):
    make(tmp_path, "image,label\na.png,cancer\n")
    with pytest.raises(Failure, match=r"labels\.csv: lacks the column\(s\) patient"):
        open_dataset(tmp_path, seed=0)
    make(tmp_path, HEADER + "a.png,,cancer,P1\n")
    (tmp_path / "other.csv").write_text("x,y\n")
    with pytest.raises(Failure, match=r"expected one CSV file, found 2: labels\.csv, other\.csv"):
        open_dataset(tmp_path, seed=0)
    (tmp_path / "other.csv").unlink()
    (tmp_path / "labels.csv").write_bytes("image,mask,label,pati\xe9nt\n".encode("latin-1"))
    with pytest.raises(Failure, match=r"labels\.csv: cannot be read as a CSV file in UTF-8"):
        open_dataset(tmp_path, seed=0)


def test_fingerprint_follows_the_mask(tmp_path):
    make(tmp_path, HEADER + "a.png,m.png,cancer,P1\nb.png,,normal,P2\n")
    before = [one.fingerprint for one in open_dataset(tmp_path, 0).mammograms]
    Image.fromarray(np.zeros((8, 10), dtype=np.uint8)).save(tmp_path / "m.png")
    after = [one.fingerprint for one in open_dataset(tmp_path, 0).mammograms]
    assert before[0] != after[0] and before[1] == after[1]


@pytest.mark.skipif(not REAL.is_dir(), reason="the real CDD-CESM excerpt is not beside the project")
def test_real_set():
    data = open_dataset(REAL, seed=0)
    assert Counter(one.label for one in data.mammograms) == {"cancer": 218}
    for one in data.mammograms:  # the table says LEFT_CC, the names P3_L_DM_CC
        _, side, _, view = Path(one.name).stem.split("_")
        assert (one.breast, dict(one.facts)["view"]) == ({"L": "left", "R": "right"}[side], view)
    image, mask = data.mammograms[0].load()
    assert image.shape == mask.shape == (512, 512)
    assert 0 < mask.mean() < 0.5
