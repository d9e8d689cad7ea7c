"""Preparation by the workers of a Dask cluster: the same cache, byte for byte, as made here."""
import os
import signal
from functools import partial

import pytest

from experiments import decomposition, end2end, reproduce, retraining, roi_detection
from experiments.datasets import synthetic
from experiments.datasets.mammogram import Mammogram
from experiments.inputs.image_set import prepare
from experiments.inputs.preprocessing import Preprocessing
from experiments.system.errors import Failure

distributed = pytest.importorskip("distributed", reason='needs Dask: pip install -e ".[test]"')

SETTINGS = Preprocessing(side=16, working_side=64)
DRAWN = synthetic.dataset(seed=0, images=40, height=64).mammograms


@pytest.fixture(scope="module")
def processes():
    """The address of the scheduler of two worker processes."""
    with distributed.LocalCluster(n_workers=2, threads_per_worker=2, protocol="tcp://", dashboard_address=":0") as made:
        yield made.scheduler_address


def content(cache):
    return {path.name: path.read_bytes() for path in cache.glob("*.prepared")}


def killing(load, marker):
    """Pixels, for which the first process that is asked dies."""
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return load()
    os.kill(os.getpid(), signal.SIGKILL)


def refusing():
    raise Failure("this image cannot be used")


def with_load(mammogram, load):
    return Mammogram(mammogram.name, mammogram.patient, mammogram.label, mammogram.source, mammogram.fingerprint, load)


def test_the_cache_is_the_same_byte_for_byte(processes, tmp_path):
    here = prepare(DRAWN, SETTINGS, tmp_path / "here", progress=False)
    there = prepare(DRAWN, SETTINGS, tmp_path / "there", progress=False, scheduler=processes)
    assert here.fingerprint == there.fingerprint and len(content(tmp_path / "here")) == 40
    assert content(tmp_path / "here") == content(tmp_path / "there")
    assert len(list((tmp_path / "there").iterdir())) == 40  # and nothing else


def test_a_worker_that_is_killed_in_the_middle_changes_nothing(processes, tmp_path):
    marker = tmp_path / "killed"
    images = [*DRAWN[:20], with_load(DRAWN[20], partial(killing, DRAWN[20].load, marker)), *DRAWN[21:]]
    here = prepare(DRAWN, SETTINGS, tmp_path / "here", progress=False)
    there = prepare(images, SETTINGS, tmp_path / "there", progress=False, scheduler=processes)
    assert marker.exists() and here.fingerprint == there.fingerprint
    assert content(tmp_path / "here") == content(tmp_path / "there")


def test_an_image_that_cannot_be_used_is_named_and_what_was_prepared_stays(processes, tmp_path):
    images = [*DRAWN[:30], with_load(DRAWN[30], refusing), *DRAWN[31:]]
    with pytest.raises(Failure, match="this image cannot be used"):
        prepare(images, SETTINGS, tmp_path / "there", progress=False, scheduler=processes)
    kept = content(tmp_path / "there")
    assert 30 <= len(kept) < 40
    prepare(DRAWN, SETTINGS, tmp_path / "there", progress=False, scheduler=processes)
    prepare(DRAWN, SETTINGS, tmp_path / "here", progress=False)
    assert content(tmp_path / "there") == content(tmp_path / "here") | kept


@pytest.mark.parametrize("each", [end2end, roi_detection, decomposition, retraining, reproduce])
def test_every_command_that_prepares_takes_a_scheduler(each):
    assert each.parser().parse_args(["--scheduler", "tcp://there:1"]).scheduler == "tcp://there:1"


def test_a_command_prepares_by_the_cluster(processes, drawn, finished, tmp_path, command, tiny_flags):
    code, output, errors = command(end2end.main, *tiny_flags(drawn, tmp_path / "run"), "--steps", 2, "--scheduler",
                                   processes)
    assert code == 0, errors
    assert content(tmp_path / "cache") == content(finished.parent / "cache") != {}
    assert "preparing" not in output  # of a cluster nothing is expected: its speed is not known
