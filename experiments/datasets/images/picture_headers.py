"""What the headers of PNG, JPEG and TIFF say of how numbers become brightness, beside what Pillow makes of it.

Honoured by Pillow: palettes, PNG's interlacing, TIFF's predictors, bit order and planes, WhiteIsZero of up to 8 bits,
and the orientation of TIFF; here: WhiteIsZero of more bits, signed 8 bits, unsigned 32 bits, and the orientation in the
EXIF data of JPEG and PNG. PNG's sBIT changes no level: it says how many bits a camera had, and the levels are scaled
already. Refused by name: several images in a file; of images, not of masks, gamma, colour profiles and TIFF's response
curves that make another picture than the levels as they are; colours of 16 bits, of which Pillow reads the higher 8
only; and a quarter turn of a TIFF without compression, which Pillow gets wrong.
"""
import io
from collections.abc import Callable

import numpy as np
from PIL import Image

SRGB_GAMMA = 1 / 2.2
PLAIN = 10  # levels of 255 by which gamma 2.2, sRGB and Adobe RGB differ
BITS, PHOTOMETRIC, ORIENTATION, SAMPLE_FORMAT = 258, 262, 274, 339
CURVES = {291: "GrayResponseCurve", 301: "TransferFunction"}
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
    return None if as_mask else _brightness_refusal(picture)


def _brightness_refusal(picture: Image.Image) -> str | None:
    gamma = picture.info.get("gamma")
    if gamma is not None and "srgb" not in picture.info and "icc_profile" not in picture.info \
            and not abs(gamma - SRGB_GAMMA) < 0.05:
        return (f"has a gamma of {gamma:g} (gAMA), expected {SRGB_GAMMA:.4f} or none: its levels are not those to be "
                "shown. Convert them, or save it without the gamma if they are meant as they are")
    for tag, name in CURVES.items():
        if tag in getattr(picture, "tag_v2", {}):
            return f"has a {name}, which is not applied here. Apply it and save the picture without it"
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
    return picture.format == "PNG" and any("16B" in str(tile[3]) and picture.mode not in ("I;16", "I", "I;16B")
                                           for tile in getattr(picture, "tile", ()))


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
