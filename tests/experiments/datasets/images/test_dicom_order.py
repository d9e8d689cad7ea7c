"""The order of DICOM's grey levels, every combination of its steps: from a picture whose right look is known, tissue
bright and background dark, back to the numbers in a file, one step after the other, and read again.
"""
from itertools import product

import numpy as np
import pytest

from experiments.datasets.images.reading import read_image

pydicom = pytest.importorskip("pydicom")

TOP = 4095  # the highest level of the picture
LEVELS = np.array([0, 1200, 2000, 3700])  # the first is the background's
PICTURE = LEVELS[np.random.default_rng(0).integers(0, 4, (9, 10))]
PICTURE[0] = LEVELS[0]
MIDDLE, LAST = 2048 + 2500, 9000  # of the windows; the highest value before the VOI transform
STORED, PADDED = 14, 1 << 13  # bits; half of their range, the middle when they are signed
UNUSED = np.random.default_rng(1).integers(0, 4, PICTURE.shape).astype(np.uint16) << STORED  # not part of the values

MODALITIES = ("none", "rescale", "negative slope", "LUT")
VOIS = ("none", "LUT", "LINEAR", "LINEAR_EXACT", "SIGMOID")
INVERSIONS = {"none": {}, "MONOCHROME1": {"PhotometricInterpretation": "MONOCHROME1"},
              "INVERSE": {"PresentationLUTShape": "INVERSE"},
              "both": {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"}}


def table(first, entries):
    item = pydicom.Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries), first, 16])
    item.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    return pydicom.Sequence([item])


SQUARES = np.rint(np.arange(TOP, -1, -1) ** 2 / TOP).astype(int)  # of a VOI LUT, falling


def before_voi(voi, shown, offset):
    """The values of which the VOI transform makes `shown`, and its elements. offset: of all numbers before it.

    The windows cut off what is beyond their ends, the LUT is curved: inverted before it is no picture as after it.
    """
    if voi == "none":
        return shown + offset, {}
    if voi == "LUT":
        return np.abs(SQUARES - shown[..., None]).argmin(-1) + offset, {"VOILUTSequence": table(offset, SQUARES)}
    if voi == "SIGMOID":
        center, width = MIDDLE, 2048
        values = np.rint(center - width / 4 * np.log(TOP / np.clip(shown, 1, TOP - 1) - 1)).astype(int)
    else:
        center, width = (MIDDLE, TOP + 1) if voi == "LINEAR" else (MIDDLE - 0.5, TOP)
        values = shown + MIDDLE - 2048 - 700 * (shown == 0) + 400 * (shown == TOP)
    return values + offset, {"WindowCenter": str(center + offset), "WindowWidth": str(width), "VOILUTFunction": voi}


def before_modality(modality, values, offset):
    """The numbers in the file, moved by `offset` from those of an unsigned file, and the elements of the modality."""
    if modality == "none":
        return values, {}
    if modality == "rescale":
        return values + 100 + offset, {"RescaleSlope": "1", "RescaleIntercept": str(-100 - offset)}
    if modality == "negative slope":
        return LAST - values + offset, {"RescaleSlope": "-1", "RescaleIntercept": str(LAST + offset)}
    return LAST - values + offset, {"ModalityLUTSequence": table(offset, np.arange(LAST, -1, -1))}


@pytest.mark.parametrize(("signed", "padding"), list(product((False, True), repeat=2)))
@pytest.mark.parametrize("inversion", INVERSIONS)
@pytest.mark.parametrize(("modality", "voi"), list(product(MODALITIES, VOIS)))
def test_tissue_is_bright_and_background_dark(dicom, tmp_path, modality, voi, inversion, signed, padding):
    offset = -(1 << 12) if signed else 0
    shown = PICTURE if inversion == "none" else TOP - PICTURE
    values, of_voi = before_voi(voi, shown, offset if modality == "none" else 0)
    numbers, of_modality = before_modality(modality, values, offset)
    header = {**of_modality, **of_voi, **INVERSIONS[inversion]}
    if padding:
        highest = (PADDED if signed else 2 * PADDED) - 1
        numbers[0] = highest
        header["PixelPaddingValue"] = ("SS" if signed else "US", highest)
    assert numbers.min() >= (-PADDED if signed else 0) and numbers.max() < (PADDED if signed else 2 * PADDED)
    cells = (numbers % (2 * PADDED)).astype(np.uint16) | UNUSED
    levels = read_image(dicom(tmp_path / "a.dcm", cells, stored=STORED, signed=signed, **header)).astype(float)
    scaled = (levels - levels.min()) / (levels.max() - levels.min())
    np.testing.assert_allclose(scaled, (PICTURE - PICTURE.min()) / np.ptp(PICTURE), atol=1e-3)
