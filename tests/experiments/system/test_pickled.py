"""What goes to another thread or process is pickled once, where it is submitted, and has no dictionary to build."""
import gc
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FunctionType, ModuleType

import numpy as np
import pytest

import experiments
from experiments import roi_detection
from experiments.configuration.detector import PRESETS
from experiments.datasets import synthetic
from experiments.detectors.training import DetectorTask
from experiments.inputs.batches import Batches, MaskBatches
from experiments.inputs.cache import CacheEntry
from experiments.inputs.image_set import prepare
from experiments.inputs.preprocessing import Preprocessing
from experiments.inputs.size_groups import SizeGroups
from experiments.runs.claim import Claim
from experiments.runs.folder import RunFolder
from experiments.system.jobs import open_executor
from experiments.system.machine import Machine
from experiments.system.pickled import Pickled, PicklingExecutor
from experiments.system.processes import Processes, in_processes

ROOT = Path(experiments.__file__).parents[1]


class Noting:
    """Notes the thread in which it is pickled; arrives as the number 3."""
    def __init__(self):
        self.threads = []

    def __reduce__(self):
        self.threads.append(threading.get_ident())
        return int, (3,)


def test_processes_get_calls_that_were_pickled_where_they_were_submitted():
    given = [Noting() for _ in range(4)]
    with Processes(2, threads=1) as executor:
        assert [executor.submit(abs, each).result() for each in given] == [3] * 4
    assert list(in_processes(abs, given, 2)) == [3] * 4
    assert all(each.threads == [threading.get_ident()] * 2 for each in given)


def test_other_executors_and_a_cluster_get_them_so_too(cluster):
    with open_executor(1, cluster) as executor:
        assert isinstance(executor, PicklingExecutor)
        given = Noting()
        assert executor.submit(abs, given).result() == 3 and given.threads == [threading.get_ident()]


def test_what_changes_after_a_call_was_submitted_does_not_reach_it():
    gate, numbers = threading.Event(), [1, 2]
    with ThreadPoolExecutor(1) as threads:
        threads.submit(gate.wait)
        answer = PicklingExecutor(threads).submit(sum, numbers)
        numbers.append(3)
        gate.set()
        assert answer.result() == 3


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    drawn = synthetic.dataset(seed=0, images=12, height=64).mammograms
    return prepare(drawn, Preprocessing(16, 64, 0.02), tmp_path_factory.mktemp("cache"), progress=False)


def test_ten_trainings_pickle_their_images_once(tmp_path, monkeypatch):
    images, jobs = Noting(), {}

    @contextmanager
    def no_executor(workers, scheduler):
        yield None

    monkeypatch.setattr(roi_detection, "open_executor", no_executor)
    monkeypatch.setattr(roi_detection, "announce", lambda *given: None)
    monkeypatch.setattr(roi_detection, "run_jobs", lambda unfinished, *given: jobs.update(unfinished))
    groups = SizeGroups(np.ones(5, int), np.ones(4), *2 * (tuple(np.arange(5)[:, None]),))
    roi_detection.train_all(PRESETS["quick"], RunFolder(tmp_path), Machine(workers=2), images, groups)
    assert len(jobs) == 10 and {task.prepared.load() for task in jobs.values()} == {3}
    assert len(images.threads) == 1


def built_on_demand(root):
    """The names of the types of objects, among all that root reaches, whose dictionary is built when it is asked for.

    Types, modules and functions are pickled by name, their content is not.
    """
    found, seen, waiting = set(), {}, [root]
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, type | ModuleType | FunctionType):
            continue
        seen[id(each)] = each
        if type(each).__dictoffset__ < 0:
            found.add(type(each).__name__)
        waiting += gc.get_referents(each)
    return found


def test_nothing_that_crosses_has_a_dictionary_to_build(prepared):
    class Plain:
        pass

    assert built_on_demand([{"one": (Plain(),)}]) == {"Plain"}
    indices = np.arange(12)
    groups = SizeGroups(np.ones(12, int), np.ones(4), (indices,), (indices,))
    task = DetectorTask("P0", "dice", Claim(Path("owner"), "x"), PRESETS["quick"], Pickled.of(prepared), groups, "cpu")
    entry = CacheEntry(synthetic.dataset(seed=0, images=1).mammograms[0], Preprocessing(16, 64), Path("cache"))
    for crossing in (task, prepared, entry, entry.build, partial(entry.read), Batches(prepared, indices, 4, 0),
                     MaskBatches(prepared, indices, 4, 0), roi_detection.PRESETS):
        assert built_on_demand(crossing) == set()


DAMAGE = """
import ctypes, gc, multiprocessing, os, sys, threading, time
from concurrent.futures import ProcessPoolExecutor
from experiments.system.processes import Processes

class Record:
    def __init__(self, number):
        self.name, self.label, self.more = f"name{number}", [number], (number, str(number))

first = []

def hand_over(phase, details):
    # in the middle of what the first of two feeder threads does: the other one goes on
    thread = threading.current_thread()
    if thread.name == "QueueFeederThread":
        first.append(thread)
        if thread is first[0]:
            time.sleep(0.005)

def shared_values():
    # PyDictObject of CPython 3.11: 16 bytes of head, three words, then the pointer to values that an object had
    owned = [values for each in gc.get_objects() if type(each) is dict
             and (values := ctypes.c_void_p.from_address(id(each) + 40).value)]
    return len(owned) - len(set(owned))

def shared_after(submits, rounds):
    kept = []
    for number in range(rounds):
        first.clear()
        kept.append([Record(number) for number in range(100)])
        gc.set_threshold(10 + number % 23)
        gc.callbacks.append(hand_over)
        for answer in [submit(len, kept[-1]) for submit in submits]:
            answer.result()
        gc.callbacks.remove(hand_over)
        gc.set_threshold(700)
        if shared_values():
            break
    return shared_values()

if __name__ == "__main__":
    sys.setswitchinterval(1e-6)
    with Processes(2, threads=1) as executor:
        print(shared_after([executor.submit] * 2, rounds=30))
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn) as one, ProcessPoolExecutor(1, spawn) as other:
        print(shared_after([one.submit, other.submit], rounds=300) > 0, flush=True)
        for process in multiprocessing.active_children():
            process.kill()
        os._exit(0)  # without the collection that would walk through freed memory
"""


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="CPython 3.12 and later build a dictionary under a lock")
@pytest.mark.skipif(sys.implementation.name != "cpython", reason="looks into CPython's dictionaries")
def test_after_a_run_of_the_executor_no_two_dictionaries_share_their_values(tmp_path):
    """Two executors of the standard library, one feeder thread each, show that the damage would be seen."""
    (tmp_path / "script.py").write_text(DAMAGE)
    done = subprocess.run([sys.executable, tmp_path / "script.py"], capture_output=True, text=True, timeout=120,
                          env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.stdout.split() == ["0", "True"], done.stdout + done.stderr
