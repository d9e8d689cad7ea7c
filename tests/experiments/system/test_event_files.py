"""Event files: as the published formats say, as TensorBoard's own reader reads them, and cut back to a step."""
import io
import math
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from experiments.system.event_cutting import cut
from experiments.system.event_files import append, histogram, image, masked_crc, message, scalar, varint

NAME = "events.out.tfevents.run"


@pytest.fixture
def path(tmp_path):
    for step in (1, 10, 200, 70000):
        append(tmp_path / NAME, step, [scalar("loss", 1 / step), scalar("rate", step)])
    return tmp_path / NAME


def test_the_checksum_is_castagnolis_and_masked():
    """Its check value, of the nine digits, is 0xe3069283; masked it is rotated by 15 bits, and a constant added."""
    masked = int.from_bytes(masked_crc(b"123456789"), "little")
    turned = (masked - 0xA282EAD8) % 2**32
    assert (turned << 15 | turned >> 17) % 2**32 == 0xE3069283
    assert masked_crc(b"") == (0xA282EAD8).to_bytes(4, "little")


@pytest.mark.parametrize(("number", "expected"), [
    (0, b"\0"), (1, b"\1"), (127, b"\x7f"), (128, b"\x80\1"), (300, b"\xac\2"), (2**32, b"\x80\x80\x80\x80\x10")])
def test_varints_as_the_encoding_has_them(number, expected):
    assert varint(number) == expected


def test_a_message_of_each_type():
    assert message((1, 150)) == b"\x08\x96\x01"
    assert message((2, "testing")) == b"\x12\x07testing"
    assert message((1, 1.0)) == b"\x09" + b"\0" * 6 + b"\xf0\x3f"
    assert message((6, np.array([1.0]))) == b"\x32\x08" + b"\0" * 6 + b"\xf0\x3f"


def test_scalars_are_read_back(path, events):
    found = events(path.parent).Scalars("loss")
    assert [event.step for event in found] == [1, 10, 200, 70000]
    assert [event.value for event in found] == [np.float32(1 / event.step) for event in found]
    assert all(later.wall_time >= event.wall_time > 1.7e9 for event, later in pairwise(found))


def test_a_value_that_is_not_finite_is_read_back(tmp_path, events):
    append(tmp_path / NAME, 1, [scalar("loss", math.inf)])
    assert events(tmp_path).Scalars("loss")[0].value == math.inf


@pytest.mark.parametrize("values", [
    np.random.default_rng(0).normal(size=5000), np.random.default_rng(0).normal(size=5000) ** 9, np.zeros(7),
    np.array([1e-30, 2e-30]), np.full(3, -4.5), np.maximum(np.random.default_rng(1).normal(size=999), 0),
    np.array([1.0, np.nextafter(1, 2)])],
    ids=["normal", "heavy", "zeros", "tiny", "constant", "rectified", "neighbours"])
def test_histograms_are_read_back(values, tmp_path, events):
    values = np.sort(values)
    append(tmp_path / NAME, 3, [histogram("weights", values)])
    event, = events(tmp_path).Histograms("weights")
    found = event.histogram_value
    assert event.step == 3 and found.num == len(values) == sum(found.bucket)
    assert (found.min, found.max) == (values[0], values[-1])
    assert found.sum == pytest.approx(values.sum()) and found.sum_squares == pytest.approx((values**2).sum())
    limits, counts = np.array(found.bucket_limit), np.array(found.bucket)
    assert (np.diff(limits) >= 0).all() and limits[-1] == pytest.approx(values[-1])
    for limit, below in zip(limits[:-1], np.cumsum(counts), strict=False):
        assert below == (values <= limit).sum()


def test_images_are_read_back(tmp_path, events):
    pixels = np.random.default_rng(0).integers(256, size=(5, 9, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="png")
    append(tmp_path / NAME, 8, [image("samples", buffer.getvalue(), 5, 9)])
    event, = events(tmp_path).Images("samples")
    assert (event.step, event.height, event.width) == (8, 5, 9)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(event.encoded_image_string))), pixels)


def test_a_file_that_a_kill_cut_off_anywhere_is_read_to_its_last_whole_record(path, events):
    data = path.read_bytes()
    ends = []  # of the records, by the length in front of each
    while not ends or ends[-1] < len(data):
        start = ends[-1] if ends else 0
        ends.append(start + 16 + int.from_bytes(data[start:start + 8], "little"))
    for length in range(ends[0], len(data)):
        path.write_bytes(data[:length])
        whole = [1, 10, 200, 70000][:sum(end <= length for end in ends) - 1]
        if length % 7 == 0 or length in ends:  # its reader is slow
            found = events(path.parent)
            assert ([event.step for event in found.Scalars("loss")] if whole else found.Tags()["scalars"]) == whole
        cut(path, 10**6)
        assert path.read_bytes() == data[:max(end for end in ends if end <= length)]


@pytest.mark.parametrize(("step", "left"), [(0, 0), (1, 1), (9, 1), (10, 2), (199, 2), (200, 3), (70000, 4)])
def test_cut_at_a_step_nothing_later_is_left_and_what_is_appended_goes_on(path, step, left, events):
    cut(path, step)
    append(path, 70001, [scalar("loss", 0.0)])
    assert [event.step for event in events(path.parent).Scalars("loss")] == [*[1, 10, 200, 70000][:left], 70001]


def test_cut_before_a_damaged_record(path, events):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    cut(path, 10**6)
    assert 0 < len(path.read_bytes()) < len(data) // 2
    append(path, 300, [scalar("loss", 0.0)])
    assert events(path.parent).Scalars("loss")[-1].step == 300


@pytest.mark.parametrize("data", [b"", b"\0" * 40, b"\xff" * 40, b"no file of events" * 9])
def test_of_what_is_no_event_file_nothing_is_left(data, tmp_path, events):
    (tmp_path / NAME).write_bytes(data)
    cut(tmp_path / NAME, 5)
    assert (tmp_path / NAME).read_bytes() == b""
    append(tmp_path / NAME, 6, [scalar("loss", 0.0)])
    assert [event.step for event in events(tmp_path).Scalars("loss")] == [6]
