"""Small drawn mammograms, and the commands as their user meets them."""
import contextlib
import io
import shutil
from pathlib import Path

import pytest

from experiments import end2end
from experiments.command import run_command
from experiments.datasets import synthetic

TINY = ("--side", "32", "--working-side", "64", "--width", "0.05", "--batch", "4", "--workers", "1",
        "--evaluate-every", "20", "--checkpoint-every", "2", "--steps", "60")


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """30 small mammograms of 15 patients in the folder format."""
    folder = tmp_path_factory.mktemp("drawn") / "data"
    synthetic.write(folder, seed=5, images=30, height=80)
    return folder


@pytest.fixture
def data(drawn, tmp_path):
    """A copy of them to spoil."""
    return shutil.copytree(drawn, tmp_path / "data")


@pytest.fixture(scope="session")
def command():
    """command(main, *arguments) -> (exit code, output, errors) of a command run in this process."""
    def run(main, *arguments):
        code, output, errors = 0, io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            try:
                run_command(lambda: main([str(argument) for argument in arguments]))
            except SystemExit as stop:
                code = stop.code
        return code, output.getvalue(), errors.getvalue()

    return run


@pytest.fixture(scope="session")
def tiny_flags():
    """The flags of a run of 60 steps that takes seconds: tiny_flags(data, output)."""
    def flags(data, output):
        return ("--data", data, "--output", output, "--cache", Path(output).parent / "cache", *TINY)

    return flags


@pytest.fixture(scope="session")
def finished(drawn, tmp_path_factory, command, tiny_flags):
    """The folder of such a run that nothing interrupted."""
    output = tmp_path_factory.mktemp("finished") / "run"
    code, _, errors = command(end2end.main, *tiny_flags(drawn, output))
    assert code == 0, errors
    return output


@pytest.fixture(scope="session")
def cluster():
    """The address of a Dask scheduler with one worker of two threads, in this process."""
    distributed = pytest.importorskip("distributed", reason='needs Dask: pip install -e ".[test]"')
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=False, protocol="tcp://",
                                  dashboard_address=":0") as started:
        yield started.scheduler_address
