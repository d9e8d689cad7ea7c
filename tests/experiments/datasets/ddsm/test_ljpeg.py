"""Exact grey levels from lossless JPEG files that were written by PVRG's rule."""
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.datasets.ddsm import read_ljpeg
from experiments.system.errors import Failure


@pytest.mark.parametrize("precision", [8, 12, 16])
@pytest.mark.parametrize("predictor", range(1, 8))
def test_every_predictor_and_precision(tmp_path, encode, predictor, precision):
    pixels = np.random.default_rng(predictor).integers(0, 1 << precision, (21, 17))
    pixels[5:9], pixels[9:12] = 0, (1 << precision) - 1  # differences beyond half the range
    (tmp_path / "a.LJPEG").write_bytes(encode(pixels, predictor, precision))
    decoded = read_ljpeg(tmp_path / "a.LJPEG")
    assert decoded.dtype == np.uint16
    np.testing.assert_array_equal(decoded, pixels)


def test_a_standard_decoder_is_wrong_where_the_repair_is_needed(tmp_path, encode):
    jpeg_decode = pytest.importorskip("imagecodecs").jpeg_decode
    pixels = np.random.default_rng(0).integers(0, 4096, (21, 17))
    for predictor in range(1, 8):
        exact = np.array_equal(jpeg_decode(encode(pixels, predictor)), pixels)
        assert exact == (predictor in (1, 4, 5))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (3, 8)])
def test_small_images(tmp_path, encode, shape):
    pixels = np.random.default_rng(1).integers(0, 65536, shape)
    (tmp_path / "a.LJPEG").write_bytes(encode(pixels))
    np.testing.assert_array_equal(read_ljpeg(tmp_path / "a.LJPEG"), pixels)


def test_exchanged_dimensions(tmp_path, encode):
    pixels = np.random.default_rng(2).integers(0, 4096, (20, 30))
    path = tmp_path / "A_0001_1.LEFT_CC.LJPEG"
    path.write_bytes(encode(pixels, size=(30, 20)))
    assert read_ljpeg(path).shape == (30, 20)  # nothing says otherwise
    np.testing.assert_array_equal(read_ljpeg(path, size=(20, 30)), pixels)
    (tmp_path / "A-0001-1.ics").write_text("DIGITIZER DBA\nLEFT_CC LINES 20 PIXELS_PER_LINE 30 BITS_PER_PIXEL 16 "
                                           "RESOLUTION 42 NON_OVERLAY\n")
    np.testing.assert_array_equal(read_ljpeg(path), pixels)
    with pytest.raises(Failure, match=r"LEFT_CC\.LJPEG: has 20 x 30 pixels .*; expected 31 x 20, or the two exchanged"):
        read_ljpeg(path, size=(20, 31))


@pytest.mark.parametrize("cut", [1, 2, 3, 50, 700])
def test_truncated(tmp_path, encode, cut):
    pixels = np.random.default_rng(3).integers(0, 4096, (40, 30))
    data, path = encode(pixels), tmp_path / "a.LJPEG"
    path.write_bytes(data[:-cut])
    if cut <= 2:  # only the end marker is lost: the pixels are all there
        np.testing.assert_array_equal(read_ljpeg(path), pixels)
        return
    with pytest.raises(Failure, match=r"a\.LJPEG: is truncated: \d+ of its 40 coded rows are whole"):
        read_ljpeg(path)
    rows = read_ljpeg(path, truncated=True)
    np.testing.assert_array_equal(rows, pixels[: len(rows)])
    assert 40 - 2 - cut // 50 <= len(rows) < 40  # a row takes more than 50 bytes


def test_every_cut_gives_exact_rows_or_none(tmp_path, encode):
    pixels = np.random.default_rng(4).integers(0, 65536, (6, 5))
    data, path, found = encode(pixels), tmp_path / "a.LJPEG", set()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        try:
            rows = read_ljpeg(path, truncated=True)
        except Failure:
            continue
        np.testing.assert_array_equal(rows, pixels[: len(rows)])
        found.add(len(rows))
    assert found >= {1, 2, 3, 4, 5, 6}


def test_damage_within_the_pixels_is_noticed(tmp_path, encode):
    pixels = np.random.default_rng(5).integers(0, 4096, (40, 30))
    data, path = encode(pixels), tmp_path / "a.LJPEG"
    path.write_bytes(data[:600] + data[700:])
    with pytest.raises(Failure, match=r"a\.LJPEG: is truncated"):
        read_ljpeg(path)
    path.write_bytes(data[:-2] + data[-200:])
    with pytest.raises(Failure, match=r"a\.LJPEG: is damaged: its pixels take \d+ bits, it holds \d+"):
        read_ljpeg(path)


def changed(data, at, new):
    return data[:at] + new + data[at + len(new):]


@pytest.mark.parametrize(("change", "message"), [
    (lambda data: b"", "does not begin as a JPEG file"),
    (lambda data: b"P5 3 3 255\n123456789", "does not begin as a JPEG file"),
    (lambda data: data[:30], "no complete JPEG header"),
    (lambda data: changed(data, 3, b"\xc0"), r"not a lossless JPEG file \(frame FFC0, expected FFC3\)"),
    (lambda data: changed(data, 11, b"\x03"), "another number of colours"),
    (lambda data: changed(data, 7, b"\0\0"), "17 x 0|0 x 21"),
    (lambda data: changed(data, data.index(b"\xff\xda") + 7, b"\x08"), "predictor 8"),
    (lambda data: data[:2] + b"\xff\xdd\x00\x04\x00\x05" + data[2:], "restart intervals"),
    (lambda data: changed(data, data.index(b"\xff\xc4") + 4, b"\x03"), "lacks its Huffman table 0"),
    (lambda data: changed(data, data.index(b"\xff\xc4") + 5, b"\x09"), "damaged Huffman table"),
])
def test_other_files(tmp_path, encode, change, message):
    path = tmp_path / "a.LJPEG"
    path.write_bytes(change(encode(np.full((21, 17), 7))))
    with pytest.raises(Failure, match=rf"a\.LJPEG: .*({message})"):
        read_ljpeg(path)


def test_an_absent_file_and_a_missing_package(tmp_path, encode, monkeypatch):
    with pytest.raises(Failure, match=r"none\.LJPEG: cannot be read \(No such file"):
        read_ljpeg(tmp_path / "none.LJPEG")
    (tmp_path / "a.LJPEG").write_bytes(encode(np.full((3, 3), 7)))
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(Failure, match=r"a\.LJPEG: .*imagecodecs.*pip install -e \"\.\[ddsm\]\""):
        read_ljpeg(tmp_path / "a.LJPEG")


def test_damaged_headers_never_crash(tmp_path_factory, encode):
    pixels = np.random.default_rng(6).integers(0, 4096, (9, 8))
    data, path = encode(pixels), tmp_path_factory.mktemp("fuzz") / "a.LJPEG"
    header = data.index(b"\xff\xda") + 10

    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(st.integers(0, header - 1), st.binary(min_size=0, max_size=3), st.integers(0, 3))
    def check(at, new, removed):
        path.write_bytes(data[:at] + new + data[at + removed:])
        try:
            decoded = read_ljpeg(path)
        except Failure as error:
            assert str(path) in str(error)
        else:
            assert decoded.dtype == np.uint16 and decoded.ndim == 2

    check()


@pytest.mark.parametrize("name", ["dba16", "howtek12", "howtek12_swapped_dims"])
def test_files_by_the_original_encoder(real, name):
    truth = np.load(real / "ljpeg-fixtures" / f"{name}.npy")
    path = real / "ljpeg-fixtures" / f"{name}.LJPEG"
    np.testing.assert_array_equal(read_ljpeg(path, truth.shape), truth)
    np.testing.assert_array_equal(read_ljpeg(path).ravel(), truth.ravel())


def test_a_fragment_of_a_real_file(real):
    path = real / "fragment" / "A_0002_1.RIGHT_CC.LJPEG"
    with pytest.raises(Failure, match=r"A_0002_1\.RIGHT_CC\.LJPEG: is truncated: 175 of its 4334 coded rows are whole"):
        read_ljpeg(path)
    rows = read_ljpeg(path, truncated=True)
    assert rows.shape == (175, 1874)
    steps = np.abs(np.diff(rows.astype(int), axis=0)).mean(axis=1)
    # from the first row to the second the film changes as little as below; without the repair by thousands
    assert steps[0] < 2 * np.median(steps[1:20])
