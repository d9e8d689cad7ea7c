"""The cached, prepared set."""
import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import experiments
from experiments.datasets import synthetic
from experiments.datasets.mammogram import Mammogram
from experiments.inputs.image_set import LOST, prepare
from experiments.inputs.preprocessing import Preprocessing, preprocess
from experiments.system.errors import Failure

SETTINGS = Preprocessing(side=16, working_side=64)
DRAWN = synthetic.dataset(seed=0, images=12, height=64).mammograms


def opened(cache, mammograms=DRAWN, workers=1, settings=SETTINGS):
    return prepare(mammograms, settings, cache, workers, progress=False)


def pixels(image, mask=None):
    return image, mask


def mammogram(image, mask=None, name="a", label="cancer"):
    return Mammogram(name, "p", label, "s", f"{name} {image.sum()}", partial(pixels, image, mask))


def test_images_masks_and_attributes(tmp_path):
    prepared = opened(tmp_path)
    assert len(prepared) == 12 and prepared.side == 16 and prepared.dropped == {}
    np.testing.assert_array_equal(prepared.labels, [0, 0, 1, 1, 2, 2] * 2)
    assert prepared.labels.dtype == np.int64
    assert prepared.patients.tolist() == [one.patient for one in DRAWN]
    assert prepared.names.tolist() == [one.name for one in DRAWN]
    assert set(prepared.sources) == {"synthetic"}
    order = [5, 0, 5, 3]
    images, masks = prepared.images(order), prepared.masks(np.array(order))
    assert images.shape == masks.shape == (4, 16, 16, 1)
    assert images.dtype == masks.dtype == np.float32
    for image, mask, index in zip(images, masks, order, strict=True):
        expected = preprocess(*DRAWN[index].load(), SETTINGS, "drawn")
        np.testing.assert_array_equal(image[..., 0], expected.image)
        np.testing.assert_array_equal(mask[..., 0], expected.mask)


def test_the_second_time_reads_no_image(tmp_path):
    first = opened(tmp_path)

    def refuse():
        raise AssertionError("the image was read again")

    frozen = [Mammogram(one.name, one.patient, one.label, one.source, one.fingerprint, refuse) for one in DRAWN]
    second = opened(tmp_path, frozen)
    assert second.fingerprint == first.fingerprint
    np.testing.assert_array_equal(second.images(range(12)), first.images(range(12)))


def test_results_do_not_depend_on_the_number_of_workers(tmp_path):
    alone, together = opened(tmp_path / "1"), opened(tmp_path / "2", workers=2)
    assert alone.fingerprint == together.fingerprint
    files = {path.name: path.read_bytes() for path in (tmp_path / "1").iterdir()}
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "2").iterdir()}
    assert len(files) == 12


def test_the_fingerprint_follows_content_settings_and_labels(tmp_path):
    first = opened(tmp_path)
    copies = [Mammogram(one.name, one.patient, one.label, "renamed", "elsewhere " + one.fingerprint, one.load)
              for one in DRAWN]
    relabelled = [Mammogram(DRAWN[0].name, DRAWN[0].patient, "benign", DRAWN[0].source, DRAWN[0].fingerprint,
                            DRAWN[0].load), *DRAWN[1:]]
    other = synthetic.dataset(seed=1, images=12, height=64).mammograms
    assert opened(tmp_path, copies).fingerprint == first.fingerprint
    different = [opened(tmp_path, DRAWN[:-1]), opened(tmp_path, relabelled), opened(tmp_path, other),
                 opened(tmp_path, settings=Preprocessing(8, 64)),
                 opened(tmp_path, settings=Preprocessing(16, 64, 0.03))]
    assert len({first.fingerprint, *(one.fingerprint for one in different)}) == 6


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove"])
def test_damaged_files_are_made_again(tmp_path, damage):
    first = opened(tmp_path)
    expected = first.images(range(12))
    path = sorted(tmp_path.iterdir())[3]
    whole = path.read_bytes()
    if damage == "remove":
        path.unlink()
    else:
        path.write_bytes(whole[:100] if damage == "truncate" else whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    np.testing.assert_array_equal(first.images(range(12)), expected)  # noticed by a set that is open already
    assert path.read_bytes() == whole
    path.write_bytes(whole[:100])
    assert opened(tmp_path).fingerprint == first.fingerprint
    assert path.read_bytes() == whole


def test_lost_annotations_are_dropped_and_missing_ones_kept(tmp_path):
    image = np.zeros((80, 40), dtype=np.uint8)
    image[40:] = np.random.default_rng(0).integers(1, 255, (40, 40))
    above, below = np.zeros((2, 80, 40), dtype=bool)
    above[:5, :5] = below[60:70, 10:20] = True
    mammograms = [mammogram(image, above, "lost"), mammogram(image, None, "not annotated"),
                  mammogram(image, below, "kept"), mammogram(image, np.zeros_like(above), "empty")]
    prepared = opened(tmp_path, mammograms)
    assert prepared.names.tolist() == ["not annotated", "kept", "empty"]
    assert prepared.dropped == {LOST: 1}
    np.testing.assert_array_equal(prepared.masks(range(3)).any(axis=(1, 2, 3)), [False, True, False])


@pytest.mark.parametrize("workers", [1, 2])
def test_an_unusable_image_is_named_and_the_others_stay(tmp_path, workers):
    black = mammogram(np.zeros((30, 20)), name="black.png")
    with pytest.raises(Failure, match=r"black\.png: there is no breast in it"):
        opened(tmp_path, [*DRAWN[:8], black], workers)
    assert len(list(tmp_path.iterdir())) == 8
    assert len(opened(tmp_path, DRAWN[:8])) == 8


def test_nothing_to_prepare_and_unusable_cache(tmp_path):
    with pytest.raises(Failure, match="no images to prepare"):
        opened(tmp_path, [])
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure, match="file: the cache folder cannot be created"):
        opened(tmp_path / "file")


def test_a_full_disk_is_said_and_loses_nothing(tmp_path, monkeypatch):
    opened(tmp_path, DRAWN[:4])

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(Failure, match="disk is full"):
            opened(tmp_path)
    assert len(list(tmp_path.iterdir())) == 4
    assert len(opened(tmp_path)) == 12


SCRIPT = """
import sys
from pathlib import Path
from experiments.datasets import synthetic
from experiments.inputs.image_set import prepare
from experiments.inputs.preprocessing import Preprocessing
if __name__ == "__main__":
    drawn = synthetic.dataset(seed=0, images=400, height=128).mammograms
    prepare(drawn, Preprocessing(16, 64), Path(sys.argv[1]), workers=2, progress=False)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL on this system")
def test_killed_in_the_middle(tmp_path):
    """What was prepared stays, whole; the worker processes end with the killed one, and with them its output."""
    (tmp_path / "script.py").write_text(SCRIPT)
    cache = tmp_path / "cache"
    environment = {**os.environ, "PYTHONPATH": str(Path(experiments.__file__).parents[1])}
    process = subprocess.Popen([sys.executable, str(tmp_path / "script.py"), str(cache)], env=environment,
                               stdout=subprocess.PIPE)
    try:
        while process.poll() is None and len(list(cache.glob("*.prepared"))) < 5:
            time.sleep(0.01)
    finally:
        process.kill()
        process.communicate(timeout=60)  # waits for everyone who holds the pipe, so for the workers too
    done = list(cache.glob("*.prepared"))
    assert 5 <= len(done) < 400
    prepared = opened(cache, synthetic.dataset(seed=0, images=len(done) + 8, height=128).mammograms)
    fresh = opened(tmp_path / "fresh", synthetic.dataset(seed=0, images=len(done) + 8, height=128).mammograms)
    assert prepared.fingerprint == fresh.fingerprint
    shutil.rmtree(cache)


def test_the_fingerprint_follows_the_own_split_and_nothing_else_that_training_does_not_see(tmp_path):
    def fingerprint(**changed):
        return opened(tmp_path, [replace(one, **changed) for one in DRAWN]).fingerprint

    assert len({fingerprint(), fingerprint(part="training"), fingerprint(part="test")}) == 3
    assert fingerprint(source="other", breast="left", facts=(("view", "CC"),)) == fingerprint()
