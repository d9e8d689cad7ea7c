"""The lock on a run's folder: one command at a time, said who it is, given up by whoever is killed."""
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import experiments
from experiments.system import lock
from experiments.system.errors import Failure
from experiments.system.lock import locked

ROOT = Path(experiments.__file__).parents[1]
HOLDER = """
import sys
from pathlib import Path
from experiments.system.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the lock of tmp_path / "run"."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path / "run"], cwd=ROOT, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_another_process_is_refused_and_told_who_holds_it(holder, tmp_path):
    with pytest.raises(Failure, match="belongs to another command") as caught, locked(tmp_path / "run"):
        pass
    assert f"process {holder.pid} on {os.uname().nodename}, since 20" in str(caught.value)
    assert f"python -c {tmp_path / 'run'}" in str(caught.value) and "--output" in str(caught.value)
    holder.communicate("")
    with locked(tmp_path / "run"):
        pass


def test_a_killed_process_holds_nothing(holder, tmp_path):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "run" / "run.lock").exists()
    with locked(tmp_path / "run"):
        text = (tmp_path / "run" / "run.lock").read_text()
        assert text.startswith(f"process {os.getpid()} on ") and text.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_started_process_does_not_inherit_it(tmp_path):
    with locked(tmp_path):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
    try:
        with locked(tmp_path):
            pass
    finally:
        child.communicate(b"\n")


def test_a_folder_that_was_made_for_nothing_goes_again_and_others_stay(tmp_path):
    with locked(tmp_path / "run"):
        assert os.listdir(tmp_path / "run") == ["run.lock"]
    assert not (tmp_path / "run").exists()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "file").write_text("")
    with pytest.raises(KeyboardInterrupt), locked(tmp_path / "run"):
        raise KeyboardInterrupt
    assert os.listdir(tmp_path / "run") == ["file"]


def test_many_threads_are_never_two_inside(tmp_path):
    """Each removes the lock's file and the empty folder when it leaves: who waits must not hold what was removed."""
    inside, most, turns = [], [], []

    def enter():
        for _ in range(20):
            with locked(tmp_path / "run", wait=60):
                inside.append(0)
                most.append(len(inside))
                inside.pop()
                turns.append(0)

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(turns) == 80 and max(most) == 1


def test_where_there_is_no_such_lock_this_is_said_and_the_run_goes_on(tmp_path, monkeypatch, capsys):
    def unsupported(*_):
        raise OSError(95, os.strerror(95))

    monkeypatch.setattr(lock.fcntl, "flock", unsupported)
    with locked(tmp_path):
        pass
    assert re.search(f"{tmp_path} cannot be locked .*{os.strerror(95)}", capsys.readouterr().out)
    monkeypatch.setattr(lock, "fcntl", None)
    with locked(tmp_path):
        pass
    assert "cannot be locked (this system has none)" in capsys.readouterr().out
    assert not tmp_path.exists()


@pytest.mark.parametrize("name", ["file", "file/run", "n" * 300, "/proc/self", "/proc/self/run"])
def test_a_folder_that_cannot_be_is_a_failure(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure, match="cannot be used as the folder of a run"), locked(tmp_path / name):
        pass


def test_where_nothing_may_be_written_it_is_a_failure(tmp_path, monkeypatch):
    def denied(*_):
        raise PermissionError(13, os.strerror(13), str(tmp_path / "run.lock"))

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(Failure, match=r"Permission denied \(.*run.lock\)"), locked(tmp_path):
        pass
