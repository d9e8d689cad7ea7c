"""Flips and rotations."""
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import ndimage

from experiments.inputs.augmentation import augment


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


def moved_slowly(image, mask, angle, mirrored):
    """The definition, pixel by pixel: turn back about the centre, mirror back, clamp, mix four pixels or take one."""
    height, width = image.shape
    centre_y, centre_x = (height - 1) / 2, (width - 1) / 2
    new_image, new_mask = np.zeros((2, height, width))
    for row in range(height):
        for column in range(width):
            y, x = row - centre_y, column - centre_x
            y, x = np.cos(angle) * y - np.sin(angle) * x, np.sin(angle) * y + np.cos(angle) * x
            y, x = min(max(y + centre_y, 0), height - 1), min(max((-x if mirrored else x) + centre_x, 0), width - 1)
            new_mask[row, column] = mask[int(np.floor(y + 0.5)), int(np.floor(x + 0.5))]
            for other_row in range(height):
                for other_column in range(width):
                    weight = max(1 - abs(y - other_row), 0) * max(1 - abs(x - other_column), 0)
                    new_image[row, column] += weight * image[other_row, other_column]
    return new_image, new_mask


@pytest.mark.parametrize("shape", [(9, 9), (7, 10), (1, 1), (1, 6), (6, 1)])
def test_against_the_definition_pixel_by_pixel(shape):
    noise = np.random.default_rng(2).random((6, *shape, 1), dtype=np.float32)
    masks = (noise > 0.5).astype(np.float32)
    images, moved_masks = augment(noise, masks, np.random.default_rng(3), max_degrees=30)
    same_draws = np.random.default_rng(3)
    mirrored = same_draws.random(6) < 0.5
    degrees = same_draws.uniform(-30, 30, size=6)
    assert 0 < mirrored.sum() < 6
    for index in range(6):
        image, mask = moved_slowly(noise[index, ..., 0], masks[index, ..., 0], np.deg2rad(degrees[index]),
                                   mirrored[index])
        np.testing.assert_allclose(images[index, ..., 0], image, atol=3e-7)
        np.testing.assert_array_equal(moved_masks[index, ..., 0], mask)


@pytest.mark.parametrize("shape", [(128, 128), (200, 150)])  # one block of rows, and several
def test_against_scipy(shape):
    """Noise from pixel to pixel, where a wrong place shows most. Float32's rounding of a mean of numbers below 1."""
    noise = np.random.default_rng(0).random((4, *shape, 2), dtype=np.float32)
    masks = (noise[..., :1] > 0.5).astype(np.float32)
    images, moved_masks = augment(noise, masks, np.random.default_rng(1))
    same_draws = np.random.default_rng(1)
    mirrored = same_draws.random(4) < 0.5
    centre = (np.array(shape) - 1) / 2
    for index, angle in enumerate(np.deg2rad(same_draws.uniform(-5, 5, size=4))):
        matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix[1] *= -1 if mirrored[index] else 1
        where = {"matrix": matrix, "offset": centre - matrix @ centre, "mode": "nearest"}
        for channel in range(2):
            expected = ndimage.affine_transform(noise[index, ..., channel].astype(np.float64), order=1, **where)
            np.testing.assert_allclose(images[index, ..., channel], expected, atol=3e-7)
        np.testing.assert_array_equal(moved_masks[index, ..., 0],
                                      ndimage.affine_transform(masks[index, ..., 0], order=0, **where))


@pytest.mark.parametrize("side", [31, 32])
def test_flips_alone_are_exact(side):
    noise = np.random.default_rng(0).random((20, side, side + 3, 1), dtype=np.float32)
    masks = (noise > 0.5).astype(np.float32)
    moved = augment(noise, masks, np.random.default_rng(5), max_degrees=0)
    mirrored = np.random.default_rng(5).random(20) < 0.5
    for after, before in zip(moved, (noise, masks), strict=True):
        np.testing.assert_array_equal(after[mirrored], before[mirrored][:, :, ::-1])
        np.testing.assert_array_equal(after[~mirrored], before[~mirrored])

def test_a_batch_is_its_images_one_by_one_wherever_they_lie():
    """Blocks of several images, or what an image leaves behind in memory, would show."""
    images = smooth(5, side=40, channels=3)
    whole, _ = augment(images, None, np.random.default_rng(4))
    strided = np.repeat(images, 2, axis=3)[..., ::2]
    np.testing.assert_array_equal(augment(strided, None, np.random.default_rng(4))[0], whole)
    for index in range(5):
        others = np.zeros_like(images)
        others[index] = images[index]
        np.testing.assert_array_equal(augment(others, None, np.random.default_rng(4))[0][index], whole[index])


def test_threads_that_augment_at_once_do_not_meet():
    images = smooth(8, side=64)
    expected = [augment(images, None, np.random.default_rng(seed))[0] for seed in range(6)]
    with ThreadPoolExecutor(3) as pool:
        moved = pool.map(lambda seed: augment(images, None, np.random.default_rng(seed))[0], range(6))
        for one, other in zip(moved, expected, strict=True):
            np.testing.assert_array_equal(one, other)
