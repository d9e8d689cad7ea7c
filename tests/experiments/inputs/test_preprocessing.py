"""Preprocessing of section 4.1."""
import numpy as np
import pytest
from skimage.exposure import equalize_adapthist
from skimage.transform import resize_local_mean

from experiments.inputs.crop import square_around_mass
from experiments.inputs.preprocessing import Preprocessing, area_mean, preprocess, shrink_mask
from experiments.system.errors import Failure, UsageError

SMALL = Preprocessing(side=16, working_side=64)


def textured(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 4000, (height, width)).astype(np.uint16)


def test_the_square_is_centred_on_the_mass_as_far_as_it_fits():
    levels = np.zeros((20, 10))
    levels[13, 4] = 1
    assert square_around_mass(levels) == (slice(8, 18), slice(0, 10))  # the centre 13.5 less half of 10, rounded
    levels = np.zeros((20, 10))
    levels[19, 9] = 1
    assert square_around_mass(levels) == (slice(10, 20), slice(0, 10))
    assert square_around_mass(levels.T) == (slice(0, 10), slice(10, 20))
    assert square_around_mass(np.ones((7, 7))) == (slice(0, 7), slice(0, 7))


def test_the_square_is_where_exact_sums_have_it():
    """Rounding must not decide: a centre that lies half a pixel from two squares goes to the even one."""
    levels = np.random.default_rng(0).integers(0, 65536, (101, 40)).astype(np.uint16)
    symmetric = np.concatenate([levels, levels[::-1]])  # 202 rows, the centre at 100.5
    assert square_around_mass(symmetric) == (slice(81, 121), slice(0, 40))
    assert square_around_mass(symmetric[:, :39]) == (slice(82, 121), slice(0, 39))  # 81.5 rounds to 82
    for dtype in (np.uint16, np.int32, np.float32, np.float64):
        assert square_around_mass(levels.astype(dtype)) == square_around_mass(levels)
    assert square_around_mass(levels.astype(np.int64) - 40000) == square_around_mass(levels)
    assert square_around_mass(np.full((9, 5), 7)) == (slice(2, 7), slice(0, 5))


@pytest.mark.parametrize("image", [
    1e9 + np.arange(1200.0).reshape(40, 30), 1e300 * textured(40, 30), 2.0**25 + np.arange(1200).reshape(40, 30),
    2**31 + textured(40, 30).astype(np.uint32), np.float32(3e38) * np.linspace(-1, 1, 1200, dtype=np.float32).reshape(
        40, 30)])
def test_levels_that_float32_cannot_tell_apart_or_hold(image):
    exact = ((image.astype(np.float64) - image.min()) / (float(image.max()) - float(image.min())))
    np.testing.assert_allclose(preprocess(image, None, SMALL, "a").image, preprocess(exact, None, SMALL, "a").image,
                               atol=1e-3)


def test_levels_that_no_number_can_scale_are_refused():
    with pytest.raises(Failure, match=r"a: its levels reach from -1e\+308 to 1e\+308"):
        preprocess(np.where(textured(40, 30) > 2000, 1e308, -1e308), None, SMALL, "a")


@pytest.mark.parametrize("side", [8200, 80000, 10**9])
def test_a_working_side_beyond_all_memory_is_a_wrong_call(side):
    with pytest.raises(UsageError, match=r"--working-side \d+: expected at most 8192; .* GB of memory"):
        Preprocessing(working_side=side)


def test_where_the_memory_does_not_do_the_image_is_named(monkeypatch):
    def full(*arguments, **named):
        raise MemoryError

    monkeypatch.setattr("experiments.inputs.preprocessing.equalize_adapthist", full)
    with pytest.raises(Failure, match=r"a\.png: the memory does not do for its 30 x 40 pixels at the working side 64"):
        preprocess(textured(40, 30), None, SMALL, "a.png")


def test_the_steps_of_4_1():
    """An image of the working side needs no resizing before CLAHE: the definition is a few lines."""
    image = textured(64, 64)
    scaled = (image - image.min()) / np.float32(image.max() - image.min())
    enhanced = equalize_adapthist(scaled.astype(np.float32), kernel_size=8, clip_limit=0.02)
    enhanced = (enhanced - enhanced.min()) / (enhanced.max() - enhanced.min())
    prepared = preprocess(image, None, SMALL, "a.png")
    np.testing.assert_allclose(prepared.image, enhanced.reshape(16, 4, 16, 4).mean(axis=(1, 3)), atol=1e-6)
    assert prepared.image.dtype == np.float32 and prepared.image.shape == (16, 16)
    assert not prepared.mask.any() and not prepared.lost


def test_the_thesis_settings_are_the_default():
    assert Preprocessing() == Preprocessing(side=128, working_side=1024, clip_limit=0.02)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
def test_any_dtype_and_negative_levels(dtype):
    base = np.random.default_rng(0).integers(0, 200, (40, 30))
    expected = preprocess(base.astype(np.float64), None, SMALL, "a").image
    np.testing.assert_array_equal(preprocess(base.astype(dtype), None, SMALL, "a").image, expected)
    if np.dtype(dtype).kind != "u":
        np.testing.assert_array_equal(preprocess((base - 100).astype(dtype), None, SMALL, "a").image, expected)


def test_scale_and_offset_of_the_film_do_not_matter_and_the_range_is_full():
    image = textured(100, 80)
    one, other = (preprocess(levels, None, Preprocessing(64, 64), "a").image for levels in (image, 3.0 * image + 500))
    np.testing.assert_allclose(one, other, atol=2e-2)  # CLAHE bins the levels, which rounding may move to the next bin
    assert (one.min(), one.max()) == (0, 1)


@pytest.mark.parametrize("side", [1, 16, 23, 64])
def test_area_mean(side):
    image = np.random.default_rng(0).random((64, 64))
    np.testing.assert_allclose(area_mean(image, side), resize_local_mean(image, (side, side)), atol=1e-6)


def test_the_mask_goes_the_way_of_the_image():
    """A bright disc and its mask end in the same place, from a tall image whose crop is not in its middle."""
    rows, columns = np.ogrid[:300, :200]
    disc = (rows - 190) ** 2 + (columns - 120) ** 2 <= 30**2
    image = np.where(disc, 200, 20) + np.random.default_rng(0).integers(0, 3, disc.shape)
    image[:60] = 0
    prepared = preprocess(image, disc, Preprocessing(50, 400), "a")
    assert not prepared.lost
    bright = prepared.image > (prepared.image[prepared.mask].mean() + prepared.image[~prepared.mask].mean()) / 2
    assert (bright & prepared.mask).sum() / (bright | prepared.mask).sum() > 0.9
    assert prepared.mask.sum() == pytest.approx(disc.sum() / 16, rel=0.05)


def test_the_mask_is_nearest_then_half_of_the_area():
    mask = np.zeros((8, 8), dtype=bool)
    mask[:4, :4] = True
    mask[0, 4:6] = True   # two of the four pixels of its new pixel
    mask[7, 7] = True     # one of four
    small = shrink_mask(mask, Preprocessing(4, 8))
    expected = np.zeros((4, 4), dtype=bool)
    expected[:2, :3] = [[1, 1, 1], [1, 1, 0]]
    np.testing.assert_array_equal(small, expected)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (127, 127), (37, 90)])
def test_the_smallest_annotation_keeps_a_pixel(row, column):
    mask = np.zeros((128, 128), dtype=bool)
    mask[row, column] = True
    small = shrink_mask(mask, SMALL)
    assert small.sum() == 1 and small[row // 8, column // 8]


def test_a_lost_annotation_is_told_from_none():
    image = np.zeros((200, 100), dtype=np.uint8)
    image[120:200] = textured(80, 100) % 250
    mask = np.zeros(image.shape, dtype=bool)
    mask[5:15, 5:15] = True
    assert preprocess(image, mask, SMALL, "a").lost
    assert not preprocess(image, np.zeros_like(mask), SMALL, "a").lost
    assert not preprocess(image, np.roll(mask, 150, axis=0), SMALL, "a").lost


def test_unusable_images_are_named():
    with pytest.raises(Failure, match=r"black\.png: there is no breast in it: all pixels are 0"):
        preprocess(np.zeros((20, 20), dtype=np.uint8), None, SMALL, "black.png")
    with pytest.raises(Failure, match=r"grey\.png: there is no breast in it: all pixels are 7"):
        preprocess(np.full((20, 20), 7), None, SMALL, "grey.png")
    flat = np.zeros((30, 10), dtype=np.uint8)
    flat[10:20] = 9
    with pytest.raises(Failure, match=r"flat\.png, cropped .*: there is no breast in it: all pixels are 9"):
        preprocess(flat, None, SMALL, "flat.png")
    with pytest.raises(Failure, match=r"a\.png: the image has 30 x 20 pixels and its mask 20 x 30"):
        preprocess(textured(20, 30), np.zeros((30, 20), dtype=bool), SMALL, "a.png")


@pytest.mark.parametrize("wrong", [{"side": 0}, {"side": 128, "working_side": 64}, {"side": 10, "working_side": 60},
                                   {"clip_limit": 0.0}, {"clip_limit": 2.0}])
def test_wrong_settings(wrong):
    with pytest.raises(UsageError, match="expected"):
        Preprocessing(**wrong)
