"""PNG, JPEG, TIFF and PGM: every way in which a header says how numbers become brightness, on a known picture."""
import struct
import zlib
from functools import partial

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from experiments.datasets.images.colours import luma
from experiments.datasets.images.reading import read_image
from experiments.system.errors import Failure

tifffile = pytest.importorskip("tifffile")  # scikit-image needs it

GREY = np.random.default_rng(0).integers(0, 256, (20, 30)).astype(np.uint8)
GREY16 = (GREY.astype(np.uint16) << 8) + 7
COLOUR = np.dstack([GREY, GREY // 2, GREY // 4])
AS_GREY = np.floor((COLOUR @ np.array([299, 587, 114]) + 500) / 1000)

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(path, pixels, *more, bits=8, colour=0, interlaced=0):
    """A PNG file of these numbers; more: chunks before the pixels. Interlaced: all pixels in Adam7's seven passes."""
    passes = [(0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1)]
    parts = [pixels[top::down, left::right] for top, down, left, right in passes] if interlaced else [pixels]
    rows = b"".join(b"\0" + row.astype(">u2" if bits == 16 else np.uint8).tobytes() for part in parts for row in part)
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], bits, colour, 0, 0, interlaced)
    path.write_bytes(SIGNATURE + chunk(b"IHDR", header) + b"".join(more) + chunk(b"IDAT", zlib.compress(rows))
                     + chunk(b"IEND", b""))
    return path


def gamma(value):
    return chunk(b"gAMA", struct.pack(">I", round(100_000 * value)))


def tiff(path, pixels, **options):
    tifffile.imwrite(path, pixels, **options)
    return path


def exif(orientation, gamma=None):
    data = Image.Exif()
    data[0x0112] = orientation
    if gamma is not None:
        data.get_ifd(0x8769)[0xA500] = gamma
    return data


def profile(power):
    """An ICC profile of grey levels that are shown with this gamma; 2.2 is about sRGB's."""
    curve = b"curv" + struct.pack(">IIH", 0, 1, round(256 * power)) + b"\0\0"
    white = b"XYZ " + struct.pack(">Iiii", 0, 63190, 65536, 54061)
    text = b"desc" + struct.pack(">II", 0, 5) + b"grey\0" + b"\0" * 78
    tags, body, at = b"", b"", 128 + 4 + 3 * 12
    for name, data in ((b"desc", text), (b"wtpt", white), (b"kTRC", curve)):
        data += b"\0" * (-len(data) % 4)
        tags += name + struct.pack(">II", at + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s12s4s", at + len(body), b"lcms", 0x02100000, b"mntr", b"GRAY", b"XYZ ", b"\0" * 12,
                       b"acsp") + b"\0" * 28 + struct.pack(">iii", 63190, 65536, 54061) + b"\0" * 48
    return head + struct.pack(">I", 3) + tags + body


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

# how the file is written, and the picture that it means
MEANT = {
    "grey": (lambda p: png(p, GREY), GREY),
    "grey, 16 bits": (lambda p: png(p, GREY16, bits=16), GREY16),
    "interlaced": (lambda p: png(p, GREY, interlaced=1), GREY),
    "interlaced, 16 bits": (lambda p: png(p, GREY16, bits=16, interlaced=1), GREY16),
    "significant bits": (lambda p: png(p, GREY16, chunk(b"sBIT", b"\x0c"), bits=16), GREY16),
    "the usual gamma": (lambda p: png(p, GREY, gamma(1 / 2.2)), GREY),
    "another gamma, which sRGB overrides": (lambda p: png(p, GREY, chunk(b"sRGB", b"\0"), gamma(1)), GREY),
    "grey profile": (lambda p: Image.fromarray(GREY).save(p, "PNG", icc_profile=profile(2.2)) or p, GREY),
    "sRGB profile": (lambda p: Image.fromarray(COLOUR).save(p, "PNG", icc_profile=SRGB) or p, AS_GREY),
    "colours": (lambda p: Image.fromarray(COLOUR).save(p, "PNG") or p, AS_GREY),
    "palette": (lambda p: Image.fromarray(255 - GREY).convert("P", palette=Image.Palette.ADAPTIVE).save(p, "PNG") or p,
                255 - GREY),
    "opaque": (lambda p: Image.fromarray(COLOUR).convert("RGBA").save(p, "PNG") or p, AS_GREY),
    "one bit": (lambda p: Image.fromarray(GREY > 99).save(p, "PNG") or p, 255 * (GREY > 99)),
    "turned by EXIF": (lambda p: Image.fromarray(np.rot90(GREY)).save(p, "PNG", exif=exif(6)) or p, GREY),
    "mirrored by EXIF, 16 bits": (lambda p: Image.fromarray(GREY16[:, ::-1]).save(p, "PNG", exif=exif(2)) or p, GREY16),
    "TIFF": (lambda p: tiff(p, GREY), GREY),
    "TIFF, 16 bits, big endian": (lambda p: tiff(p, GREY16, byteorder=">"), GREY16),
    "TIFF, predictor": (lambda p: tiff(p, GREY16, compression="zlib", predictor=True), GREY16),
    "TIFF, float predictor": (lambda p: tiff(p, GREY.astype(np.float32), compression="zlib", predictor=True), GREY),
    "TIFF, white is zero": (lambda p: tiff(p, 255 - GREY, photometric="miniswhite"), GREY),
    "TIFF, white is zero, 16 bits": (lambda p: tiff(p, 65535 - GREY16, photometric="miniswhite"), GREY16),
    "TIFF, white is zero, float": (lambda p: tiff(p, -GREY.astype(np.float32), photometric="miniswhite"), GREY),
    "TIFF, white is zero, 1 bit": (lambda p: tiff(p, GREY <= 99, photometric="miniswhite"), 255 * (GREY > 99)),
    "TIFF, signed": (lambda p: tiff(p, GREY16.astype(np.int16) - 300), GREY16.astype(np.int16) - 300),
    "TIFF, signed, 8 bits": (lambda p: tiff(p, GREY.astype(np.int8)), GREY.astype(np.int8)),
    "TIFF, 32 bits": (lambda p: tiff(p, GREY16.astype(np.uint32) << 16), GREY16.astype(np.uint32) << 16),
    "TIFF, float": (lambda p: tiff(p, GREY.astype(np.float32) - 9), GREY - 9.0),
    "TIFF, float, big endian": (lambda p: tiff(p, GREY.astype(np.float32) - 9, byteorder=">"), GREY - 9.0),
    "TIFF, 12 bits": (lambda p: tiff(p, GREY16 >> 4, bitspersample=12), GREY16 >> 4),
    "TIFF, the largest sample value": (lambda p: tiff(p, GREY16, extratags=[(281, "H", 1, 4095, True)]), GREY16),
    "TIFF, the usual reference levels": (lambda p: tiff(p, COLOUR, photometric="rgb", extratags=[
        (532, "2I", 6, (0, 1, 255, 1) * 3, True)]), AS_GREY),
    "the transfer function of sRGB": (lambda p: png(p, GREY, chunk(b"cICP", b"\1\15\0\1")), GREY),
    "ASCII PGM": (lambda p: p.write_text("P2 30 20 255\n" + " ".join(map(str, GREY.ravel()))) and p, GREY),
    "PPM": (lambda p: p.write_bytes(b"P6 30 20 255\n" + COLOUR.tobytes()) and p, AS_GREY),
    "gamma in EXIF": (lambda p: Image.fromarray(GREY).save(p, "PNG", exif=exif(1, 2.2)) or p, GREY),
    "TIFF, colours by planes": (lambda p: tiff(p, COLOUR.transpose(2, 0, 1).copy(), photometric="rgb",
                                               planarconfig="separate"), AS_GREY),
    "TIFF, tiles": (lambda p: tiff(p, GREY16, tile=(16, 16)), GREY16),
    "TIFF, upside down": (lambda p: tiff(p, GREY16[::-1], extratags=[(274, "H", 1, 4, True)]), GREY16),
    "TIFF, turned": (lambda p: tiff(p, np.rot90(GREY).copy(), extratags=[(274, "H", 1, 6, True)], compression="zlib"),
                     GREY),
}


@pytest.mark.parametrize("kind", MEANT)
def test_the_picture_that_the_header_means(tmp_path, kind):
    write, expected = MEANT[kind]
    image = read_image(write(tmp_path / "picture"))
    np.testing.assert_array_equal(image, expected)


def test_jpeg_is_turned_as_its_header_says(tmp_path):
    smooth = np.add.outer(3 * np.arange(40), np.arange(50)).astype(np.uint8)
    for orientation, written in ((1, smooth), (3, smooth[::-1, ::-1]), (5, smooth.T), (8, np.rot90(smooth, -1))):
        Image.fromarray(written).save(tmp_path / "a.jpg", quality=95, exif=exif(orientation))
        assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - smooth).max() <= 4
    Image.fromarray(np.dstack(3 * [smooth])).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - smooth).max() <= 6


def animated(path):
    Image.fromarray(GREY).save(path, "PNG", save_all=True, append_images=[Image.fromarray(255 - GREY)])
    return path


def two_pages(path):
    Image.fromarray(GREY).save(path, "TIFF", save_all=True, append_images=[Image.fromarray(GREY)])
    return path


@pytest.mark.parametrize(("write", "message"), [
    (lambda p: png(p, GREY, gamma(1.0)), r"has a gamma of 1 \(gAMA\), expected 0\.4545"),
    (lambda p: png(p, GREY, gamma(0)), r"has a gamma of 0"),
    (lambda p: Image.fromarray(GREY).save(p, "PNG", icc_profile=profile(1.0)) or p, "has a colour profile by which"),
    (lambda p: Image.fromarray(GREY).save(p, "JPEG", icc_profile=profile(1.0)) or p, "has a colour profile by which"),
    (lambda p: Image.fromarray(GREY).save(p, "PNG", icc_profile=b"no profile") or p, "has a colour profile by which"),
    (lambda p: tiff(p, GREY, iccprofile=profile(1.0)), "has a colour profile by which"),
    (lambda p: tiff(p, GREY, extratags=[(291, "H", 256, list(range(256)), True)]), "has a GrayResponseCurve"),
    (lambda p: tiff(p, GREY, extratags=[(301, "H", 256, list(range(256)), True)]), "has a TransferFunction"),
    (lambda p: png(p, GREY16, bits=16, colour=2), "has colours of 16 bits each"),
    (lambda p: png(p, GREY16, bits=16, colour=4), "has colours of 16 bits each"),
    (lambda p: tiff(p, np.dstack(3 * [GREY16]), photometric="rgb"), "has colours of 16 bits each"),
    (lambda p: tiff(p, GREY, extratags=[(274, "H", 1, 6, True)]), r"is to be turned by a quarter \(Orientation\)"),
    (lambda p: tiff(p, COLOUR, photometric="rgb", extratags=[(532, "2I", 6, (16, 1, 235, 1) * 3, True)]),
     "has a ReferenceBlackWhite"),
    (lambda p: png(p, GREY, chunk(b"cICP", b"\11\20\0\1")), r"coded by the transfer function 16 \(cICP\)"),
    (lambda p: Image.fromarray(GREY).save(p, "JPEG", exif=exif(1, 1.0)) or p, "has a Gamma of 1 in its EXIF data"),
    (lambda p: p.write_bytes(b"P6 15 20 65535\n" + COLOUR.tobytes()) and p, "has colours of 16 bits each"),
    *((partial(tiff, pixels=pixels, byteorder=">", compression=compression), "signed or floating and big-endian")
      for compression in ("zlib", "packbits") for pixels in (
          GREY16.astype(np.int16), GREY16.astype(np.int32), GREY16.astype(np.float32) + 0.5)),
    (animated, "holds 2 images, expected one"), (two_pages, "holds 2 images, expected one"),
    (lambda p: Image.fromarray(GREY).save(p, "PNG", transparency=5) or p, "has transparent pixels"),
    (lambda p: Image.fromarray(np.dstack([COLOUR, 255 - GREY])).save(p, "PNG") or p, "has transparent pixels"),
    (lambda p: png(p, GREY16, chunk(b"tRNS", b"\0\7"), bits=16), "declared transparent"),
    (lambda p: tiff(p, GREY.astype(np.float32) * np.nan), "some pixels are not finite"),
    (lambda p: tiff(p, GREY.astype(np.float64)), "cannot be read as an image"),
    (lambda p: tiff(p, GREY.astype(np.complex64)), "cannot be read as an image"),
])
def test_what_is_not_honoured_is_refused_by_name(tmp_path, write, message):
    path = write(tmp_path / "picture")
    with pytest.raises(Failure, match="picture: .*" + message) as refused:
        read_image(path)
    assert "again" not in str(refused.value)


def test_colours_of_16_bits_in_jpeg_2000(tmp_path):
    imagecodecs = pytest.importorskip("imagecodecs")
    for colours, message in ((np.dstack(3 * [GREY16]), "has colours of 16 bits each"), (COLOUR, None)):
        path = tmp_path / "picture"
        path.write_bytes(imagecodecs.jpeg2k_encode(colours, level=0, reversible=True))
        if message is None:
            np.testing.assert_array_equal(read_image(path), AS_GREY)
        else:
            with pytest.raises(Failure, match="picture: .*" + message):
                read_image(path)
    path.write_bytes(imagecodecs.jpeg2k_encode(GREY16, level=0, reversible=True))
    np.testing.assert_array_equal(read_image(path), GREY16)


def test_several_images_in_a_pgm_file_and_the_line_end_of_ddsm(tmp_path):
    path = tmp_path / "a.pgm"
    header = b"P5 30 20 255\n"
    path.write_bytes(2 * (header + GREY.tobytes()))
    with pytest.raises(Failure, match=r"a\.pgm: holds several images"):
        read_image(path)
    dark = np.full((20, 30), 0x0A0B, ">u2")  # begins with a line end itself
    for content, expected in ((b"P5 30 20 65535\n\n" + dark.tobytes(), dark), (header + GREY.tobytes() + b"\n", GREY),
                              (b"P5 30 20 255\n" + b"\n" * 600 + b"\n", np.full((20, 30), 10))):
        path.write_bytes(content)
        np.testing.assert_array_equal(read_image(path), expected)
    path.write_bytes(b"P5 " + b"9" * 5000 + b" 6 255\n")
    with pytest.raises(Failure, match=r"a\.pgm: .*no complete header"):
        read_image(path)


def test_a_small_file_of_many_pixels_is_refused_before_it_unfolds(tmp_path):
    rows = zlib.compress(bytes(4 * (1 + 3 * 13300)))
    header = struct.pack(">IIBBBBB", 13300, 13300, 8, 2, 0, 0, 0)
    path = tmp_path / "a.png"
    path.write_bytes(SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    with pytest.raises(Failure, match=r"has 13300 x 13300 pixels .*more than 80000000.*--max-pixels"):
        read_image(path)
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    path.write_bytes(SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    with pytest.raises(Failure, match=r"a\.png: has more than \d+ pixels"):
        read_image(path, max_pixels=10**12)
    assert read_image(png(path, GREY), max_pixels=600).shape == (20, 30)
    with pytest.raises(Failure, match="more than 599"):
        read_image(path, max_pixels=599)


def test_where_the_memory_does_not_do_the_file_is_named(tmp_path, monkeypatch):
    def full(*arguments):
        raise MemoryError

    monkeypatch.setattr("experiments.datasets.images.pictures.luma", full)
    Image.fromarray(COLOUR).save(tmp_path / "a.png")
    with pytest.raises(Failure, match=r"a\.png: the memory does not do for its pixels"):
        read_image(tmp_path / "a.png")


def test_colours_become_grey_in_their_own_type_without_many_times_their_room():
    import tracemalloc

    colours = np.random.default_rng(0).integers(0, 65536, (2000, 1000, 3)).astype(np.uint16)
    tracemalloc.start()
    grey = luma(colours)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert grey.dtype == np.uint16 and peak < 1.5 * colours.nbytes
    np.testing.assert_array_equal(grey, np.floor((colours.astype(np.int64) @ [299, 587, 114] + 500) / 1000))


def test_texts_in_a_png_say_nothing_of_its_levels(tmp_path):
    text = PngImagePlugin.PngInfo()
    text.add_text("Gamma", "1.0")
    Image.fromarray(GREY).save(tmp_path / "a.png", pnginfo=text)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), GREY)
