"""What the headers of PNG, JPEG and TIFF say of how numbers become brightness, beside what Pillow makes of it.

Honoured by Pillow: palettes, PNG's interlacing, TIFF's predictors, bit order and planes, WhiteIsZero of up to 8 bits,
and the orientation of TIFF; here: WhiteIsZero of more bits, signed 8 bits, unsigned 32 bits, and the orientation in the
EXIF data of JPEG and PNG. Levels are not changed by PNG's sBIT, which says how many bits a camera had, nor by TIFF's
smallest and largest sample values, which TIFF 6.0 forbids to use so. Refused by name: several images in a file; of
images, not of masks, gamma, colour profiles, transfer functions, response curves and reference levels, where they make
another picture than the levels as they are; colours of 16 bits, of which Pillow reads the higher 8 only; and what
Pillow gets wrong: a quarter turn of a TIFF without compression, and the order of the bytes in a compressed one whose
numbers are signed or floating and big-endian.
"""
import io
from collections.abc import Callable

import numpy as np
from PIL import Image

SRGB_GAMMA = 1 / 2.2
PLAIN = 10  # levels of 255 by which gamma 2.2, sRGB and Adobe RGB differ
BITS, PHOTOMETRIC, ORIENTATION, SAMPLE_FORMAT = 258, 262, 274, 339
CURVES = {291: "GrayResponseCurve", 301: "TransferFunction"}
REFERENCE, PLAIN_REFERENCES = 532, ((0, 255, 0, 255, 0, 255), (0, 255, 128, 255, 128, 255))  # of RGB, of YCbCr
EXIF, EXIF_GAMMA = 0x8769, 0xA500
SRGB_TRANSFERS = (4, 13)  # of ITU-T H.273: gamma 2.2, sRGB
START = 1 << 16  # bytes
WHITE_IS_ZERO, SIGNED = 0, 2


def refusal(picture: Image.Image, as_mask: bool) -> str | None:
    """Why the picture, opened and not loaded, would not be read as it is meant; None where it is.

    as_mask: it does not matter how bright a level is shown, only that it is not the background's.
    """
    frames = getattr(picture, "n_frames", 1)
    if frames != 1:
        return f"holds {frames} images, expected one"
    if _colours_of_16_bits(picture):
        return "has colours of 16 bits each, of which only 8 would be read. Save it as grey levels of 16 bits"
    if getattr(picture, "tag_v2", {}).get(ORIENTATION, 1) > 4 and picture.info.get("compression") == "raw":
        return ("is to be turned by a quarter (Orientation), which Pillow does wrongly where the pixels are not "
                "compressed. Save it turned")
    if picture.mode in ("I", "F") and getattr(getattr(picture, "tag_v2", None), "prefix", b"") == b"MM" \
            and picture.info.get("compression") != "raw":
        return ("has compressed numbers that are signed or floating and big-endian, whose bytes Pillow takes in the "
                "wrong order. Save it little-endian or without compression")
    return None if as_mask else _brightness_refusal(picture)


def _brightness_refusal(picture: Image.Image) -> str | None:
    gamma = picture.info.get("gamma")
    if gamma is not None and "srgb" not in picture.info and "icc_profile" not in picture.info \
            and not abs(gamma - SRGB_GAMMA) < 0.05:
        return (f"has a gamma of {gamma:g} (gAMA), expected {SRGB_GAMMA:.4f} or none: its levels are not those to be "
                "shown. Convert them, or save it without the gamma if they are meant as they are")
    told, exif = getattr(picture, "tag_v2", {}), picture.getexif()
    for tag, name in CURVES.items():
        if tag in told or tag in exif:
            return f"has a {name}, which is not applied here. Apply it and save the picture without it"
    if picture.mode not in ("1", "L", "P") and tuple(told.get(REFERENCE, PLAIN_REFERENCES[0])) not in PLAIN_REFERENCES:
        return "has a ReferenceBlackWhite, which is not applied here. Apply it and save the picture without it"
    gamma = exif.get_ifd(EXIF).get(EXIF_GAMMA)
    if gamma is not None and not abs(float(gamma) * SRGB_GAMMA - 1) < 0.11:
        return f"has a Gamma of {float(gamma):g} in its EXIF data, expected 2.2 or none. Convert its levels"
    transfer = _coding(picture)
    if transfer not in SRGB_TRANSFERS:
        return (f"has levels coded by the transfer function {transfer} (cICP), expected that of sRGB, 13, or none. "
                "Convert it to sRGB")
    profile = picture.info.get("icc_profile")
    if profile and not is_plain(profile):
        return ("has a colour profile by which its levels are not those to be shown. Convert it to sRGB, or save it "
                "without the profile if its levels are meant as they are")
    return None


def correction(picture: Image.Image) -> Callable[[np.ndarray], np.ndarray] | None:
    """What has to be done to the levels that Pillow decoded; None where nothing has."""
    tags = getattr(picture, "tag_v2", {})
    bits, kind = tags.get(BITS, (8,))[0], tags.get(SAMPLE_FORMAT, (1,))[0]
    if picture.mode == "L" and kind == SIGNED:
        return lambda levels: levels.view(np.int8)
    if picture.mode == "I" and bits == 32 and kind != SIGNED:
        return lambda levels: levels.view(np.uint32)
    if tags.get(PHOTOMETRIC) == WHITE_IS_ZERO and bits > 8:
        return (lambda levels: -levels) if picture.mode == "F" else lambda levels: (1 << bits) - 1 - levels
    return None


def _colours_of_16_bits(picture: Image.Image) -> bool:
    if hasattr(picture, "tag_v2"):
        bits = picture.tag_v2.get(BITS, (8,))
        return len(bits) > 1 and max(bits) > 8
    if picture.mode.startswith("I"):
        return False
    arguments = [tile[3] for tile in getattr(picture, "tile", ())]
    if picture.format == "PNG":
        return any("16B" in str(each) for each in arguments)
    if picture.format == "PPM":
        return any(isinstance(each, tuple) and isinstance(each[-1], int) and each[-1] > 255 for each in arguments)
    return picture.format == "JPEG2000" and _bits_of_jpeg_2000(picture) > 8


def _bits_of_jpeg_2000(picture: Image.Image) -> int:
    """Of the first component, from the codestream's SIZ marker."""
    head = _head(picture)
    at = head.find(b"\xff\x4f\xff\x51") + 42
    return 1 + (head[at] & 0x7F) if 42 <= at < len(head) else 0


def _coding(picture: Image.Image) -> int:
    """The transfer function that PNG's chunk cICP names; sRGB's where there is none."""
    head, at = _head(picture), 8
    while picture.format == "PNG" and head[at + 4 : at + 8] not in (b"IDAT", b""):
        if head[at + 4 : at + 8] == b"cICP":
            return head[at + 9]
        at += 12 + int.from_bytes(head[at : at + 4], "big")
    return SRGB_TRANSFERS[-1]


def _head(picture: Image.Image) -> bytes:
    with open(picture.filename, "rb") as file:  # type: ignore[attr-defined]  # opened by its path
        return file.read(START)


def is_plain(profile: bytes) -> bool:
    """Whether grey levels under this ICC profile are shown as they are, within the differences of common gammas."""
    try:
        from PIL import ImageCms

        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = {"GRAY": "L", "RGB ": "RGB"}[source.profile.xcolor_space]
        ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None]).convert(mode)
        shown = ImageCms.applyTransform(ramp, ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode,
                                                                      "RGB"))
        return bool(np.abs(np.asarray(shown)[0].astype(int) - np.arange(256)[:, None]).max() <= PLAIN)
    except Exception:  # littlecms raises many kinds for a profile that it cannot use, and may be absent
        return False
