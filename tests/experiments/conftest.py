"""Small drawn mammograms, and the commands as their user meets them."""
import contextlib
import io
import re
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from engine.checkpoint import save_checkpoint
from experiments import decomposition, end2end
from experiments.configuration.detector import LOSSES, DetectorConfiguration
from experiments.datasets import synthetic
from experiments.detectors import network as detector
from experiments.runs.folder import RunFolder
from experiments.runs.provenance import trained_on
from experiments.system.command import run_command
from experiments.system.records import write_record

TINY = ("--side", "32", "--working-side", "64", "--width", "0.05", "--batch", "4", "--workers", "1",
        "--evaluate-every", "20", "--checkpoint-every", "2", "--steps", "60")


@pytest.fixture(scope="session", autouse=True)
def interruptible():
    """What a script starts in the background ignores Ctrl-C, and so does what that starts: not what is tested."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """30 small mammograms of 15 patients in the folder format."""
    folder = tmp_path_factory.mktemp("drawn") / "data"
    synthetic.write(folder, seed=5, images=30, height=80)
    return folder


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory):
    """12 others of 6 patients."""
    folder = tmp_path_factory.mktemp("elsewhere") / "data"
    synthetic.write(folder, seed=6, images=12, height=80)
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
def detectors(finished, tmp_path_factory):
    """A finished ROI run on the data of `finished`, as experiments/roi_detection.py leaves one; nobody trained it."""
    folder = tmp_path_factory.mktemp("detectors") / "roi"
    of_end2end = RunFolder(finished).record()
    shared = {name: of_end2end.configuration[name] for name in ("data", "side", "working_side")}
    configuration = DetectorConfiguration(preset="quick", channels=2, depth=1, **shared)
    record = replace(of_end2end, experiment="roi_detection", configuration=configuration.record())
    for loss in LOSSES:
        for number in range(5):
            path = folder / f"P{number}-{loss}" / "checkpoint.safetensors"
            path.parent.mkdir(parents=True)
            network = detector.build(replace(configuration, seed=1 + number + 5 * LOSSES.index(loss)))
            save_checkpoint(path, network, None, 0, configuration.record(),
                            trained_on(record, path.parent.name).record())
    write_record(folder / "config.json", record)
    (folder / "results.json").write_text("{}")
    return folder


@pytest.fixture(scope="session")
def decomposed(drawn, detectors, finished, tmp_path_factory, command, tiny_flags):
    """The folder of a decomposition with these detectors, beside the end-to-end run `finished`; with --tensorboard."""
    output = tmp_path_factory.mktemp("decomposed") / "run"
    code, _, errors = command(decomposition.main, *tiny_flags(drawn, output), "--detectors", detectors, "--end2end",
                              finished, "--tensorboard")
    assert code == 0, errors
    return output


@pytest.fixture(scope="module")
def cluster():
    """The address of a Dask scheduler with one worker of two threads, in this process.

    Not for the whole session: its threads draw from the global random generators, which gradient checks watch.
    """
    distributed = pytest.importorskip("distributed", reason='needs Dask: pip install -e ".[test]"')
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=False, protocol="tcp://",
                                  dashboard_address=":0") as started:
        yield started.scheduler_address


@pytest.fixture(scope="session")
def events():
    """events(folder) -> its events as TensorBoard's own reader has them, nothing left out."""
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason=(
        'needs TensorBoard, whose reader is the judge: pip install -e ".[test]"'))
    every = {reader.SCALARS: 0, reader.HISTOGRAMS: 0, reader.IMAGES: 0}
    return lambda folder: reader.EventAccumulator(str(folder), size_guidance=every).Reload()


@pytest.fixture(scope="session")
def check_page():
    """check_page(text): each link leads somewhere; what scrolls has a name and can be reached without a mouse."""
    def check(page):
        identities, links = re.findall(r' id="([^"]*)"', page), re.findall(r' href="#([^"]*)"', page)
        assert len(identities) == len(set(identities)) and links and set(links) <= set(identities)
        scrolled = re.findall(r'<div class="wide"[^>]*>', page)
        assert scrolled and all(re.search(r' tabindex="0" role="region" aria-label="[^"]+"', each) for each in scrolled)
        assert re.findall(r"<h2>([^<]*)", page) == ["Contents"]  # every other heading has a place to link to

    return check
