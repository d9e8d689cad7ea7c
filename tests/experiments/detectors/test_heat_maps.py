"""(4.2): the heat map of five detectors, merged with the mammogram, kept on disk, moved together while training."""
import shutil

import numpy as np
import pytest

from experiments.configuration.streams import BATCHES
from experiments.datasets import open_dataset
from experiments.detectors import heat_maps as merging
from experiments.detectors.heat_maps import DIGEST_BYTES, Detectors, heat_maps
from experiments.detectors.kept import kept_detectors
from experiments.inputs.augmentation import augment, draw
from experiments.inputs.image_set import prepare
from experiments.inputs.merged import MergedBatches, MergedSet, merge
from experiments.inputs.preprocessing import Preprocessing
from experiments.system.errors import Failure
from models.predict import predict


@pytest.fixture(scope="module")
def prepared(drawn, tmp_path_factory):
    return prepare(open_dataset(drawn, 0).mammograms, Preprocessing(32, 64), tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def five(decomposed):
    return kept_detectors(decomposed, 0.5)


def as_printed(networks, threshold, images):
    """(4.2) written as a loop over images, detectors and pixels: the sum of the binary masks at each pixel."""
    outputs = [predict(network, images)[0] for network in networks]
    total = np.zeros(images.shape[:3], int)
    for n, i, j in np.ndindex(total.shape):
        for output in outputs:
            if output[n, i, j, 0] > threshold:
                total[n, i, j] += 1
    return total


@pytest.mark.parametrize("threshold", [0.49, 0.5, 0.502])
def test_the_heat_map_is_the_sum_of_the_five_masks(five, prepared, threshold):
    images = prepared.images([0, 7])
    counts = Detectors(five.networks, threshold).heat_map(images)
    assert counts.dtype == np.uint8 and counts.shape == (2, 32, 32)
    assert np.array_equal(counts, as_printed(five.networks, threshold, images))
    assert len(np.unique(counts)) > 1  # detectors that all agreed would show nothing here


def test_the_second_channel_holds_the_counts_as_they_are(prepared):
    counts = np.random.default_rng(0).integers(6, size=(len(prepared), 32, 32), dtype=np.uint8)
    x = MergedSet(prepared, counts).images([3, 1])
    assert x.shape == (2, 32, 32, 2) and x.dtype == np.float32
    assert np.array_equal(x[..., :1], prepared.images([3, 1]))
    assert np.array_equal(x[..., 1], counts[[3, 1]]) and x[..., 1].max() == 5
    assert np.array_equal(x, merge(prepared.images([3, 1]), counts[[3, 1]]))


def test_training_moves_image_and_counts_together_and_keeps_counts_whole(prepared):
    """The counts of image n are 0 where it is dark and 1 .. 5 where it is bright: so they are after the move."""
    grey = prepared.images(range(len(prepared)))[..., 0]
    counts = np.digitize(grey, [0.2, 0.4, 0.6, 0.8, 0.95]).astype(np.uint8)
    batches = MergedBatches(MergedSet(prepared, counts), np.arange(len(prepared)), 16, seed=3, max_degrees=20)
    x, y = batches(5)
    assert x.shape == (16, 32, 32, 2) and x.dtype == np.float32 and y.shape == (16, 3)
    assert set(np.unique(x[..., 1])) <= set(range(6))
    for image, moved in x.transpose(0, 3, 1, 2):
        inside = np.s_[4:-4, 4:-4]
        assert np.corrcoef(image[inside].ravel(), moved[inside].ravel())[0, 1] > 0.8


def test_the_image_is_moved_to_the_same_bits_as_without_a_second_channel(prepared):
    merged = MergedSet(prepared, np.ones((len(prepared), 32, 32), np.uint8))
    indices = np.arange(8)
    x = MergedBatches(merged, indices, 4, 0).moved(indices, draw(8, np.random.default_rng((0, BATCHES, 1)), 5))
    alone, _ = augment(prepared.images(indices), None, np.random.default_rng((0, BATCHES, 1)))
    assert np.array_equal(x[..., :1], alone) and (x[..., 1] == 1).all()


def test_heat_maps_are_computed_once_and_kept(five, prepared, tmp_path, monkeypatch):
    maps = heat_maps(five, prepared, tmp_path)
    assert np.array_equal(maps, five.heat_map(prepared.images(range(len(prepared)))))
    assert [path.stat().st_size for path in tmp_path.iterdir()] == [DIGEST_BYTES + len(prepared) * 32 * 32]
    with pytest.raises(ValueError, match="read-only"):
        maps[0] = 0
    monkeypatch.setattr(Detectors, "heat_map", lambda *_: pytest.fail("computed again"))
    assert np.array_equal(heat_maps(five, prepared, tmp_path), maps)


def test_an_interrupted_computation_goes_on_where_it_stopped(five, prepared, tmp_path, monkeypatch):
    whole = np.array(heat_maps(five, prepared, tmp_path / "whole"))
    monkeypatch.setattr(merging, "BATCH", 8)
    compute, calls = Detectors.heat_map, []

    def stopped(self, images):
        calls.append(len(images))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return compute(self, images)

    monkeypatch.setattr(Detectors, "heat_map", stopped)
    with pytest.raises(KeyboardInterrupt):
        heat_maps(five, prepared, tmp_path / "stopped")
    assert np.array_equal(heat_maps(five, prepared, tmp_path / "stopped"), whole)
    assert calls == [8, 8, 8, 8, 6]  # the third block again, and the last; not the first two


def test_a_damaged_or_shortened_file_is_made_again(five, prepared, tmp_path):
    whole = np.array(heat_maps(five, prepared, tmp_path))
    path, = tmp_path.iterdir()
    kept = path.read_bytes()
    content = bytearray(kept)
    content[5000] ^= 1
    for damaged in (content, kept[:-1], b"", kept + b"0"):
        path.write_bytes(damaged)
        assert np.array_equal(heat_maps(five, prepared, tmp_path), whole)
        assert path.read_bytes() == kept


def test_commands_that_share_a_cache_do_not_disturb_each_other(five, prepared, tmp_path, monkeypatch):
    """Another runs whole, and a third empties the cache, while one is between its blocks."""
    whole = np.array(heat_maps(five, prepared, tmp_path / "alone"))
    monkeypatch.setattr(merging, "BATCH", 8)
    compute, calls = Detectors.heat_map, []

    def disturbed(self, images):
        calls.append(len(images))
        if len(calls) == 2:
            assert np.array_equal(heat_maps(five, prepared, tmp_path / "shared"), whole)
        if len(calls) == 5:
            shutil.rmtree(tmp_path / "shared")
        return compute(self, images)

    monkeypatch.setattr(Detectors, "heat_map", disturbed)
    assert np.array_equal(heat_maps(five, prepared, tmp_path / "shared"), whole)
    assert calls == [8, 8, 8, 8, 6, 8, 6]  # the other's three blocks, and those two again that were removed


def test_other_detectors_and_another_threshold_have_heat_maps_of_their_own(five, prepared, tmp_path):
    fewer = Detectors(five.networks[:4], 0.5)
    assert fewer.digest != five.digest
    for detectors in (five, fewer, Detectors(five.networks, 0.49)):
        assert np.array_equal(heat_maps(detectors, prepared, tmp_path),
                              detectors.heat_map(prepared.images(range(len(prepared)))))
    assert len(list(tmp_path.iterdir())) == 3


def test_a_cache_that_cannot_be_written_is_a_failure_that_names_it(five, prepared, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure, match=r"Cannot write .*\.heat"):
        heat_maps(five, prepared, tmp_path / "file" / "cache")
