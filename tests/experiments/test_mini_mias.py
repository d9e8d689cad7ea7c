"""The mini-MIAS reader, on small films made here and on the real set where it is."""
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from experiments.datasets import mini_mias, open_dataset
from experiments.errors import Failure

REAL = Path(__file__).parents[2] / "../shared/data/mini-mias"
INFO = """mdb001 G CIRC B 20 10 5
mdb002 D NORM

mdb003 F CALC M *NOTE 3*
mdb005 F CIRC M 5 8 2
mdb005 F CIRC M 30 30 4
mdb006 G MISC B 10 10 3
mdb006 G MISC M 20 20 3
mdb007 F CALC B
"""


def make(folder, info=INFO, side=40):
    (folder / "Info.txt").write_text(info)
    for name in {line.split()[0] for line in info.splitlines() if line.strip()}:
        pixels = np.random.default_rng(int(name[3:])).integers(0, 256, (side, side), dtype=np.uint8)
        (folder / f"{name}.pgm").write_bytes(b"P5\n%d %d\n255\n" % (side, side) + pixels.tobytes())
    return folder


def test_labels_patients_and_hybrids(tmp_path):
    data = open_dataset(make(tmp_path), seed=0)
    assert data.name == "mini-MIAS"
    assert [(one.name, one.patient, one.label, one.source) for one in data.mammograms] == [
        ("mdb001.pgm", "mdb001-002", "benign", "mini-mias"), ("mdb002.pgm", "mdb001-002", "normal", "mini-mias"),
        ("mdb003.pgm", "mdb003-004", "cancer", "mini-mias"), ("mdb005.pgm", "mdb005-006", "cancer", "mini-mias"),
        ("mdb007.pgm", "mdb007-008", "benign", "mini-mias")]
    assert list(data.excluded.values()) == [1]


def test_circles_count_from_the_bottom_and_are_joined(tmp_path):
    by_name = {one.name: one for one in open_dataset(make(tmp_path), seed=0).mammograms}
    mask = by_name["mdb001.pgm"].mask()
    rows, columns = np.nonzero(mask)
    assert (rows.mean(), columns.mean()) == (40 - 1 - 10, 20)
    assert rows.max() - rows.min() == columns.max() - columns.min() == 10
    joined = by_name["mdb005.pgm"].mask()
    assert joined[39 - 8, 5] and joined[39 - 30, 30] and not joined[20, 20]
    assert all(by_name[name].mask() is None for name in ("mdb002.pgm", "mdb003.pgm", "mdb007.pgm"))
    assert by_name["mdb001.pgm"].image().shape == (40, 40)


def test_fingerprint_follows_file_and_annotation(tmp_path):
    before = {one.name: one.fingerprint for one in open_dataset(make(tmp_path), seed=0).mammograms}
    assert before == {one.name: one.fingerprint for one in open_dataset(tmp_path, seed=1).mammograms}
    film = tmp_path / "mdb002.pgm"
    film.write_bytes(film.read_bytes()[:-1] + b"!")
    (tmp_path / "Info.txt").write_text(INFO.replace("20 10 5", "20 10 6"))
    after = {one.name: one.fingerprint for one in open_dataset(tmp_path, seed=0).mammograms}
    assert {name for name in before if before[name] != after[name]} == {"mdb001.pgm", "mdb002.pgm"}


def test_absent_films_are_named(tmp_path):
    make(tmp_path)
    (tmp_path / "mdb002.pgm").unlink()
    (tmp_path / "mdb005.pgm").unlink()
    with pytest.raises(Failure, match=r"lists 2 of 6 films .*mdb002\.pgm, mdb005\.pgm\. Copy them"):
        open_dataset(tmp_path, seed=0)


@pytest.mark.parametrize("line", ["mdb009 G CIRC X 1 2 3", "mdb009 G", "mdb009 G CIRC", "mdb009"])
def test_rows_that_cannot_be_understood(tmp_path, line):
    make(tmp_path, "mdb001 G NORM\n" + line + "\n")
    with pytest.raises(Failure, match=r"Info\.txt, line 2: cannot understand 'mdb009"):
        open_dataset(tmp_path, seed=0)


def test_empty_list_and_circle_outside(tmp_path):
    (tmp_path / "Info.txt").write_text("\n")
    with pytest.raises(Failure, match=r"Info\.txt: lists no films"):
        open_dataset(tmp_path, seed=0)
    data = open_dataset(make(tmp_path, "mdb001 G CIRC B 100 10 5\n"), seed=0)
    with pytest.raises(Failure, match=r"mdb001\.pgm: .*x 100, y 10, radius 5, outside the film of 40 x 40"):
        data.mammograms[0].load()


@pytest.mark.skipif(not REAL.is_dir(), reason="the real mini-MIAS set is not beside the project")
def test_real_set():
    data = mini_mias.read(REAL)
    assert Counter(one.label for one in data.mammograms) == {"normal": 141, "benign": 38, "cancer": 37}
    assert len({one.patient for one in data.mammograms}) == 108
    assert data.excluded == {}
    by_name = {one.name: one for one in data.mammograms}
    image, mask = by_name["mdb005.pgm"].load()
    assert image.shape == mask.shape == (1024, 1024)
    assert mask[1023 - 133, 477] and mask[1023 - 168, 500]
    assert by_name["mdb245.pgm"].mask() is None
