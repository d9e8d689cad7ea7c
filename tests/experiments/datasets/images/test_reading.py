"""Reading image files of every kind, whole and damaged."""
import numpy as np
import pytest
from PIL import Image

from experiments.datasets.images.reading import read_image
from experiments.system.errors import Failure

GREY = np.random.default_rng(0).integers(0, 256, (6, 9), dtype=np.uint8)
GREY16 = np.random.default_rng(1).integers(0, 65536, (6, 9), dtype=np.uint16)


def write_pgm(path, pixels, highest, comment=b""):
    height, width = pixels.shape
    data = pixels.astype(">u2" if highest > 255 else np.uint8).tobytes()
    path.write_bytes(b"P5\n" + comment + b"%d %d\n%d\n" % (width, height, highest) + data)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.pgm"])
@pytest.mark.parametrize("pixels", [GREY, GREY16], ids=["8 bit", "16 bit"])
def test_exact_grey_levels(tmp_path, name, pixels):
    path = tmp_path / name
    if name.endswith("pgm"):
        write_pgm(path, pixels, 65535 if pixels.dtype == np.uint16 else 255)
    else:
        Image.fromarray(pixels).save(path)
    image = read_image(path)
    np.testing.assert_array_equal(image, pixels)
    assert image.dtype == pixels.dtype


@pytest.mark.parametrize("highest", [100, 4095])
def test_pgm_levels_are_not_rescaled(tmp_path, highest):
    pixels = GREY16 % (highest + 1)
    write_pgm(tmp_path / "a.pgm", pixels, highest, comment=b"# a comment 1 2 3\n")
    np.testing.assert_array_equal(read_image(tmp_path / "a.pgm"), pixels)


def test_jpeg(tmp_path):
    smooth = np.add.outer(np.arange(40), np.arange(50)).astype(np.uint8)
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=95)
    image = read_image(tmp_path / "a.jpg")
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - smooth).max() <= 3


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colour_becomes_grey(tmp_path, mode):
    colour = Image.new("RGB", (5, 4), (200, 100, 50)).convert(mode)
    colour.save(tmp_path / "a.png")
    expected = round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)
    tolerance = 30 if mode == "P" else 0  # the palette's nearest colour
    image = read_image(tmp_path / "a.png")
    assert image.shape == (4, 5)
    assert np.abs(image.astype(int) - expected).max() <= tolerance


def test_grey_with_alpha_and_black_and_white(tmp_path):
    Image.fromarray(np.dstack([GREY, np.full_like(GREY, 255)])).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), GREY)
    Image.fromarray(np.dstack([GREY, 255 - GREY])).save(tmp_path / "a.png")
    with pytest.raises(Failure, match=r"a\.png: has transparent pixels"):
        read_image(tmp_path / "a.png")
    Image.fromarray(GREY > 100).save(tmp_path / "b.png")
    np.testing.assert_array_equal(read_image(tmp_path / "b.png"), 255 * (GREY > 100))


def test_truncated_pgm_says_what_is_missing(tmp_path):
    write_pgm(tmp_path / "a.pgm", GREY, 255)
    path = tmp_path / "a.pgm"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(Failure, match=r"a\.pgm: is truncated: 9 x 6 pixels need 54 bytes, the file has 44"):
        read_image(path)


@pytest.mark.parametrize("content", [b"P5\n9 6\n", b"P5\nnine 6 255\n", b"P5 0 6 255\n", b"P5 2 2 70000\n12345678"])
def test_wrong_pgm_header(tmp_path, content):
    (tmp_path / "a.pgm").write_bytes(content)
    with pytest.raises(Failure, match=r"a\.pgm: .*header"):
        read_image(tmp_path / "a.pgm")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_truncated_pictures(tmp_path, name):
    path = tmp_path / name
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(Failure, match=rf"{name}: cannot be read as an image"):
        read_image(path)


@pytest.mark.parametrize("content", [b"", b"not an image at all"])
def test_not_an_image(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(Failure, match=r"a\.png: cannot be read as an image"):
        read_image(tmp_path / "a.png")


def test_absent_several_frames_and_not_finite(tmp_path):
    with pytest.raises(Failure, match=r"none\.png: there is no such file"):
        read_image(tmp_path / "none.png")
    frames = [Image.fromarray(GREY), Image.fromarray(GREY)]
    frames[0].save(tmp_path / "two.tif", save_all=True, append_images=frames[1:])
    with pytest.raises(Failure, match=r"two\.tif: holds 2 images"):
        read_image(tmp_path / "two.tif")
    Image.fromarray(np.array([[1, np.nan]], dtype=np.float32)).save(tmp_path / "nan.tif")
    with pytest.raises(Failure, match=r"nan\.tif: some pixels are not finite"):
        read_image(tmp_path / "nan.tif")
