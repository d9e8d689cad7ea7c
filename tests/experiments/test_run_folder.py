import errno
import json
import os
import time

import pytest

from experiments.errors import Failure, UsageError
from experiments.run_folder import RunFolder, choose_folder


def test_a_new_run_records_configuration_and_versions(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.create({"configuration": {"seed": 3}})
    record = folder.record()
    assert record["configuration"] == {"seed": 3}
    assert {"python", "numpy", "scipy", "scikit-image"} <= record["versions"].keys() and record["started"]


def test_a_run_is_never_overwritten(tmp_path):
    folder = RunFolder(tmp_path)
    folder.create({"number": 1})
    with pytest.raises(UsageError, match="--resume"):
        folder.create({"number": 2})
    assert folder.record()["number"] == 1


def test_rewind_drops_what_is_later_and_what_a_kill_cut_off(tmp_path):
    folder = RunFolder(tmp_path)
    for step in (10, 20, 30):
        folder.log({"step": step, "loss": 1 / step})
    with open(folder.metrics, "a") as file:
        file.write('{"step": 40, "lo')
    (tmp_path / ".checkpoint.safetensors.17.partial").write_bytes(b"half")
    folder.rewind(20)
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]
    assert [entry["step"] for entry in folder.history()] == [10, 20]
    folder.log({"step": 30, "loss": 0.5})
    assert [json.loads(line)["step"] for line in folder.metrics.read_text().splitlines()] == [10, 20, 30]


def test_a_full_disk_is_a_failure_that_says_what_is_kept(tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("builtins.open", full)
    with pytest.raises(Failure, match=r"No space left.*--resume"):
        RunFolder(tmp_path).log({"step": 1})


def test_resuming_where_there_is_nothing_or_a_damaged_record(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match=r"no config\.json"):
        RunFolder(tmp_path).record()
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(Failure, match="damaged"):
        RunFolder(tmp_path).record()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="no run to resume"):
        choose_folder(None, True, "end2end", "")


def test_the_newest_run_is_resumed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(("end2end-b", "end2end-a", "other-c")):
        RunFolder(tmp_path / "runs" / name).create({})
        os.utime(tmp_path / "runs" / name / "config.json", (time.time() + number,) * 2)
    assert choose_folder(None, True, "end2end", "").name == "end2end-a"
    assert choose_folder("elsewhere", True, "end2end", "").name == "elsewhere"
