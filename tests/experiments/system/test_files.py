import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from experiments.system import files
from experiments.system.errors import Failure


def test_writes_new_files_and_the_folders_above_them(tmp_path):
    files.write_text(tmp_path / "a" / "b" / "c.txt", "größer\n")
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == "größer\n".encode()


def test_replaces_a_file_and_leaves_nothing_beside_it(tmp_path):
    files.write_bytes(tmp_path / "x", b"one")
    files.write_bytes(tmp_path / "x", b"two")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("x", b"two")]


@pytest.mark.parametrize("name", ["fsync", "replace"])
@pytest.mark.parametrize(("code", "words"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "permission"),
                                             (errno.EIO, os.strerror(errno.EIO))])
def test_a_failure_while_writing_leaves_the_earlier_file(tmp_path, monkeypatch, name, code, words):
    files.write_text(tmp_path / "x", "earlier")

    def fail(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, name, fail)
    with pytest.raises(Failure, match=words) as caught:
        files.write_text(tmp_path / "x", "later")
    assert str(tmp_path / "x") in str(caught.value)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("x", "earlier")]


def test_an_interruption_leaves_the_earlier_file(tmp_path, monkeypatch):
    files.write_text(tmp_path / "x", "earlier")

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        files.write_text(tmp_path / "x", "later")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("x", "earlier")]


def test_a_file_in_place_of_a_folder_is_a_failure(tmp_path):
    (tmp_path / "x").write_text("a file")
    with pytest.raises(Failure, match="Cannot write"):
        files.write_text(tmp_path / "x" / "y", "text")


def test_json_is_strict_and_takes_numpy(tmp_path):
    value = {"nan": float("nan"), "inf": [np.inf, -np.inf], "float32": np.float32(0.5), "int": np.int64(3),
             "array": np.array([[1.0, np.nan]]), "pair": (1, 2), "path": Path("a/b"), 4: True, "none": None}
    files.write_json(tmp_path / "x.json", value)

    def refuse(token):
        raise AssertionError(f"{token} is not JSON")

    assert json.loads((tmp_path / "x.json").read_text(), parse_constant=refuse) == {
        "nan": None, "inf": [None, None], "float32": 0.5, "int": 3, "array": [[1.0, None]], "pair": [1, 2],
        "path": "a/b", "4": True, "none": None}


def test_a_device_and_the_target_of_a_link_are_written_into(tmp_path):
    files.write_text(tmp_path / "there", "earlier")
    (tmp_path / "link").symlink_to("there")
    files.write_text(tmp_path / "link", "later")
    assert (tmp_path / "there").read_text() == "later" and (tmp_path / "link").is_symlink()
    files.write_text("/dev/null", "gone")
    assert Path("/dev/null").is_char_device()
    with pytest.raises(Failure, match=r"/dev/full: the disk is full"):
        files.write_text("/dev/full", "text")


def test_json_refuses_what_it_cannot_hold(tmp_path):
    with pytest.raises(TypeError, match="set has no form"):
        files.write_json(tmp_path / "x.json", {"a": {1}})
    assert list(tmp_path.iterdir()) == []
