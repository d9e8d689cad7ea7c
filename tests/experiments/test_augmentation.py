"""Flips and rotations."""
import numpy as np
import pytest
from scipy import ndimage

from experiments.augmentation import augment


def smooth(count, side=33, channels=1, seed=0):
    noise = np.random.default_rng(seed).random((count, side, side, channels))
    return ndimage.gaussian_filter(noise, (0, 3, 3, 0)).astype(np.float32)


def test_pure_function_of_the_generator_that_writes_to_nothing():
    images, masks = smooth(4), (smooth(4) > 0.5).astype(np.float32)
    kept, kept_masks = images.copy(), masks.copy()
    images.flags.writeable = masks.flags.writeable = False
    first = augment(images, masks, np.random.default_rng(1))
    again = augment(images, masks, np.random.default_rng(1))
    other = augment(images, masks, np.random.default_rng(2))
    for one, same, kept_one in zip(first, again, (kept, kept_masks), strict=True):
        np.testing.assert_array_equal(one, same)
        assert one.shape == kept_one.shape and one.dtype == np.float32
    np.testing.assert_array_equal(images, kept)
    np.testing.assert_array_equal(masks, kept_masks)
    assert not np.array_equal(first[0], other[0])


def test_without_rotation_half_of_the_images_are_mirrored():
    images = smooth(400, side=4)
    moved, masks = augment(images, None, np.random.default_rng(0), max_degrees=0)
    assert masks is None
    same = np.isclose(moved, images, atol=1e-6).all(axis=(1, 2, 3))
    mirrored = np.isclose(moved, images[:, :, ::-1], atol=1e-6).all(axis=(1, 2, 3))
    assert (same ^ mirrored).all()
    assert 160 < mirrored.sum() < 240


@pytest.mark.parametrize("max_degrees", [5, 20])
def test_rotations_are_within_the_bound_about_the_centre_and_fill_it(max_degrees):
    side = 65
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    bar = np.exp(-(rows / 3) ** 2) * (np.abs(columns) < 25)  # a bar's angle is the direction of its second moments
    moved, _ = augment(np.repeat(bar[None, ..., None], 200, axis=0).astype(np.float32), None,
                       np.random.default_rng(0), max_degrees)
    weight = moved[..., 0]
    moments = [np.sum(weight * factor, axis=(1, 2)) for factor in (columns**2, rows**2, rows * columns)]
    degrees = np.rad2deg(np.arctan2(2 * moments[2], moments[0] - moments[1]) / 2)
    assert np.abs(degrees).max() <= max_degrees * 1.02
    assert degrees.max() > 0.9 * max_degrees and degrees.min() < -0.9 * max_degrees
    assert abs(degrees.mean()) < 0.15 * max_degrees
    np.testing.assert_allclose(np.sum(weight * rows, axis=(1, 2)) / weight.sum(axis=(1, 2)), 0, atol=0.05)


def test_masks_move_with_their_images_and_stay_binary():
    discs = np.zeros((30, 64, 64, 1), dtype=np.float32)
    for index in range(30):
        row, column = np.random.default_rng(index).integers(10, 54, size=2)
        discs[index, ..., 0] = np.hypot(*(np.ogrid[:64, :64][0] - row, np.ogrid[:64, :64][1] - column)) < 8
    images, masks = augment(discs, discs, np.random.default_rng(0), max_degrees=15)
    assert set(np.unique(masks)) == {0, 1}
    assert np.abs((images > 0.5).astype(int) - masks).sum(axis=(1, 2, 3)).max() <= 0.03 * 3.15 * 64
    assert not np.array_equal(masks, discs)


def test_channels_move_together_and_edges_continue():
    images = np.concatenate([smooth(5), smooth(5)], axis=3)
    moved, _ = augment(images, None, np.random.default_rng(0))
    np.testing.assert_array_equal(moved[..., 0], moved[..., 1])
    moved, _ = augment(np.ones((3, 20, 20, 1), dtype=np.float32), None, np.random.default_rng(0))
    np.testing.assert_allclose(moved, 1, rtol=1e-6)
