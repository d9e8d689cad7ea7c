"""Work in several processes."""
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest

import experiments
from engine.kernels.cpu import threads
from experiments.system.errors import Failure
from experiments.system.processes import Processes, in_processes, threads_each

ROOT = Path(experiments.__file__).parents[1]


@pytest.mark.parametrize("workers", [1, 2])
def test_results_in_order_and_errors_as_they_are(workers):
    assert list(in_processes(abs, [-3, 2, -1, 0, -7], workers)) == [3, 2, 1, 0, 7]
    with pytest.raises(ValueError, match="invalid literal"):
        list(in_processes(int, ["1", "2", "three", "4"], workers))


def test_a_worker_that_is_killed_is_a_failure():
    with pytest.raises(Failure, match=r"a worker process was killed.*fewer --workers"):
        list(in_processes(os._exit, [9, 9, 9, 9], 2))


PROGRAM = """
from experiments.system.command import before_imports, run_command
if __name__ == "__main__":
    before_imports()
import os, signal, sys, time
from experiments.system.processes import Processes, in_processes

def press_ctrl_c():
    # as the terminal does: to the command and to all of its processes
    os.killpg(0, signal.SIGINT)

def work(number):
    if {when!r} == "working":
        press_ctrl_c()
    time.sleep(0.1)
    return number

def in_a_pool():
    list(in_processes(work, range(100), 2))

def in_executors():
    with Processes(2, threads=1) as executor:
        calls = [executor.submit(work, number) for number in range(2)]
        for call in calls:
            call.result()
        time.sleep(60)

if __name__ == "__main__":
    run_command({main})
elif {when!r} == "beginning":
    press_ctrl_c()
"""


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="there are no process groups on this system")
@pytest.mark.parametrize("when", ["beginning", "working"])
@pytest.mark.parametrize("main", ["in_a_pool", "in_executors"])
def test_ctrl_c_ends_command_and_workers_with_one_message(main, when, tmp_path):
    """At whatever moment of a worker's life, and none of them stays: they would keep the pipes open."""
    (tmp_path / "program.py").write_text(PROGRAM.format(main=main, when=when))
    done = subprocess.run([sys.executable, tmp_path / "program.py"], capture_output=True, text=True, timeout=60,
                          start_new_session=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stopped\n")


def test_a_failure_leaves_no_process_and_gives_up_what_has_not_begun(tmp_path):
    items = [tmp_path / f"item{number}" for number in range(200)]
    (tmp_path / "item3").mkdir()
    with pytest.raises(FileExistsError):
        list(in_processes(os.mkdir, items, 2))
    assert sum(item.exists() for item in items) < 50
    assert multiprocessing.active_children() == []


def settings(_):
    """Of the process: whether it warns of overflows, whether Ctrl-C reaches it, threads of the engine."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.warn("of an overflow", RuntimeWarning, stacklevel=1)
    return len(caught), signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()), threads._pool().threads


def test_workers_have_the_settings_of_the_command():
    assert list(in_processes(settings, range(4), 2)) == [(0, True, threads_each(2))] * 4
    with Processes(1, threads=3) as executor:
        assert executor.submit(settings, 0).result() == (0, True, 3)


def test_no_thread_and_no_process_stays_behind():
    before = set(threading.enumerate())
    assert list(in_processes(abs, range(-4, 0), 2)) == [4, 3, 2, 1]
    with Processes(2, threads=1) as executor:
        assert [executor.submit(abs, -2).result() for _ in range(3)] == [2] * 3
    assert set(threading.enumerate()) == before and multiprocessing.active_children() == []
