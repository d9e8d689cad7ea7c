"""Commands under mpiexec: one message, one run, the numbers of one process. Skipped where there is no MPI."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from engine.checkpoint import load_checkpoint
from experiments.classifiers.network import build
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.configuration.recorded import recorded_configuration
from experiments.system.ranks import launched

ROOT = Path(__file__).parents[2]
MPIEXEC = Path(sys.executable).parent / "mpiexec"  # of the wheel: that of another MPI would not fit
TINY = ("--side", "32", "--working-side", "64", "--width", "0.05", "--batch", "7", "--workers", "1",
        "--evaluate-every", "4", "--checkpoint-every", "2")

needs_mpi = pytest.mark.skipif(not MPIEXEC.exists(), reason="there is no mpiexec beside this Python")


CUPY = """
import os, sys, time, types
RANK = int(os.environ["PMI_RANK"])
cuda = types.ModuleType("cupy.cuda")
cuda.nccl = types.ModuleType("cupy.cuda.nccl")
sys.modules |= {{"cupy.cuda": cuda, "cupy.cuda.nccl": cuda.nccl}}
zeros, ndarray = lambda size: None, type("ndarray", (), {{}})
cuda.Device = lambda number: types.SimpleNamespace(use=lambda: None)
cuda.runtime = types.SimpleNamespace(getDeviceCount=lambda: 1, getDevice=lambda: 0, runtimeGetVersion=lambda: 12090,
                                     deviceGetPCIBusId=lambda number: "0000:01:00.0")
cuda.nccl.available = True
cuda.nccl.get_unique_id = lambda: (1, -2)

def fail(here):
    def join(size, identity, rank):
        if not here:
            time.sleep(60)  # waits for the others
        raise RuntimeError("no network")
    cuda.nccl.NcclCommunicator = join

{broken}
"""


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("ranks")


def command(ranks, *arguments):
    started = [] if not ranks else [MPIEXEC, "-n", ranks]
    return [str(each) for each in (*started, sys.executable, *arguments)]


def call(ranks, *arguments):
    done = subprocess.run(command(ranks, *arguments), cwd=ROOT, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def flags(drawn, work, name, *more):
    return "experiments/end2end.py", "--data", drawn, "--output", work / name, "--cache", work / "cache", *TINY, *more


@pytest.fixture(scope="module")
def runs(drawn, work):
    """Of so many ranks, 0 for a process alone: (exit code, output, errors) of a run of 6 steps in runs of that name."""
    return {ranks: call(ranks, *flags(drawn, work, str(ranks), "--steps", 6)) for ranks in (0, 2, 3)}


def checkpoint(folder):
    return load_checkpoint(folder / "checkpoint.safetensors")


@needs_mpi
@pytest.mark.parametrize("ranks", [2, 3])
def test_the_run_is_that_of_one_process_to_rounding(runs, work, ranks):
    """The batch of 7 lies on the ranks as 3 and 4, or 2, 2 and 3. Adam's first steps are of one size whatever the
    gradient's: where that is nothing but rounding its sign may be another, of a few weights, so that the way that all
    together have gone is compared. Another mask of the dropout, or moments of a rank's rows, lead elsewhere."""
    assert runs[ranks][0] == 0, runs[ranks][2]
    one, other = (json.loads(line) for line in (
        (work / name / "metrics.jsonl").read_text().splitlines()[0] for name in ("0", str(ranks))))
    assert one["step"] == other["step"] == 1
    assert abs(one["loss"] - other["loss"]) <= 1e-5 * one["loss"]
    alone, together = checkpoint(work / "0"), checkpoint(work / str(ranks))
    assert alone.configuration == together.configuration and alone.trained_on == together.trained_on
    initial = build(recorded_configuration(ClassifierConfiguration, alone.configuration, "")).parameters()
    way, apart = (np.sqrt(sum(np.sum((array - there[name]) ** 2) for name, array in alone.part("parameters").items()))
                  for there in (initial, together.part("parameters")))
    assert apart <= 0.1 * way


@needs_mpi
def test_it_says_and_writes_everything_once(runs, work):
    for ranks in (2, 3):
        _, output, errors = runs[ranks]
        for said in ("This run is expected", "Run folder:", "Training:", "Test set:", "Report:", "It took"):
            assert output.count(said) == 1, output
        assert errors.count("Training: ") == 1 and "error" not in errors
        record = json.loads((work / str(ranks) / "config.json").read_text())
        assert record["command"].startswith(f"mpiexec -n {ranks} python experiments/end2end.py")
        assert {path.name for path in (work / str(ranks)).iterdir()} == {path.name for path in (work / "0").iterdir()}


@needs_mpi
def test_it_ends_with_the_same_bits_stopped_or_not(drawn, work, runs):
    code, _, errors = call(2, *flags(drawn, work, "stopped", "--steps", 3))
    assert code == 0, errors
    code, _, errors = call(2, "experiments/end2end.py", "--resume", "--output", work / "stopped", "--steps", 6,
                           "--cache", work / "cache", "--workers", 1)
    assert code == 0, errors
    whole, resumed = checkpoint(work / "2").arrays, checkpoint(work / "stopped").arrays
    assert whole.keys() == resumed.keys() and all(np.array_equal(whole[name], resumed[name]) for name in whole)


@needs_mpi
@pytest.mark.parametrize(("before", "after"), [(0, 2), (3, 0)])
def test_another_number_of_processes_goes_on_with_a_run(drawn, work, runs, before, after):
    folder = shutil.copytree(work / str(before), work / f"{before} to {after}")
    code, _, errors = call(after, "experiments/end2end.py", "--resume", "--output", folder, "--steps", 8,
                           "--cache", work / "cache", "--workers", 1)
    assert code == 0, errors
    assert checkpoint(folder).step == 8


@needs_mpi
@pytest.mark.parametrize(("arguments", "code", "message"), [
    (("experiments/end2end.py", "--data", "/nowhere"), 2, "error: /nowhere: there is no such folder"),
    (("experiments/end2end.py", "--nonsense"), 2, "unrecognized arguments: --nonsense"),
    (("experiments/end2end.py", "--batch", "2"), 2, "error: --batch 2: fewer images than the 3 processes that share"),
    (("experiments/predict.py", "run", "image"), 2, "error: this command works in one process: start it without mpie"),
    (("experiments/audit.py",), 2, "error: this command works in one process: start it without mpiexec"),
])
def test_a_mistake_is_told_once(arguments, code, message):
    given, _, errors = call(3, *arguments)
    assert given == code
    assert errors.count(message) == 1 and errors.count("error:") == 1, errors


@needs_mpi
@pytest.mark.parametrize(("ranks", "broken", "message"), [
    (2, "", "error: --device cuda: 2 processes on one machine and 1 of its GPUs for them; NCCL wants one for each"),
    (3, "cuda.nccl.available = False", "error: --device cuda: CuPy finds no NCCL, by which GPUs send to each other: pip"
                                       " install nvidia-nccl-cu12"),
    (2, "if RANK == 1: cuda.runtime.getDeviceCount = None", "error: on rank 1 of 2: --device cuda: CuPy finds no GPU"),
    (2, "cuda.runtime.deviceGetPCIBusId = lambda number: f'{RANK}'; fail(RANK == 1)",
     "error: on rank 1 of 2: ConnectionError: NCCL, by which the GPUs send to each other, failed: no network"),
])
def test_ranks_without_a_card_each_are_refused_with_one_message(ranks, broken, message, tmp_path):
    """With a stand-in of CuPy that finds one GPU."""
    (tmp_path / "cupy.py").write_text(CUPY.format(broken=broken))
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(command(ranks, "experiments/end2end.py", "--device", "cuda"), cwd=ROOT, text=True,
                          timeout=120, capture_output=True, env=os.environ | {"PYTHONPATH": path})
    assert done.returncode == (1 if "failed" in message else 2), done.stderr
    assert done.stderr.count(message) == 1 and done.stderr.count("error:") == 1, done.stderr


class Running:
    """A training that goes on until it is stopped, when it has written its first checkpoint."""

    def __init__(self, folder, *arguments):
        self.process = subprocess.Popen(command(2, *arguments), cwd=ROOT, text=True, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        deadline = time.monotonic() + 120
        while not (folder / "checkpoint.safetensors").exists():
            assert time.monotonic() < deadline and self.process.poll() is None, self.process.communicate()
            time.sleep(0.1)
        self.ranks = {}
        for status in Path("/proc").glob("[0-9]*/environ"):
            try:
                content = status.read_bytes()
            except OSError:
                continue
            entries = dict(each.split("=", 1) for each in content.decode(errors="replace").split("\0") if "=" in each)
            if str(folder) in (status.parent / "cmdline").read_text() and launched(entries)[1] == 2:
                self.ranks[launched(entries)[0]] = int(status.parent.name)

    def end(self):
        """(exit code, output, errors); none of its processes is left."""
        output, errors = self.process.communicate(timeout=60)
        deadline = time.monotonic() + 10
        while any(Path(f"/proc/{process}").exists() for process in self.ranks.values()):
            assert time.monotonic() < deadline, "a rank goes on"
            time.sleep(0.1)
        return self.process.returncode, output, errors


@needs_mpi
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="the ranks' processes are found in /proc")
@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_that_is_killed_ends_all(drawn, work, rank):
    folder = work / f"killed {rank}"
    running = Running(folder, *flags(drawn, work, folder.name, "--steps", 100000))
    os.kill(running.ranks[rank], signal.SIGKILL)
    code, output, errors = running.end()
    assert code not in (0, None)
    assert "Traceback" not in errors + output and (output + errors).count("TERMINATED WITH THE EXIT STRING") == 1


@needs_mpi
def test_an_interruption_is_told_once_and_can_be_resumed(drawn, work):
    folder = work / "interrupted"
    running = Running(folder, *flags(drawn, work, folder.name, "--steps", 100000))
    running.process.send_signal(signal.SIGINT)
    code, _, errors = running.end()
    assert code == 130
    assert errors.count("stopped; --resume continues from the last checkpoint") == 1 and "Traceback" not in errors
    assert checkpoint(folder).step >= 2


CRASHING = """
import sys
sys.path.insert(0, {root!r})
from experiments.system.command import run_command
from experiments.system.ranks import process_ranks

def crash(ranks):
    if ranks.rank == 1:
        raise {error}
    ranks.sum(__import__("numpy").zeros(1))

def main():
    {first}
    process_ranks().call(crash)
    process_ranks().sum(__import__("numpy").zeros(1))

run_command(main, on_ranks=True)
"""


@needs_mpi
@pytest.mark.parametrize(("error", "message"), [
    ("MemoryError('no room')", "error: on rank 1 of 3: out of memory"), ("KeyError('bug')", "KeyError: 'bug'")])
def test_a_rank_that_fails_within_a_step_ends_all(tmp_path, error, message):
    script = tmp_path / "crashing.py"
    script.write_text(CRASHING.format(root=str(ROOT), error=error, first=""))
    code, _, errors = call(3, script)
    assert code == 1
    assert errors.count(message) == 1 and errors.count("error: on rank") == 1


@needs_mpi
@pytest.mark.parametrize(("first", "code", "message"), [
    ("raise KeyError('bug')", 1, "KeyError: 'bug'"), ("sys.exit('no more')", 1, "no more"), ("sys.exit(3)", 3, "")])
def test_a_first_process_that_ends_early_ends_all(tmp_path, first, code, message):
    script = tmp_path / "ending.py"
    script.write_text(CRASHING.format(root=str(ROOT), error="KeyError", first=first))
    given, _, errors = call(3, script)
    assert given == code and errors.count(message) == (1 if message else len(errors) + 1)


@needs_mpi
def test_a_launcher_of_another_mpi_is_refused(drawn, work):
    """Each of its processes would take itself for the only one."""
    environment = os.environ | {"PMI_RANK": "0", "PMI_SIZE": "2"}
    environment.pop("PMI_FD", None)
    for rank, said in (("0", 1), ("1", 0)):
        done = subprocess.run(command(0, *flags(drawn, work, "other", "--steps", 4)), cwd=ROOT, text=True, timeout=120,
                              capture_output=True, env={**environment, "OMPI_COMM_WORLD_RANK": rank,
                                                        "OMPI_COMM_WORLD_SIZE": "2"} | {"PMI_RANK": rank})
        assert done.returncode == 2
        assert done.stderr.count("error: the launcher started 2 processes, and mpi4py sees 1") == said


@pytest.mark.parametrize(("environment", "expected"), [
    ({}, (0, 1)), ({"PMI_RANK": "2", "PMI_SIZE": "4"}, (2, 4)), ({"PMI_RANK": "2"}, (0, 1)),
    ({"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "3"}, (1, 3))])
def test_what_the_launchers_say(environment, expected):
    assert launched(environment) == expected
