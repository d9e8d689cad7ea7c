"""DICOM: every way in which a header says how numbers become brightness, on a picture whose right look is known.

The picture has four grey steps from background to tissue. Each header below stores it in another way; a reader that
does what the header says gets the same picture back, up to scale and offset, which preprocessing removes.
"""
import sys

import numpy as np
import pytest

from experiments.datasets.images.dicom import dicom_shape
from experiments.datasets.images.reading import read_image, read_mask
from experiments.system.errors import Failure

pydicom = pytest.importorskip("pydicom")
imagecodecs = pytest.importorskip("imagecodecs")
uid = pydicom.uid

STEPS = np.array([0, 1000, 2000, 4000])
PICTURE = STEPS[np.random.default_rng(0).integers(0, 4, (12, 10))]
PICTURE[0] = 0


def lut(first, table, bits=12, vr="US", signed=False):
    item = pydicom.Dataset()
    item.add_new("LUTDescriptor", "SS" if signed else "US", [len(table), first, bits])
    item.add_new("LUTData", vr, np.asarray(table, "<u2").tobytes() if vr == "OW" else list(map(int, table)))
    return pydicom.Sequence([item])


def item(**elements):
    new = pydicom.Dataset()
    new.update(elements)
    return new


def packed(table, vr="OW"):
    """Two entries of 8 bits in a word."""
    words = np.frombuffer(bytes(table) + b"\0" * (len(table) % 2), "<u2")
    new = pydicom.Dataset()
    new.add_new("LUTDescriptor", "US", [len(table), 0, 8])
    new.add_new("LUTData", vr, words.tobytes() if vr == "OW" else words.tolist())
    return pydicom.Sequence([new])


def group(macro, **elements):
    return pydicom.Sequence([item(**{macro: pydicom.Sequence([item(**elements)])})])


def same_picture(levels, picture=PICTURE):
    levels = levels.astype(float)
    scaled = (levels - levels.min()) / (levels.max() - levels.min())
    np.testing.assert_allclose(scaled, picture / picture.max(), atol=1e-3)


U16, UPSIDE = PICTURE.astype(np.uint16), (4095 - PICTURE).astype(np.uint16)
SIGNED = (PICTURE - 2000).astype(np.int16)
RAISING = np.linspace(0, 4095, 4096).astype(int)  # a LUT that changes nothing
HALVED = np.minimum(2 * np.arange(2048), 4095)  # of numbers that were stored halved
CUT = np.where(PICTURE > 2000, 2000, PICTURE)  # by a window that ends at 2000

EIGHT = np.arange(256).astype(np.uint8)
ROWS, COLUMNS = np.indices(PICTURE.shape)


def shown(*inside):
    """The picture, and all that is outside as dark as its background."""
    return np.where(np.logical_and.reduce(inside), PICTURE, 0)


# cells, header, the picture that it means
TABLE = {
    "as stored": (U16, {}, PICTURE),
    "8 bits": ((U16 // 16).astype(np.uint8), {"stored": 8}, PICTURE // 16),
    "signed": (SIGNED, {"signed": True}, PICTURE),
    "signed 12 of 16 bits": ((SIGNED & 0xFFF).astype(np.uint16), {"signed": True}, PICTURE),
    "overlay in the unused bits": (U16 | np.uint16(0xA000), {}, PICTURE),
    "high bit 15": (U16 << 4, {"HighBit": 15}, PICTURE),
    "an overlay plane": (U16, {"an overlay": True}, PICTURE),
    "inverted": (UPSIDE, {"PhotometricInterpretation": "MONOCHROME1"}, PICTURE),
    "inverted, signed": ((-1 - SIGNED).astype(np.int16),
                         {"PhotometricInterpretation": "MONOCHROME1", "signed": True}, PICTURE),
    "inverted by shape": (UPSIDE, {"PresentationLUTShape": "INVERSE"}, PICTURE),
    "inverted as mammograms are": (
        UPSIDE, {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"}, PICTURE),
    "shape identity": (U16, {"PresentationLUTShape": "IDENTITY"}, PICTURE),
    "inverted, shape identity": (
        UPSIDE, {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "IDENTITY"}, PICTURE),
    "no presentation LUT": (U16, {"PresentationLUTSequence": pydicom.Sequence()}, PICTURE),
    "32 bits stored, inverted LUT": (U16.astype(np.uint32), {
        "stored": 32, "VOILUTSequence": lut(0, RAISING), "PhotometricInterpretation": "MONOCHROME1"}, 4000 - PICTURE),
    "rescaled": (U16, {"RescaleSlope": "2", "RescaleIntercept": "-100"}, PICTURE),
    "negative slope": (UPSIDE, {"RescaleSlope": "-1", "RescaleIntercept": "4095"}, PICTURE),
    "negative slope, intercept absent": (UPSIDE, {"RescaleSlope": "-1"}, PICTURE),
    "negative slope, inverted": (
        U16, {"RescaleSlope": "-2", "RescaleIntercept": "0", "PhotometricInterpretation": "MONOCHROME1"}, PICTURE),
    "negative slope and window": (UPSIDE, {
        "RescaleSlope": "-1", "RescaleIntercept": "4095", "WindowCenter": "2048", "WindowWidth": "4096"}, PICTURE),
    "negative slope, window, inverted": (U16, {
        "RescaleSlope": "-1", "RescaleIntercept": "4095", "WindowCenter": "2048", "WindowWidth": "4096",
        "PhotometricInterpretation": "MONOCHROME1"}, PICTURE),
    "modality LUT": (UPSIDE, {"ModalityLUTSequence": lut(0, RAISING[::-1])}, PICTURE),
    "modality LUT, from 500, in words": (U16 // 2 + np.uint16(500),
                                         {"ModalityLUTSequence": lut(500, HALVED, vr="OW")}, PICTURE),
    "modality LUT, from -1000": ((SIGNED // 2).astype(np.int16), {
        "signed": True, "ModalityLUTSequence": lut(-1000, HALVED, signed=True)}, PICTURE),
    "modality LUT, its first written unsigned": ((SIGNED // 2).astype(np.int16), {
        "signed": True, "ModalityLUTSequence": lut(65536 - 1000, HALVED)}, PICTURE),
    "modality LUT and window": (UPSIDE, {
        "ModalityLUTSequence": lut(0, RAISING[::-1]), "WindowCenter": "1000.5", "WindowWidth": "2001"}, CUT),
    "VOI LUT": (UPSIDE, {"VOILUTSequence": lut(0, RAISING[::-1])}, PICTURE),
    "VOI LUT of 65536 entries": (U16, {"VOILUTSequence": pydicom.Sequence([lut(0, [0])[0]])}, None),
    "VOI LUT, shorter": (U16, {"VOILUTSequence": lut(0, np.arange(2001))}, CUT),
    "VOI LUT of 8 bits in words": (U16 // 16, {"stored": 8, "VOILUTSequence": lut(0, EIGHT, bits=8)}, PICTURE // 16),
    "VOI LUT of 8 bits, two in a word": (U16 // 16, {
        "stored": 8, "VOILUTSequence": packed(EIGHT)}, PICTURE // 16),
    "VOI LUT of 8 bits, two in a number": (U16 // 16, {
        "stored": 8, "VOILUTSequence": packed(EIGHT, "US")}, PICTURE // 16),
    "VOI LUT of 8 bits, an odd number": (U16 // 16, {
        "stored": 8, "VOILUTSequence": packed(EIGHT[:255])}, PICTURE // 16),
    "VOI LUT, its first written unsigned, of signed values above it": (
        U16.astype(np.int16), {"signed": True, "stored": 13, "VOILUTSequence": lut(65536 - 500, RAISING)},
        np.minimum(PICTURE + 500, 4095) - 500),
    "VOI LUT, its first written signed": (U16 + np.uint16(61000), {
        "stored": 16, "VOILUTSequence": lut(61000 - 65536, RAISING, signed=True)}, PICTURE),
    "modality LUT before a rescale": (UPSIDE, {
        "ModalityLUTSequence": lut(0, RAISING[::-1]), "RescaleSlope": "-1", "RescaleIntercept": "0"}, PICTURE),
    "VOI LUT before a window": (UPSIDE, {
        "VOILUTSequence": lut(0, RAISING[::-1]), "WindowCenter": "10", "WindowWidth": "2"}, PICTURE),
    "VOI LUT, inverted after it": (U16, {
        "VOILUTSequence": lut(0, RAISING[::-1]), "PhotometricInterpretation": "MONOCHROME1"}, PICTURE),
    "VOI LUT after a rescale": (U16, {
        "RescaleSlope": "1", "RescaleIntercept": "-500", "VOILUTSequence": lut(-500, RAISING, signed=True)}, PICTURE),
    "window": (U16, {"WindowCenter": "1000.5", "WindowWidth": "2001"}, CUT),
    "window, its function in other letters": (U16, {
        "WindowCenter": "1000", "WindowWidth": "2000", "VOILUTFunction": "Linear_Exact"}, CUT),
    "window of nothing": (U16, {"WindowCenter": "", "WindowWidth": ""}, PICTURE),
    "VOI LUTs, the first": (U16, {
        "VOILUTSequence": pydicom.Sequence([*lut(0, np.arange(2001)), *lut(0, RAISING[::-1])])}, CUT),
    "windows, the first": (U16, {"WindowCenter": ["1000.5", "4000"], "WindowWidth": ["2001", "1"]}, CUT),
    "exact window": (U16, {"WindowCenter": "1000", "WindowWidth": "2000", "VOILUTFunction": "LINEAR_EXACT"}, CUT),
    "sigmoid": (U16, {"WindowCenter": "1000", "WindowWidth": "2000", "VOILUTFunction": "SIGMOID"},
                1 / (1 + np.exp(-4 * (PICTURE - 1000) / 2000)) - 1 / (1 + np.exp(2))),
    "window of width 1": (U16, {"WindowCenter": "1500", "WindowWidth": "1"}, (PICTURE > 1500) * 1),
    "window, inverted after it": (UPSIDE, {
        "WindowCenter": "3095.5", "WindowWidth": "2001", "PhotometricInterpretation": "MONOCHROME1"}, CUT),
    "padding": (np.where(PICTURE == 0, 4095, U16), {"PixelPaddingValue": ("US", 4095)},
                np.where(PICTURE == 0, 1000, PICTURE) - 1000),
    "padding, inverted": (np.where(PICTURE == 0, 0, UPSIDE), {
        "PixelPaddingValue": ("US", 0), "PhotometricInterpretation": "MONOCHROME1"},
        np.where(PICTURE == 0, 1000, PICTURE) - 1000),
    "padding range": (np.where(PICTURE == 0, 4050 + np.arange(10, dtype=np.uint16), U16), {
        "PixelPaddingValue": ("US", 4095), "PixelPaddingRangeLimit": ("US", 4050)},
        np.where(PICTURE == 0, 1000, PICTURE) - 1000),
    "padding, signed": (np.where(PICTURE == 0, 2047, SIGNED // 2).astype(np.int16), {
        "signed": True, "PixelPaddingValue": ("SS", 2047)}, np.where(PICTURE == 0, 1000, PICTURE) - 1000),
    "padding, written unsigned": (np.where(PICTURE == 0, -2048, -1 - SIGNED // 2).astype(np.int16), {
        "signed": True, "PixelPaddingValue": ("US", 65536 - 2048), "PhotometricInterpretation": "MONOCHROME1"},
        np.where(PICTURE == 0, 1000, PICTURE) - 1000),
    "padding beyond the stored bits": (np.where(PICTURE == 0, 65535, U16), {"PixelPaddingValue": ("US", 65535)},
                                       np.where(PICTURE == 0, 1000, PICTURE) - 1000),
    "padding range, written signed": (np.where(PICTURE == 0, 65531 + np.arange(10) % 5, U16).astype(np.uint16), {
        "stored": 16, "PixelPaddingValue": ("SS", -1), "PixelPaddingRangeLimit": ("SS", -5)},
        np.where(PICTURE == 0, 1000, PICTURE) - 1000),
    "padding, by stored values, not rescaled ones": (np.where(PICTURE == 0, 4095, U16), {
        "PixelPaddingValue": ("US", 4095), "RescaleSlope": "2", "RescaleIntercept": "5"},
        np.where(PICTURE == 0, 1000, PICTURE) - 1000),
    "padding brighter than the window": (np.where(PICTURE == 0, 4095, U16), {
        "PixelPaddingValue": ("US", 4095), "WindowCenter": "1000.5", "WindowWidth": "2001"},
        np.maximum(CUT, 1000) - 1000),
    "rectangular shutter": (U16, {
        "ShutterShape": "RECTANGULAR", "ShutterLeftVerticalEdge": "3", "ShutterRightVerticalEdge": "10",
        "ShutterUpperHorizontalEdge": "1", "ShutterLowerHorizontalEdge": "11"}, shown(ROWS < 11, COLUMNS >= 2)),
    "round shutter, inverted": (UPSIDE, {
        "PhotometricInterpretation": "MONOCHROME1", "ShutterShape": "CIRCULAR", "CenterOfCircularShutter": ["6", "5"],
        "RadiusOfCircularShutter": "4"}, shown((ROWS - 5) ** 2 + (COLUMNS - 4) ** 2 <= 16)),
    "triangular shutter and another": (U16, {
        "ShutterShape": ["POLYGONAL", "RECTANGULAR"], "VerticesOfThePolygonalShutter": [1, 1, 12, 1, 12, 12],
        "ShutterLeftVerticalEdge": "1", "ShutterRightVerticalEdge": "5", "ShutterUpperHorizontalEdge": "1",
        "ShutterLowerHorizontalEdge": "12"}, shown(COLUMNS <= ROWS, COLUMNS < 5)),
    "float": (PICTURE.astype(np.float32) / 7 - 3, {}, PICTURE),
    "double, inverted": (-PICTURE / 7, {"PhotometricInterpretation": "MONOCHROME1"}, PICTURE),
    "float, window": (PICTURE.astype(np.float32), {"WindowCenter": "1000.5", "WindowWidth": "2001"}, CUT),
    "float, padding": (np.where(PICTURE == 0, 1e9, PICTURE).astype(np.float32), {"FloatPixelPaddingValue": 1e9},
                       np.where(PICTURE == 0, 1000, PICTURE) - 1000),
    "double, padding range": (np.where(PICTURE == 0, -9e9 - np.arange(10), -PICTURE), {
        "DoubleFloatPixelPaddingValue": -9e9, "DoubleFloatPixelPaddingRangeLimit": -9.1e9,
        "PhotometricInterpretation": "MONOCHROME1"}, np.where(PICTURE == 0, 1000, PICTURE) - 1000),
    "enhanced, of one frame": (UPSIDE, {
        "NumberOfFrames": "1", "SharedFunctionalGroupsSequence": group(
            "PixelValueTransformationSequence", RescaleSlope="-1", RescaleIntercept="4095"),
        "PerFrameFunctionalGroupsSequence": group(
            "FrameVOILUTSequence", WindowCenter="1000.5", WindowWidth="2001")}, CUT),
    "for measuring": (U16, {"RealWorldValueMappingSequence": pydicom.Sequence([item(
        RealWorldValueSlope=-1.0, RealWorldValueIntercept=0.0)])}, PICTURE),
    "padding of everything": (U16, {"PixelPaddingValue": ("US", 0), "PixelPaddingRangeLimit": ("US", 4095)}, PICTURE),
    "one frame": (U16, {"NumberOfFrames": "1"}, PICTURE),
    "colours": (np.repeat(U16[..., None] // 16, 3, axis=2).astype(np.uint8), {
        "stored": 8, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}, PICTURE // 16),
    "big endian": (U16, {"syntax": uid.ExplicitVRBigEndian}, PICTURE),
    "implicit": (U16, {"syntax": uid.ImplicitVRLittleEndian}, PICTURE),
    "deflated": (U16, {"syntax": uid.DeflatedExplicitVRLittleEndian}, PICTURE),
    "no preamble": (U16, {"preamble": False}, PICTURE),
}


@pytest.mark.parametrize("kind", TABLE)
def test_the_picture_that_the_header_means(dicom, tmp_path, kind):
    cells, header, expected = TABLE[kind]
    path = dicom(tmp_path / "a.dcm", cells, **header)
    if expected is None:
        item = pydicom.dcmread(path)
        item.VOILUTSequence[0].LUTDescriptor = [0, 0, 16]
        item.VOILUTSequence[0].add_new("LUTData", "OW", np.arange(65536).astype("<u2").tobytes())
        item.save_as(path)
        expected = PICTURE
    same_picture(read_image(path), expected)
    assert dicom_shape(path) == PICTURE.shape


def test_stored_levels_are_kept_where_nothing_is_said_of_them(dicom, tmp_path):
    image = read_image(dicom(tmp_path / "a.dcm", U16))
    np.testing.assert_array_equal(image, U16)
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(read_image(dicom(tmp_path / "a", U16)), U16)  # without a suffix
    inverted = dicom(tmp_path / "b.dcm", U16, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(read_image(inverted), 4095 - U16)


def test_colours_by_planes_and_a_palette(dicom, tmp_path):
    colours = np.dstack([U16 // 16, U16 // 32, U16 // 64]).astype(np.uint8)
    expected = np.floor(colours @ [0.299, 0.587, 0.114] + 0.5)
    path = dicom(tmp_path / "a.dcm", colours, stored=8, PhotometricInterpretation="RGB", PlanarConfiguration=1,
                 data=np.ascontiguousarray(colours.transpose(2, 0, 1)).tobytes())
    np.testing.assert_array_equal(read_image(path), expected)
    index = (PICTURE // 1000).astype(np.uint8)  # 0, 1, 2, 4
    palette = np.array([0, 25700, 30000, 1, 65535], "<u2")
    path = dicom(tmp_path / "b.dcm", index, stored=8, PhotometricInterpretation="PALETTE COLOR", **{
        f"{name}PaletteColorLookupTable{part}": value for name in ("Red", "Green", "Blue") for part, value in (
            ("Descriptor", ("US", [5, 0, 16])), ("Data", ("OW", palette.tobytes())))})
    np.testing.assert_array_equal(read_image(path), palette[index])


COMPRESSED = {
    "JPEG lossless": (uid.JPEGLossless, imagecodecs.ljpeg_encode),
    "JPEG lossless, first order": (uid.JPEGLosslessSV1, imagecodecs.ljpeg_encode),
    "JPEG-LS": (uid.JPEGLSLossless, imagecodecs.jpegls_encode),
    "JPEG 2000": (uid.JPEG2000Lossless, lambda cells: imagecodecs.jpeg2k_encode(
        cells, codecformat="J2K", level=0, reversible=True)),
    "JPEG 2000 for all uses": (uid.JPEG2000, lambda cells: imagecodecs.jpeg2k_encode(
        cells, codecformat="J2K", level=0, reversible=True)),
    "high-throughput JPEG 2000": (uid.HTJ2KLossless, imagecodecs.htj2k_encode),
}


@pytest.mark.parametrize("kind", COMPRESSED)
def test_compressed_pixels(dicom, tmp_path, kind):
    syntax, encode = COMPRESSED[kind]
    for cells, header in ((U16, {}), (UPSIDE, {"PhotometricInterpretation": "MONOCHROME1"}),
                          ((SIGNED & 0xFFF).astype(np.uint16), {"signed": True})):
        frame = pydicom.encaps.encapsulate([encode(cells)])
        same_picture(read_image(dicom(tmp_path / "a.dcm", cells, syntax=syntax, data=frame, **header)))
    cut = pydicom.encaps.encapsulate([encode(U16)[:60]])
    with pytest.raises(Failure, match=r"a\.dcm: cannot be read as DICOM \(its pixels are damaged or truncated"):
        read_image(dicom(tmp_path / "a.dcm", U16, syntax=syntax, data=cut))
    other = pydicom.encaps.encapsulate([encode(U16[:, :9].copy())])
    with pytest.raises(Failure, match=r"its header says 10 x 12 pixels .*, its compressed image 9 x 12"):
        read_image(dicom(tmp_path / "a.dcm", U16, syntax=syntax, data=other))


@pytest.mark.parametrize("kind", COMPRESSED)
def test_compressed_pixels_of_8_and_of_16_bits(dicom, tmp_path, kind):
    syntax, encode = COMPRESSED[kind]
    whole = np.random.default_rng(2).integers(0, 65536, (12, 10)).astype(np.uint16)
    whole[0, :2] = 0, 65535
    for cells, stored in ((whole, 16), ((whole >> 8).astype(np.uint8), 8)):
        frame = pydicom.encaps.encapsulate([encode(cells)])
        path = dicom(tmp_path / "a.dcm", cells, stored=stored, syntax=syntax, data=frame)
        np.testing.assert_array_equal(read_image(path), cells)
    frame = pydicom.encaps.encapsulate([encode(whole)])
    path = dicom(tmp_path / "a.dcm", whole, stored=16, signed=True, syntax=syntax, data=frame)
    np.testing.assert_array_equal(read_image(path), whole.view(np.int16))


def test_signed_jpeg_2000_and_several_fragments(dicom, tmp_path):
    data = imagecodecs.jpeg2k_encode(SIGNED, codecformat="J2K", level=0, reversible=True)
    frame = pydicom.encaps.encapsulate([data], fragments_per_frame=3)
    path = dicom(tmp_path / "a.dcm", SIGNED, signed=True, syntax=uid.JPEG2000Lossless, data=frame)
    np.testing.assert_array_equal(read_image(path), SIGNED)


def test_jpeg_of_12_bits_and_nearly_lossless(dicom, tmp_path):
    smooth = np.add.outer(40 * np.arange(48), 30 * np.arange(60)).astype(np.uint16)
    for syntax, data in ((uid.JPEGExtended12Bit, imagecodecs.jpeg8_encode(smooth, level=98, bitspersample=12)),
                         (uid.JPEGLSNearLossless, imagecodecs.jpegls_encode(smooth, level=3)),
                         (uid.JPEG2000, imagecodecs.jpeg2k_encode(smooth, codecformat="J2K", level=100))):
        path = dicom(tmp_path / "a.dcm", smooth, syntax=syntax, data=pydicom.encaps.encapsulate([data]))
        assert np.abs(read_image(path).astype(int) - smooth).max() <= 8


def test_colours_in_a_jpeg_are_refused(dicom, tmp_path):
    colours = np.zeros((12, 10, 3), np.uint8)
    frame = pydicom.encaps.encapsulate([imagecodecs.jpeg8_encode(colours)])
    path = dicom(tmp_path / "a.dcm", colours, stored=8, syntax=uid.JPEGBaseline8Bit, data=frame,
                 PhotometricInterpretation="RGB", PlanarConfiguration=0)
    with pytest.raises(Failure, match=r"a\.dcm: .*its colours are compressed \(JPEG Baseline"):
        read_image(path)


def test_run_lengths_and_jpeg_with_loss(dicom, tmp_path):
    path = dicom(tmp_path / "a.dcm", U16)
    file = pydicom.dcmread(path)
    file.compress(uid.RLELossless)
    file.save_as(path)
    np.testing.assert_array_equal(read_image(path), U16)
    smooth = np.add.outer(np.arange(40), np.arange(50)).astype(np.uint8)
    for syntax, encode in ((uid.JPEGBaseline8Bit, lambda cells: imagecodecs.jpeg8_encode(cells, level=95)),
                           (uid.JPEG2000, lambda cells: imagecodecs.jpeg2k_encode(cells, codecformat="J2K", level=60))):
        frame = pydicom.encaps.encapsulate([encode(smooth)])
        image = read_image(dicom(path, smooth, stored=8, syntax=syntax, data=frame))
        assert np.abs(image.astype(int) - smooth).max() <= 4


def test_what_a_missing_library_would_read_is_named_with_its_extra(dicom, tmp_path, monkeypatch):
    frame = pydicom.encaps.encapsulate([imagecodecs.ljpeg_encode(U16)])
    path = dicom(tmp_path / "a.dcm", U16, syntax=uid.JPEGLosslessSV1, data=frame)  # highdicom brings one for JPEG-LS
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(Failure, match=r"a\.dcm: .*JPEG Lossless.*needs imagecodecs.*pip install -e \"\.\[dicom\]\""):
        read_image(path)
    smooth = np.add.outer(40 * np.arange(48), 30 * np.arange(60)).astype(np.uint16)
    frame = pydicom.encaps.encapsulate([imagecodecs.jpeg8_encode(smooth, bitspersample=12)])
    path = dicom(tmp_path / "a.dcm", smooth, syntax=uid.JPEGExtended12Bit, data=frame)  # Pillow reads 8 bits of such
    with pytest.raises(Failure, match=r"a\.dcm: .*JPEG Extended.* need.*pip install -e \"\.\[dicom\]\""):
        read_image(path)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(Failure, match=r"a\.dcm: reading DICOM needs pydicom.*pip install -e \"\.\[dicom\]\""):
        read_image(path)


@pytest.mark.parametrize(("header", "message"), [
    ({"NumberOfFrames": "12"}, r"holds 12 images \(NumberOfFrames\)"),
    ({"Rows": 0}, r"its header says 10 x 0 pixels"),
    ({"Columns": 0}, r"its header says 0 x 12 pixels"),
    ({"Rows": None}, "does not say how many rows and columns"),
    ({"PixelData": None}, "it holds no pixels"),
    ({"SOPClassUID": uid.BreastTomosynthesisImageStorage, "NumberOfFrames": "60"},
     r"is tomosynthesis \(Breast Tomosynthesis Image Storage\)"),
    ({"SOPClassUID": uid.BreastProjectionXRayImageStorageForPresentation}, "is tomosynthesis"),
    ({"ImageType": ["DERIVED", "PRIMARY", "TOMO_PROJ", "LEFT"]}, "is tomosynthesis"),
    ({"PixelData": None, "SOPClassUID": uid.GrayscaleSoftcopyPresentationStateStorage},
     "holds no pixels, it is a Grayscale Softcopy Presentation State Storage"),
    ({"SoftcopyVOILUTSequence": pydicom.Sequence([item(WindowCenter="1", WindowWidth="2")])},
     "its SoftcopyVOILUTSequence is not applied"),
    ({"GrayLookupTableData": ("OW", b"\0\0")}, "its GrayLookupTableData is not applied"),
    ({"PixelPresentation": "COLOR"}, "its PixelPresentation is COLOR"),
    ({"ShutterShape": "BITMAP"}, "its ShutterShape is BITMAP"),
    ({"PhotometricInterpretation": "YBR_FULL"}, "colour image \\(YBR_FULL\\)"),
    ({"PhotometricInterpretation": None}, "colour image \\(\\(none\\)\\)"),
    ({"PresentationLUTShape": "LIN OD"}, "Presentation LUT LIN OD is not applied"),
    ({"PresentationLUTSequence": lut(0, [1, 2])}, "PresentationLUTSequence is not applied"),
    ({"RescaleSlope": "0", "RescaleIntercept": "0"}, "rescale slope is 0"),
    ({"WindowCenter": "5"}, "window has the centre 5.0 and the width None"),
    ({"WindowCenter": "5", "WindowWidth": "0"}, "width 0.0, which LINEAR does not allow"),
    ({"WindowCenter": "5", "WindowWidth": "-3", "VOILUTFunction": "SIGMOID"}, "width -3.0, which SIGMOID does not"),
    ({"WindowCenter": "5", "WindowWidth": "9", "VOILUTFunction": "CUBIC"}, "VOI LUT Function is 'CUBIC'"),
    ({"VOILUTSequence": lut(0, [0, 1], bits=20)}, "LUT has entries of 20 bits"),
    ({"HighBit": 3}, "BitsStored 12 and HighBit 3"),
    ({"stored": 17}, "cannot be read as DICOM"),
    ({"syntax": uid.MPEG2MPML, "data": pydicom.encaps.encapsulate([b"12"])}, "cannot be read as DICOM .*MPEG2"),
    ({"data": U16.tobytes()[:-20]}, "cannot be read as DICOM"),
])
def test_what_cannot_be_shown_is_refused_by_name(dicom, tmp_path, header, message):
    path = dicom(tmp_path / "a.dcm", U16, **header)
    with pytest.raises(Failure, match=r"a\.dcm: .*" + message) as refused:
        read_image(path)
    assert "force" not in str(refused.value) and "again" not in str(refused.value)


@pytest.mark.parametrize(("header", "message"), [
    ({"WindowCenter": "128", "WindowWidth": "10"}, "it is RGB and has a WindowCenter"),
    ({"PresentationLUTShape": "INVERSE"}, "it is RGB and has a PresentationLUTShape"),
    ({"RescaleSlope": "-1", "RescaleIntercept": "255"}, "it is RGB and has a RescaleSlope"),
    ({"ICCProfile": b"no profile"}, "it has a colour profile"),
    ({"ColorSpace": "ROMMRGB"}, "its ColorSpace is ROMMRGB"),
])
def test_what_is_said_of_grey_levels_is_refused_of_colours(dicom, tmp_path, header, message):
    colours = np.repeat(U16[..., None] // 16, 3, axis=2).astype(np.uint8)
    said = {"stored": 8, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    with pytest.raises(Failure, match=r"a\.dcm: .*" + message):
        read_image(dicom(tmp_path / "a.dcm", colours, **said, **header))
    neutral = {"RescaleSlope": "1", "RescaleIntercept": "0", "PresentationLUTShape": "IDENTITY", "ColorSpace": "SRGB"}
    same_picture(read_image(dicom(tmp_path / "a.dcm", colours, **said, **neutral)), PICTURE // 16)


@pytest.mark.parametrize("content", [b"", b"not DICOM at all", b"\x89PNG\r\n\x1a\n" + b"\0" * 300, b"\0" * 132])
def test_no_dicom_at_all(tmp_path, content):
    (tmp_path / "a.dcm").write_bytes(content)
    for read in (read_image, dicom_shape):
        with pytest.raises(Failure, match=r"a\.dcm: cannot be read as DICOM") as refused:
            read(tmp_path / "a.dcm")
        assert "force" not in str(refused.value) and "again" not in str(refused.value)


def test_too_many_pixels_are_refused_before_they_are_decoded(dicom, tmp_path):
    path = dicom(tmp_path / "a.dcm", U16, Rows=65535, Columns=65535)
    for read in (read_image, dicom_shape):
        with pytest.raises(Failure, match=r"has 65535 x 65535 pixels .*more than 80000000.*--max-pixels"):
            read(path)
    with pytest.raises(Failure, match="more than 119"):
        read_image(dicom(path, U16), max_pixels=119)
    assert read_image(path, max_pixels=120).shape == (12, 10)


def test_a_deflated_file_is_not_unfolded_without_bounds(dicom, tmp_path, monkeypatch):
    path = dicom(tmp_path / "a.dcm", U16, syntax=uid.DeflatedExplicitVRLittleEndian)
    monkeypatch.setattr("experiments.datasets.images.dicom.MOST_UNFOLDED", U16.nbytes)
    for read in (read_image, dicom_shape):
        with pytest.raises(Failure, match=r"a\.dcm: is deflated and unfolds to more than 240 bytes"):
            read(path)
    monkeypatch.setattr("experiments.datasets.images.dicom.MOST_UNFOLDED", U16.nbytes + 300)
    np.testing.assert_array_equal(read_image(path), U16)


@pytest.mark.parametrize(("cells", "header"), [
    (U16, {}), (UPSIDE, {"PhotometricInterpretation": "MONOCHROME1"}), (SIGNED, {"signed": True}),
    (U16, {"RescaleSlope": "1", "RescaleIntercept": "-1024"})])
def test_a_mask_marks_what_is_brighter_than_the_darkest(dicom, tmp_path, cells, header):
    np.testing.assert_array_equal(read_mask(dicom(tmp_path / "m.dcm", cells, **header)), PICTURE > 0)


@pytest.mark.parametrize("header", [
    {"WindowCenter": "60000", "WindowWidth": "2"}, {"VOILUTSequence": lut(0, [7, 7])}], ids=["window", "VOI LUT"])
def test_a_mask_is_marked_whatever_a_viewer_would_tell_apart(dicom, tmp_path, header):
    np.testing.assert_array_equal(read_mask(dicom(tmp_path / "m.dcm", U16, **header)), PICTURE > 0)
    blue = np.zeros((12, 10, 3), np.uint8)
    blue[..., 2] = PICTURE > 0  # too dark for a grey level of its own
    path = dicom(tmp_path / "m.dcm", blue, stored=8, PhotometricInterpretation="RGB", PlanarConfiguration=0)
    np.testing.assert_array_equal(read_mask(path), PICTURE > 0)
