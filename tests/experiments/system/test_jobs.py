"""Trainings that run side by side: failures, killed processes, interruptions; the progress display."""
import errno
import io
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from experiments.system import cluster as dask_cluster
from experiments.system import jobs
from experiments.system.errors import Failure, UsageError
from experiments.system.jobs import open_executor, run_jobs
from experiments.system.processes import Processes

STEPS = 4


@dataclass(frozen=True)
class Counting:
    """A job that makes its steps one by one, from where it was stopped; as many times as `trouble` says it fails."""
    folder: Path
    name: str
    trouble: str = ""
    times: int = 0

    def steps_done(self):
        path = self.folder / self.name
        return path.read_text().count("step") if path.exists() else 0

    def note(self, word):
        with open(self.folder / self.name, "a") as file:
            file.write(word + "\n")

    def notes(self):
        return (self.folder / self.name).read_text().split()


def count(job):
    job.note("start")
    while job.steps_done() < STEPS:
        job.note("step")
        if job.notes().count("start") <= job.times:
            if job.trouble == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise {"memory": MemoryError, "value": ValueError, "failure": Failure,
                   "disk": partial(OSError, errno.ENOSPC)}[job.trouble]("no luck")


@pytest.fixture
def counting(tmp_path):
    """Eight jobs, one of them in trouble: counting(trouble, times)."""
    def make(trouble="", times=0):
        names = [f"job{number}" for number in range(8)]
        return {name: Counting(tmp_path, name, *((trouble, times) if name == "job3" else ())) for name in names}

    return make


def test_all_jobs_are_done_once(counting):
    all_jobs = counting()
    with ThreadPoolExecutor(3) as executor:
        run_jobs(all_jobs, count, executor, STEPS)
    assert all(job.notes() == ["start", *["step"] * STEPS] for job in all_jobs.values())


@pytest.mark.parametrize(("trouble", "words"), [
    ("memory", "out of memory; fewer --workers"), ("value", "ValueError: no luck"), ("failure", "no luck"),
    ("disk", "the disk is full")])
def test_a_job_that_fails_is_reported_and_goes_on_where_it_stopped(counting, capsys, trouble, words):
    all_jobs = counting(trouble, times=1)
    with ThreadPoolExecutor(3) as executor:
        run_jobs(all_jobs, count, executor, STEPS)
    assert all_jobs["job3"].notes() == ["start", "step", "start", *["step"] * (STEPS - 1)]
    assert all(job.notes().count("start") == 1 for name, job in all_jobs.items() if name != "job3")
    assert f"job3 failed, and is tried once more: {words}" in capsys.readouterr().out


def test_one_that_fails_twice_is_named_and_the_others_are_finished(counting):
    all_jobs = counting("failure", times=2)
    with ThreadPoolExecutor(2) as executor, pytest.raises(
            Failure, match=r"^job3 failed twice: no luck\. The other 7 are finished.*--resume"):
        run_jobs(all_jobs, count, executor, STEPS)
    assert all_jobs["job3"].notes().count("start") == 2
    assert all(job.steps_done() == STEPS for name, job in all_jobs.items() if name != "job3")


def test_a_killed_process_is_replaced_and_takes_no_other_job_with_it(counting, capsys):
    all_jobs = counting("kill", times=1)
    with Processes(2, threads=1) as executor:
        run_jobs(all_jobs, count, executor, STEPS)
    assert all(job.steps_done() == STEPS for job in all_jobs.values())
    assert {name: job.notes().count("start") for name, job in all_jobs.items()} == {
        name: 1 + (name == "job3") for name in all_jobs}
    assert "job3 failed, and is tried once more: its process was killed" in capsys.readouterr().out


def test_one_progress_display_counts_the_steps_of_all_jobs_also_those_made_before(counting, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", terminal)
    all_jobs = counting()
    all_jobs["job0"].note("step")
    with ThreadPoolExecutor(2) as executor:
        run_jobs(all_jobs, count, executor, STEPS)
    shown = terminal.getvalue()
    assert f"1/{8 * STEPS}" in shown and f"{8 * STEPS}/{8 * STEPS}" in shown and "8 of 8 finished" in shown


def test_an_interruption_cancels_what_has_not_begun(counting, monkeypatch):
    all_jobs, gate = counting(), threading.Event()

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs, "wait", interrupted)
    with ThreadPoolExecutor(1) as executor:
        executor.submit(gate.wait)
        with pytest.raises(KeyboardInterrupt):
            run_jobs(all_jobs, count, executor, STEPS)
        gate.set()
    assert not any((job.folder / job.name).exists() for job in all_jobs.values())


def test_processes_share_the_processors(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    for workers, threads in ((1, 8), (2, 4), (3, 2), (16, 1)):
        with open_executor(workers, None) as executor:
            assert executor.threads == threads


def test_a_dask_cluster_does_the_jobs(counting, cluster):
    all_jobs = counting("value", times=1)
    with open_executor(1, cluster) as executor:
        run_jobs(all_jobs, count, executor, STEPS)
    assert all(job.steps_done() == STEPS for job in all_jobs.values())


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x", "tcp://127.0.0.1:notaport"])
def test_an_address_where_no_scheduler_answers_is_a_wrong_call(address, monkeypatch):
    pytest.importorskip("distributed")
    started = time.monotonic()
    monkeypatch.setattr(dask_cluster, "CONNECT", 1)
    with pytest.raises(UsageError, match="no Dask scheduler answers there"), open_executor(1, address):
        pass
    assert time.monotonic() - started < 10


def test_dask_is_asked_for_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(UsageError, match=r'pip install -e "\.\[dask\]"'), open_executor(1, "tcp://127.0.0.1:1"):
        pass
