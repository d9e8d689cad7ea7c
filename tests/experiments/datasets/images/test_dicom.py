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


def dicom(path, cells, *, stored=12, signed=False, syntax=uid.ExplicitVRLittleEndian, data=None, preamble=True,
          **given):
    """A file with these cells and this header; data: the pixels as they are to stand in the file."""
    header, meta = dict(given), pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPInstanceUID = syntax, "1.2.3"
    meta.MediaStorageSOPClassUID = uid.DigitalMammographyXRayImageStorageForPresentation
    file = pydicom.dataset.FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    bits = 8 * cells.dtype.itemsize
    file.Rows, file.Columns = cells.shape[:2]
    file.SamplesPerPixel = 1 if cells.ndim == 2 else cells.shape[2]
    file.PhotometricInterpretation, file.PixelRepresentation = "MONOCHROME2", int(signed)
    file.BitsAllocated, file.BitsStored, file.HighBit = bits, stored, stored - 1
    if data is None:
        order = ">" if syntax == uid.ExplicitVRBigEndian else "<"
        data = cells.astype(cells.dtype.newbyteorder(order)).tobytes()
        data += b"\0" * (len(data) % 2)
    file.add_new("PixelData", "OW" if bits > 8 else "OB", data)
    file["PixelData"].is_undefined_length = syntax.is_compressed and syntax != uid.DeflatedExplicitVRLittleEndian
    if syntax == uid.ExplicitVRBigEndian:
        file.set_original_encoding(False, False)
    if header.pop("an overlay", False):
        for element, vr, value in ((0x10, "US", 12), (0x11, "US", 10), (0x40, "CS", "G"), (0x50, "SS", [1, 1]),
                                   (0x100, "US", 1), (0x102, "US", 0), (0x3000, "OW", b"\xff" * 16)):
            file.add_new((0x6000, element), vr, value)
    for name, value in header.items():
        if value is None:
            del file[name]
        elif isinstance(value, tuple):
            file.add_new(name, *value)
        else:
            setattr(file, name, value)
    if preamble:
        file.save_as(path)
    else:
        pydicom.dcmwrite(path, pydicom.Dataset(file), implicit_vr=True, little_endian=True)
    return path


def lut(first, table, bits=12, vr="US", signed=False):
    item = pydicom.Dataset()
    item.add_new("LUTDescriptor", "SS" if signed else "US", [len(table), first, bits])
    item.add_new("LUTData", vr, np.asarray(table, "<u2").tobytes() if vr == "OW" else list(map(int, table)))
    return pydicom.Sequence([item])


def same_picture(levels, picture=PICTURE):
    levels = levels.astype(float)
    scaled = (levels - levels.min()) / (levels.max() - levels.min())
    np.testing.assert_allclose(scaled, picture / picture.max(), atol=1e-3)


U16, UPSIDE = PICTURE.astype(np.uint16), (4095 - PICTURE).astype(np.uint16)
SIGNED = (PICTURE - 2000).astype(np.int16)
RAISING = np.linspace(0, 4095, 4096).astype(int)  # a LUT that changes nothing
HALVED = np.minimum(2 * np.arange(2048), 4095)  # of numbers that were stored halved
CUT = np.where(PICTURE > 2000, 2000, PICTURE)  # by a window that ends at 2000

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
    "VOI LUT before a window": (UPSIDE, {
        "VOILUTSequence": lut(0, RAISING[::-1]), "WindowCenter": "10", "WindowWidth": "2"}, PICTURE),
    "VOI LUT, inverted after it": (U16, {
        "VOILUTSequence": lut(0, RAISING[::-1]), "PhotometricInterpretation": "MONOCHROME1"}, PICTURE),
    "VOI LUT after a rescale": (U16, {
        "RescaleSlope": "1", "RescaleIntercept": "-500", "VOILUTSequence": lut(-500, RAISING, signed=True)}, PICTURE),
    "window": (U16, {"WindowCenter": "1000.5", "WindowWidth": "2001"}, CUT),
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
def test_the_picture_that_the_header_means(tmp_path, kind):
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


def test_stored_levels_are_kept_where_nothing_is_said_of_them(tmp_path):
    image = read_image(dicom(tmp_path / "a.dcm", U16))
    np.testing.assert_array_equal(image, U16)
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(read_image(dicom(tmp_path / "a", U16)), U16)  # without a suffix
    inverted = dicom(tmp_path / "b.dcm", U16, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(read_image(inverted), 4095 - U16)


def test_colours_by_planes_and_a_palette(tmp_path):
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
}


@pytest.mark.parametrize("kind", COMPRESSED)
def test_compressed_pixels(tmp_path, kind):
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


def test_run_lengths_and_jpeg_with_loss(tmp_path):
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


def test_what_a_missing_library_would_read_is_named_with_its_extra(tmp_path, monkeypatch):
    frame = pydicom.encaps.encapsulate([imagecodecs.ljpeg_encode(U16)])
    path = dicom(tmp_path / "a.dcm", U16, syntax=uid.JPEGLosslessSV1, data=frame)  # highdicom brings one for JPEG-LS
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(Failure, match=r"a\.dcm: .*JPEG Lossless.*needs imagecodecs.*pip install -e \"\.\[ddsm\]\""):
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
    ({"PhotometricInterpretation": "YBR_FULL"}, "colour image \\(YBR_FULL\\)"),
    ({"PhotometricInterpretation": None}, "colour image \\(\\(none\\)\\)"),
    ({"PresentationLUTShape": "LIN OD"}, "Presentation LUT LIN OD is not applied"),
    ({"PresentationLUTSequence": lut(0, [1, 2])}, "Presentation LUT Sequence is not applied"),
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
def test_what_cannot_be_shown_is_refused_by_name(tmp_path, header, message):
    path = dicom(tmp_path / "a.dcm", U16, **header)
    with pytest.raises(Failure, match=r"a\.dcm: .*" + message) as refused:
        read_image(path)
    assert "force" not in str(refused.value) and "again" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"not DICOM at all", b"\x89PNG\r\n\x1a\n" + b"\0" * 300, b"\0" * 132])
def test_no_dicom_at_all(tmp_path, content):
    (tmp_path / "a.dcm").write_bytes(content)
    for read in (read_image, dicom_shape):
        with pytest.raises(Failure, match=r"a\.dcm: cannot be read as DICOM") as refused:
            read(tmp_path / "a.dcm")
        assert "force" not in str(refused.value) and "again" not in str(refused.value)


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path):
    path = dicom(tmp_path / "a.dcm", U16, Rows=65535, Columns=65535)
    for read in (read_image, dicom_shape):
        with pytest.raises(Failure, match=r"has 65535 x 65535 pixels .*more than 80000000.*--max-pixels"):
            read(path)
    with pytest.raises(Failure, match="more than 119"):
        read_image(dicom(path, U16), max_pixels=119)
    assert read_image(path, max_pixels=120).shape == (12, 10)


def test_a_deflated_file_is_not_unfolded_without_bounds(tmp_path, monkeypatch):
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
def test_a_mask_marks_what_is_brighter_than_the_darkest(tmp_path, cells, header):
    np.testing.assert_array_equal(read_mask(dicom(tmp_path / "m.dcm", cells, **header)), PICTURE > 0)
