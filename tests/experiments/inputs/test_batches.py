"""Batches and their preparation ahead of time."""
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.datasets import Mammogram, synthetic
from experiments.inputs.batches import Batches, MaskBatches, class_balanced_indices, one_hot, prefetch
from experiments.inputs.image_set import prepare
from experiments.inputs.preprocessing import Preprocessing
from experiments.system.errors import UsageError


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    drawn = synthetic.dataset(seed=0, images=18, height=64).mammograms
    return prepare(drawn, Preprocessing(16, 64), tmp_path_factory.mktemp("cache"), progress=False)


def test_classes_and_their_images_are_drawn_with_equal_probability():
    labels = np.array([0] * 2 + [1] * 10 + [2] * 4)
    drawn = class_balanced_indices(labels, 30000, np.random.default_rng(0))
    counts = np.bincount(drawn, minlength=16)
    for index, images in enumerate((2, 10, 4)):
        # three standard deviations of a binomial count
        expected = 10000 / images
        assert np.abs(counts[labels == index] - expected).max() < 3.5 * np.sqrt(expected)


def test_a_class_without_images_is_not_drawn():
    assert set(class_balanced_indices(np.array([0, 0, 2]), 100, np.random.default_rng(0))) == {0, 1, 2}


def test_one_hot():
    np.testing.assert_array_equal(one_hot(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]])
    assert one_hot(np.array([1]), 2).dtype == np.float32


def test_a_batch_is_a_function_of_seed_and_step(prepared):
    training = np.arange(12)
    batches = Batches(prepared, training, batch=5, seed=3)
    images, labels = batches(7)
    assert images.shape == (5, 16, 16, 1) and labels.shape == (5, 3)
    assert images.dtype == labels.dtype == np.float32
    for other, same in ((Batches(prepared, training, 5, 3)(7), True), (batches(8), False),
                        (Batches(prepared, training, 5, 4)(7), False)):
        assert np.array_equal(other[0], images) == same


def test_batches_are_augmented_training_images_with_their_labels(prepared):
    """The nearest image of the set, mirrored or not, is a training image of the label given."""
    training = np.array([0, 2, 4, 7, 9, 11])
    everything = prepared.images(range(18))
    candidates = np.concatenate([everything, everything[:, :, ::-1]]).reshape(36, -1)
    for step in range(5):
        for image, label in zip(*Batches(prepared, training, 6, seed=0)(step), strict=True):
            nearest = np.argmin(np.square(candidates - image.ravel()).sum(axis=1)) % 18
            assert nearest in training
            assert label.argmax() == prepared.labels[nearest]


@pytest.mark.parametrize("batch", [0, 13])
def test_a_batch_larger_than_the_data(prepared, batch):
    with pytest.raises(UsageError, match=f"batch {batch}: the training set has 12 images"):
        Batches(prepared, np.arange(12), batch, seed=0)


def test_prefetch_gives_what_the_batches_are_in_order(prepared):
    batches = Batches(prepared, np.arange(12), batch=4, seed=0)
    steps = []
    for step, (images, labels) in prefetch(batches, 3, 9):
        steps.append(step)
        np.testing.assert_array_equal(images, batches(step)[0])
        np.testing.assert_array_equal(labels, batches(step)[1])
    assert steps == [3, 4, 5, 6, 7, 8]
    assert list(prefetch(batches, 5, 5)) == []


def wait_until(condition):
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)
    assert condition()


def test_prefetch_works_ahead_and_no_further():
    made = []
    batches = prefetch(made.append, 0, 100, ahead=2)
    next(batches)
    wait_until(lambda: made == [0, 1, 2])
    next(batches)
    wait_until(lambda: made == [0, 1, 2, 3])
    time.sleep(0.02)
    assert made == [0, 1, 2, 3]
    batches.close()


def test_prefetch_hands_over_an_error_at_its_step():
    def batches(step):
        if step == 2:
            raise UsageError("step 2 is impossible")
        return step

    got = []
    with pytest.raises(UsageError, match="step 2 is impossible"):
        for step, _ in prefetch(batches, 0, 5):
            got.append(step)
    assert got == [0, 1]


def prefetch_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


@pytest.mark.parametrize("end", ["close", "error", "exhausted", "fails"])
def test_prefetch_leaves_no_thread_behind(end):
    def work(step):
        if end == "fails":
            raise ValueError
        return step

    batches = prefetch(work, 0, 4)
    if end == "exhausted":
        list(batches)
    elif end == "fails":
        with pytest.raises(ValueError):
            next(batches)
    else:
        next(batches)
        assert prefetch_threads()
        if end == "close":
            batches.close()
        else:
            with pytest.raises(KeyboardInterrupt):
                batches.throw(KeyboardInterrupt)
    assert not prefetch_threads()


def test_batches_of_masks_move_images_and_masks_alike(tmp_path):
    """Where a mask was drawn into the image, the moved mask still covers exactly what is bright in it."""
    mammograms = []
    for index in range(6):
        image = np.random.default_rng(index).integers(0, 20, (64, 64)).astype(np.uint8)
        mask = np.zeros((64, 64), bool)
        mask[8 + 4 * index:24 + 4 * index, 10:30] = True
        image[mask] = 255
        mammograms.append(Mammogram(str(index), str(index), "benign", "", str(index),
                                    lambda pair=(image, mask): pair))
    prepared = prepare(mammograms, Preprocessing(side=64, working_side=64, clip_limit=0.01), tmp_path, progress=False)
    batches = MaskBatches(prepared, np.array([1, 3, 4]), batch=8, seed=3, max_degrees=20)
    x, y = batches(5)
    assert x.shape == y.shape == (8, 64, 64, 1) and x.dtype == y.dtype == np.float32 and set(np.unique(y)) == {0, 1}
    for image, mask in zip(x, y, strict=True):
        assert np.mean((image > 0.6) == (mask > 0)) > 0.98
    unmoved = [prepared.masks([index])[0].sum() for index in (1, 3, 4)]
    assert all(min(abs(mask.sum() - size) for size in unmoved) < 40 for mask in y)
    again = MaskBatches(prepared, np.array([1, 3, 4]), batch=8, seed=3, max_degrees=20)
    assert all(map(np.array_equal, batches(5), again(5)))
    assert not np.array_equal(batches(5)[0], batches(6)[0])


def test_batches_of_masks_draw_from_the_training_indices_alone():
    def images(indices):
        return np.broadcast_to(np.float32(indices)[:, None, None, None], (len(indices), 8, 8, 1)).copy()

    prepared = SimpleNamespace(images_and_masks=lambda indices: (images(indices), images(indices)))
    batches = MaskBatches(prepared, np.array([2, 5, 7]), 4, 0)
    assert {value for step in range(40) for value in np.unique(batches(step)[0])} == {2, 5, 7}
