"""Records as JSON: what was written is read, and what is no such record is a Failure that names file and place."""
import json
from dataclasses import dataclass, field

import numpy as np
import pytest

from experiments.system.errors import Failure
from experiments.system.records import converted, read_record, write_record


@dataclass(frozen=True, slots=True)
class Inner:
    value: float | None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Outer:
    name: str
    counts: dict[str, int]
    inner: Inner
    more: list[Inner] = field(default_factory=list)
    note: str | None = None


RECORD = Outer("a", {"x": 1}, Inner(0.5, (0.25, 0.75)), [Inner(None)], "n")
ENTRIES = {"name": "a", "counts": {"x": 1}, "inner": {"value": 0.5}}


def test_what_was_written_is_read(tmp_path):
    write_record(tmp_path / "record.json", RECORD)
    assert read_record(Outer, tmp_path / "record.json") == RECORD


def test_numbers_of_numpy_are_numbers_and_those_that_are_not_finite_none(tmp_path):
    write_record(tmp_path / "record.json", Outer("a", {"x": np.int64(1)}, Inner(np.float64("nan"))))
    assert read_record(Outer, tmp_path / "record.json") == Outer("a", {"x": 1}, Inner(None))


def test_a_field_with_a_default_may_be_absent_and_unknown_ones_are_passed_over():
    assert converted(Outer, {**ENTRIES, "later": 1}, "here") == Outer("a", {"x": 1}, Inner(0.5))


@pytest.mark.parametrize(("change", "told"), [
    ({"name": 3}, "name"), ({"counts": {"x": 1.5}}, "counts"), ({"counts": []}, "counts"), ({"inner": None}, "inner"),
    ({"inner": {}}, "value"), ({"inner": {"value": "0.5"}}, "inner.value"), ({"more": {}}, "more"),
    ({"inner": {"value": 1, "interval": [1]}}, "inner.interval"), ({"inner": {"value": True}}, "inner.value")])
def test_another_type_is_refused_by_the_name_of_the_field(change, told, tmp_path):
    path = tmp_path / "record.json"
    path.write_text(json.dumps(ENTRIES | change))
    with pytest.raises(Failure, match=rf"record\.json is damaged: .*{told}.*Restore it from a copy"):
        read_record(Outer, path)
    with pytest.raises(Failure, match=rf"here is damaged: .*{told}"):
        converted(Outer, ENTRIES | change, "here")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"name": "a"}', b"[" * 100000, b'{"name": NaN}'])
def test_a_damaged_file_is_refused(content, tmp_path):
    path = tmp_path / "record.json"
    path.write_bytes(content)
    with pytest.raises(Failure, match=r"record\.json is damaged"):
        read_record(Outer, path)


def test_an_absent_file_is_a_failure(tmp_path):
    with pytest.raises(Failure, match=r"record\.json cannot be read: No such file"):
        read_record(Outer, tmp_path / "record.json")
