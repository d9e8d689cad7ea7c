"""The mini-MIAS reader, on small films made here and on the real set where it is."""
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import experiments
from experiments.datasets import mini_mias, open_dataset
from experiments.system.errors import Failure

REAL = Path(experiments.__file__).parents[1] / "../shared/data/mini-mias"
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
        pixels = np.random.default_rng(list(name.encode())).integers(0, 256, (side, side), dtype=np.uint8)
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


def test_breasts_and_facts_are_those_of_the_readme(tmp_path):
    found = {one.name: one for one in open_dataset(make(tmp_path, INFO + "other D NORM\n"), 0).mammograms}
    assert {name: one.breast for name, one in found.items()} == {
        "mdb001.pgm": "right", "mdb002.pgm": "left", "mdb003.pgm": "right", "mdb005.pgm": "right",
        "mdb007.pgm": "right", "other.pgm": ""}
    assert found["mdb001.pgm"].facts == (("view", "MLO"), ("finding", "CIRC"))
    assert found["mdb002.pgm"].facts == (("view", "MLO"),)


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


@pytest.mark.parametrize("name", ["./mdb001", "../mdb001", "/mdb001", "mdb001.pgm", "mdb²", "m" * 300])
def test_names_that_are_none(tmp_path, name):
    make(tmp_path, "mdb001 G NORM\n")
    (tmp_path / "Info.txt").write_text(f"mdb001 G NORM\n{name} G NORM\n", encoding="utf-8")
    with pytest.raises(Failure, match=r"Info\.txt, line 2: cannot understand"):
        open_dataset(tmp_path, 0)


def test_absent_films_are_named(tmp_path):
    make(tmp_path)
    (tmp_path / "mdb002.pgm").unlink()
    (tmp_path / "mdb005.pgm").unlink()
    with pytest.raises(Failure, match=r"lists 2 of 6 films .*mdb002\.pgm, mdb005\.pgm\. Copy them"):
        open_dataset(tmp_path, seed=0)


def test_a_circle_may_be_written_with_decimals(tmp_path):
    whole = open_dataset(make(tmp_path, "mdb001 G CIRC B 20 10 5\n"), 0).mammograms[0]
    (tmp_path / "Info.txt").write_text("mdb001 G CIRC B 20.0 10.00 5.0\n")
    decimals = open_dataset(tmp_path, 0).mammograms[0]
    assert whole.fingerprint == decimals.fingerprint
    np.testing.assert_array_equal(whole.mask(), decimals.mask())
    (tmp_path / "Info.txt").write_text("\ufeffmdb001 G CIRC B 20.5 10.5 1.25\n", encoding="utf-8")
    mask = open_dataset(tmp_path, 0).mammograms[0].mask()
    np.testing.assert_array_equal(np.argwhere(mask), [(28, 20), (28, 21), (29, 20), (29, 21)])


def test_films_that_are_not_listed_are_counted(tmp_path):
    make(tmp_path)
    (tmp_path / "Info.txt").write_text(INFO.replace("mdb002 D NORM\n", ""))
    assert open_dataset(tmp_path, 0).excluded == {mini_mias.HYBRID: 1, mini_mias.UNLISTED: 1}


def test_one_film_by_two_names_and_a_normal_film_with_a_finding(tmp_path):
    make(tmp_path)
    (tmp_path / "mdb005.pgm").unlink()
    (tmp_path / "mdb005.pgm").symlink_to("mdb001.pgm")
    with pytest.raises(Failure, match=r"Info\.txt, line 5: image mdb005\.pgm is listed already in line 1"):
        open_dataset(tmp_path, 0)
    (tmp_path / "Info.txt").write_text("mdb001 G NORM\nmdb002 G NORM\nmdb001 G CIRC B 20 10 5\n")
    with pytest.raises(Failure, match=r"Info\.txt, line 3: mdb001 is normal in one line and has a finding in another"):
        open_dataset(tmp_path, 0)


@pytest.mark.parametrize("line", [
    "mdb009 G CIRC X 1 2 3", "mdb009 G", "mdb009 G CIRC", "mdb009", "mdb009 G CIRC B 1 2", "mdb009 G CIRC B 1 2 3 4",
    "mdb009 G CIRC B 1 2 nan", "mdb009 G CIRC B 1 2 -3", "mdb009 G CIRC B 1 2 ²", "mdb009 G CIRC B 1 2 3,0",
    "mdb009 G CIRC B x 2 3", "mdb009 G NORM 1 2 3", "mdb009 G CIRCLE B 1 2 3", "mdb009 G CIRC B 1e3 2 3",
    pytest.param("mdb009 G CIRC B 1 2 " + "9" * 5000, id="digits")])
def test_rows_that_cannot_be_understood(tmp_path, line):
    make(tmp_path, "mdb001 G NORM\n" + line + "\n")
    with pytest.raises(Failure, match=r"Info\.txt, line 2: cannot understand 'mdb009"):
        open_dataset(tmp_path, seed=0)


def test_empty_list_and_circle_outside(tmp_path):
    (tmp_path / "Info.txt").write_text("\n")
    with pytest.raises(Failure, match=r"Info\.txt: lists no films"):
        open_dataset(tmp_path, seed=0)
    data = open_dataset(make(tmp_path, "mdb001 G CIRC B 100 10 5\n"), seed=0)
    with pytest.raises(Failure, match=r"Info\.txt, line 1: .*mdb001\.pgm .*x 100, y 10, radius 5, outside .*40 x 40"):
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
