"""Mask files of every kind that people draw: each marks the same lesions."""
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from experiments.datasets.images.masks import marked, require_lesion
from experiments.datasets.images.reading import read_image, read_mask
from experiments.system.errors import Failure

LESION = np.zeros((64, 80), dtype=bool)
LESION[10:30, 12:40] = True
LESION[20:26, 18:30] = False  # a hole
SECOND = np.zeros_like(LESION)
SECOND[40:52, 50:70] = True
BOTH = LESION | SECOND


def levels(first, second, dtype=np.uint8, background=0):
    return np.where(LESION, first, np.where(SECOND, second, background)).astype(dtype)


def colours(first, second, background=(0, 0, 0)):
    return np.where(LESION[..., None], first, np.where(SECOND[..., None], second, background)).astype(np.uint8)


def palette(entries, indices):
    picture = Image.new("P", indices.shape[::-1])
    picture.putdata(indices.ravel().tolist())
    picture.putpalette([number for entry in entries for number in entry])
    return picture


INDICES = levels(1, 2)
TRANSPARENT = palette([(255, 255, 255), (255, 0, 0), (0, 255, 0)], INDICES)

WITHOUT_LOSS = {
    "0 and 1": levels(1, 1), "0 and 255": levels(255, 255), "grey 100": levels(100, 100),
    "labels 1 and 2": levels(1, 2),
    "100 and 255": levels(100, 255), "one bit": BOTH, "0 to 4095": levels(4095, 4095, np.uint16),
    "16 bits": levels(65535, 65535, np.uint16), "16 bits, labels": levels(1, 300, np.uint16),
    "grey 40": levels(40, 250), "background 4": levels(250, 250, background=4),
    "red": colours((255, 0, 0), (255, 0, 0)), "red and blue": colours((255, 0, 0), (0, 0, 3)),
    "palette": palette([(0, 0, 0), (128, 0, 0), (0, 1, 0)], INDICES),
    "palette of labels": palette([(0, 0, 0), (1, 1, 1), (2, 2, 2)], INDICES),
    "alpha, opaque": np.dstack([colours((9, 0, 0), (0, 0, 9)), np.full(LESION.shape, 255, np.uint8)]),
    "alpha, white and transparent elsewhere": np.dstack([
        colours((255, 0, 0), (0, 0, 255), (255, 255, 255)), np.where(BOTH, 200, 0).astype(np.uint8)]),
    "grey and alpha": np.dstack([levels(7, 7, background=7), np.where(BOTH, 1, 0).astype(np.uint8)]),
}


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("kind", WITHOUT_LOSS)
def test_what_is_not_background_is_lesion(tmp_path, kind, suffix):
    drawn = WITHOUT_LOSS[kind]
    (drawn if isinstance(drawn, Image.Image) else Image.fromarray(drawn)).save(tmp_path / f"m.{suffix}")
    np.testing.assert_array_equal(read_mask(tmp_path / f"m.{suffix}"), BOTH)


NOT_TOLD = {
    "red on white": colours((255, 0, 0), (255, 0, 0), (255, 255, 255)), "red on blue": colours(
        (255, 0, 0), (255, 0, 0), (0, 0, 255)),
    "red on green, and a brighter one": colours((200, 0, 0), (255, 255, 0), (0, 200, 0)),
    "palette, white and red": palette([(255, 255, 255), (255, 0, 0), (255, 0, 0)], INDICES),
    "palette, black and black": palette([(0, 0, 0), (0, 0, 0), (0, 0, 0)], INDICES),
    "black on transparent": np.dstack([colours((0, 0, 0), (0, 0, 0)), np.where(BOTH, 255, 0).astype(np.uint8)]),
}


@pytest.mark.parametrize("kind", NOT_TOLD)
def test_a_background_that_is_not_told_is_refused(tmp_path, kind):
    drawn = NOT_TOLD[kind]
    (drawn if isinstance(drawn, Image.Image) else Image.fromarray(drawn)).save(tmp_path / "m.png")
    with pytest.raises(Failure, match=r"m\.png: which part of this mask is the background is not told"):
        read_mask(tmp_path / "m.png")


def test_in_rows_far_apart(tmp_path):
    tall = np.zeros((700, 3, 3), np.uint8)
    tall[..., 2], tall[600] = 255, (255, 0, 0)
    Image.fromarray(tall).save(tmp_path / "m.png")
    with pytest.raises(Failure, match="background is not told"):
        read_mask(tmp_path / "m.png")
    tall[0] = 0
    Image.fromarray(tall).save(tmp_path / "m.png")
    assert read_mask(tmp_path / "m.png")[1:].all()


@pytest.mark.parametrize("black", [
    np.zeros(BOTH.shape, np.uint8), np.zeros((*BOTH.shape, 3), np.uint8), np.full(BOTH.shape, 255, np.uint8),
    np.dstack([np.random.default_rng(0).integers(0, 256, (*BOTH.shape, 3)), np.zeros(BOTH.shape)]).astype(np.uint8)],
    ids=["grey", "colour", "white", "transparent, whatever is below it"])
def test_a_mask_of_a_file_that_is_empty_is_empty(tmp_path, black):
    Image.fromarray(black).save(tmp_path / "m.png")
    mask = read_mask(tmp_path / "m.png")
    assert mask.shape == BOTH.shape and not mask.any()
    with pytest.raises(Failure, match=r"table, line 2: the mask m\.png is empty: it has one level everywhere"):
        require_lesion(mask, "m.png", "table, line 2")


def test_a_mask_that_comes_out_empty_while_its_file_is_not(tmp_path):
    Image.fromarray(levels(1, 20)).save(tmp_path / "m.jpg", quality=95)
    with pytest.raises(Failure, match=r"m\.jpg: this mask comes out empty, and its file is not: .* 0 to \d\d, .*PNG"):
        read_mask(tmp_path / "m.jpg")
    Image.fromarray(np.zeros(BOTH.shape, np.uint8)).save(tmp_path / "m.jpg")
    assert not read_mask(tmp_path / "m.jpg").any()


def test_an_inverted_mask_is_refused(tmp_path):
    Image.fromarray(levels(0, 0, background=255)).save(tmp_path / "m.png")
    with pytest.raises(Failure, match="marks all four corners of the image"):
        require_lesion(read_mask(tmp_path / "m.png"), "m.png", "table")
    at_a_corner = np.full(BOTH.shape, 255, np.uint8)
    at_a_corner[:20, :20] = 0
    Image.fromarray(at_a_corner).save(tmp_path / "m.png")
    with pytest.raises(Failure, match="marks more than half of the edge of the image"):
        require_lesion(read_mask(tmp_path / "m.png"), "m.png", "table")
    require_lesion(at_a_corner == 0, "m.png", "table")  # a lesion there is none


def test_how_bright_a_level_is_shown_does_not_matter(tmp_path):
    Image.fromarray(levels(100, 200)).save(tmp_path / "m.png", icc_profile=b"a profile that nobody knows")
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png"), BOTH)
    with pytest.raises(Failure, match="has a colour profile"):
        read_image(tmp_path / "m.png")


def test_a_transparent_palette_entry_is_background(tmp_path):
    TRANSPARENT.save(tmp_path / "m.png", transparency=0)
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png"), BOTH)


@pytest.mark.parametrize("quality", [50, 75, 95])
@pytest.mark.parametrize(("first", "second"), [(255, 255), (100, 100), (64, 64), (100, 255), (255, 120)])
def test_jpeg_rings_and_still_marks_what_was_drawn(tmp_path, first, second, quality):
    drawn = levels(first, second)
    Image.fromarray(drawn).save(tmp_path / "m.jpg", quality=quality)
    ringing = np.asarray(Image.open(tmp_path / "m.jpg"))[~BOTH]
    assert (ringing > 0).any()  # else this test would say nothing
    wrong = read_mask(tmp_path / "m.jpg") != BOTH
    edge = ndimage.binary_dilation(BOTH) & ~ndimage.binary_erosion(BOTH)
    assert not wrong[~edge].any() and wrong.sum() <= 4  # the compression itself moves a corner


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 0, 255), (255, 255, 0)])
def test_a_colour_in_a_jpeg(tmp_path, colour):
    Image.fromarray(colours(colour, colour)).save(tmp_path / "m.jpg", quality=90)
    wrong = read_mask(tmp_path / "m.jpg") != BOTH
    assert wrong.mean() < 0.02  # its colours have half the resolution
    tiff = tmp_path / "m.tif"
    Image.fromarray(levels(200, 200)).save(tiff, compression="jpeg", quality=75)
    np.testing.assert_array_equal(read_mask(tiff), BOTH)


def test_a_jpeg_of_almost_black_is_empty():
    noise = np.random.default_rng(0).integers(0, 32, (40, 50)).astype(np.uint8)
    assert not marked(noise, lossy=True).any() and marked(noise, lossy=False).any()
    assert not marked(np.zeros((4, 5), np.uint8), lossy=True).any()


def test_ringing_beside_a_lesion_is_none():
    """Pixels up to half of the brightest level, as the real masks of CDD-CESM have them next to their edges."""
    drawn = levels(255, 255).astype(int)
    generator = np.random.default_rng(1)
    for row, column in generator.integers(1, 60, (40, 2)):
        if not BOTH[row - 1:row + 3, column - 1:column + 3].any():
            drawn[row:row + 2, column:column + 2] = generator.integers(64, 127)
    np.testing.assert_array_equal(marked(drawn.astype(np.uint8), lossy=True), BOTH)
