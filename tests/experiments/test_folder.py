"""The folder format: a CSV beside images and masks."""
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.datasets import open_dataset
from experiments.errors import Failure

REAL = Path(__file__).parents[2] / "../shared/data/cdd-cesm"
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


@pytest.mark.parametrize(("on", "off"), [(1, 0), (255, 0), (250, 4), (65535, 0)])
def test_masks_of_any_range(tmp_path, on, off):
    levels = np.where(np.eye(8, 10, dtype=bool), on, off).astype(np.uint16 if on > 255 else np.uint8)
    make(tmp_path, HEADER + "a.png,m.png,cancer,P1\n", levels)
    np.testing.assert_array_equal(open_dataset(tmp_path, 0).mammograms[0].mask(), np.eye(8, 10, dtype=bool))


def test_an_almost_black_mask_is_empty(tmp_path):
    make(tmp_path, HEADER + "a.png,m.png,cancer,P1\n", np.full((8, 10), 3, dtype=np.uint8))
    assert not open_dataset(tmp_path, 0).mammograms[0].mask().any()


@pytest.mark.parametrize(("rows", "message"), [
    ("a.png,,cancer,P1\nb.png,,suspicious,P2\n", r"line 3: unknown label 'suspicious'; expected one of cancer,"),
    ("a.png,,cancer,\n", r"line 2: the patient is empty"),
    ("z.png,,cancer,P1\n", r"line 2: the image 'z\.png' is not a file"),
    (",,cancer,P1\n", r"line 2: the image '' is not a file"),
    ("a.png,z.png,cancer,P1\n", r"line 2: the mask 'z\.png' is not a file"),
    ("a.png,,cancer,P1\na.png,,benign,P1\n", r"line 3: image a\.png is listed already in line 2"),
    ("a.png\n", r"line 2: unknown label ''"),
    ("", r"lists no images"),
])
def test_wrong_rows(tmp_path, rows, message):
    make(tmp_path, HEADER + rows)
    with pytest.raises(Failure, match=r"labels\.csv.*" + message):
        open_dataset(tmp_path, seed=0)


def test_wrong_tables(tmp_path):
    make(tmp_path, "image,label\na.png,cancer\n")
    with pytest.raises(Failure, match=r"labels\.csv: lacks the column\(s\) mask, patient"):
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
    image, mask = data.mammograms[0].load()
    assert image.shape == mask.shape == (512, 512)
    assert 0 < mask.mean() < 0.5
