import errno
import json
import os
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.inputs.loading import DataRecord
from experiments.runs.folder import RunFolder, choose_folder
from experiments.runs.log import Entry
from experiments.runs.record import Change, Changed, DetectorsOrigin, RunRecord
from experiments.system.errors import Failure, UsageError
from experiments.system.versions import now, versions

DATA = DataRecord("drawn", False, "ab12", 3, 2, {"hybrid": 1}, {}, ["a note"], {"cancer": 2}, {"cancer": 1}, 1, 1)
RECORD = RunRecord("end2end", {"kind": "classifier", "seed": 3}, DATA, "python end2end.py", "cpu", now(), versions(),
                   detectors=DetectorsOrigin("runs/roi", "dice", 0.5, "cd34"),
                   changes=[Change(now(), "python end2end.py --resume", {"steps": Changed(None, 3)})])


def test_a_new_run_records_configuration_and_versions(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.create(RECORD)
    assert folder.record() == RECORD and folder.experiment == "end2end"
    assert {"python", "numpy", "scipy", "scikit-image"} <= RECORD.versions.keys()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", RECORD.started)


def test_a_run_is_never_overwritten(tmp_path):
    folder = RunFolder(tmp_path)
    folder.create(RECORD)
    with pytest.raises(UsageError, match="--resume"):
        folder.create(replace(RECORD, command="another"))
    assert folder.record() == RECORD


def test_rewind_drops_what_is_later_and_what_a_kill_cut_off(tmp_path):
    folder = RunFolder(tmp_path)
    for step in (10, 20, 30):
        folder.log(Entry(step, 1 / step))
    with open(folder.metrics, "a") as file:
        file.write('{"step": 40, "lo')
    (tmp_path / ".checkpoint.safetensors.17.partial").write_bytes(b"half")
    folder.rewind(20)
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]
    assert [entry.step for entry in folder.history()] == [10, 20]
    folder.log(Entry(30, 0.5))
    assert [json.loads(line)["step"] for line in folder.metrics.read_text().splitlines()] == [10, 20, 30]


@pytest.mark.parametrize("damage", [
    b"", b"{", b"\xff\xfe", b"\0" * 40, b"3", b"null", b'{"loss": 1}', b'{"step": "20", "loss": 1}',
    b'{"step": 20, "loss": "x"}', b'{"step": 20, "evaluation": 1}', b"[" * 100000, b'{"step": %s}' % (b"9" * 5000)])
def test_a_damaged_line_takes_no_other_with_it(tmp_path, damage, capsys):
    folder = RunFolder(tmp_path)
    for step in (10, 20, 30, 40):
        folder.log(Entry(step, 1 / step))
    lines = folder.metrics.read_bytes().split(b"\n")
    folder.metrics.write_bytes(b"\n".join([lines[0], damage, *lines[2:]]))
    assert [entry.step for entry in folder.history()] == [10, 30, 40]
    folder.rewind(30)
    assert "1 damaged lines are left out" in capsys.readouterr().out
    assert [json.loads(line)["step"] for line in folder.metrics.read_text().splitlines()] == [10, 30]


def test_runs_that_begin_in_the_same_second_have_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = {choose_folder(None, False, "end2end", "x" * 300) for _ in range(5)}
    assert len(folders) == 5 and all(folder.is_dir() for folder in folders)


def test_a_message_does_not_promise_a_checkpoint_that_is_not_there(tmp_path):
    folder = RunFolder(tmp_path)
    assert folder.kept == "There was no checkpoint yet"
    folder.checkpoint.write_bytes(b"")
    assert folder.kept == f"The last good checkpoint is kept in {folder.checkpoint}"


def test_a_full_disk_is_a_failure_that_says_what_is_kept(tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("builtins.open", full)
    with pytest.raises(Failure, match=r"No space left.*--resume"):
        RunFolder(tmp_path).log(Entry(1))


@pytest.mark.parametrize("read", [RunFolder.record, RunFolder.history, lambda folder: folder.rewind(0)])
def test_files_that_may_not_be_read_are_a_failure_that_names_them(tmp_path, monkeypatch, read):
    def denied(path, *_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(Failure, match=rf"{tmp_path}/(config\.json|metrics\.jsonl) cannot be read: Permission denied"):
        read(RunFolder(tmp_path))


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
        RunFolder(tmp_path / "runs" / name).create(RECORD)
        os.utime(tmp_path / "runs" / name / "config.json", (time.time() + number,) * 2)
    assert choose_folder(None, True, "end2end", "").name == "end2end-a"
    assert choose_folder("elsewhere", True, "end2end", "").name == "elsewhere"
