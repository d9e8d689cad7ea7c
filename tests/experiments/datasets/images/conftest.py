"""DICOM files whose cells and header a test names."""
import pytest


@pytest.fixture(scope="session")
def dicom():
    """dicom(path, cells, header ...) -> path of the file that was written."""
    pydicom = pytest.importorskip("pydicom")

    def write(path, cells, *, stored=12, signed=False, syntax=None, data=None, preamble=True, **given):
        """A file with these cells and this header; data: the pixels as they are to stand in the file."""
        syntax = syntax or pydicom.uid.ExplicitVRLittleEndian
        header, meta = dict(given), pydicom.dataset.FileMetaDataset()
        meta.TransferSyntaxUID, meta.MediaStorageSOPInstanceUID = syntax, "1.2.3"
        meta.MediaStorageSOPClassUID = pydicom.uid.DigitalMammographyXRayImageStorageForPresentation
        file = pydicom.dataset.FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
        bits = 8 * cells.dtype.itemsize
        file.Rows, file.Columns = cells.shape[:2]
        file.SamplesPerPixel = 1 if cells.ndim == 2 else cells.shape[2]
        file.PhotometricInterpretation, file.PixelRepresentation = "MONOCHROME2", int(signed)
        file.BitsAllocated = bits
        if data is None:
            order = ">" if syntax == pydicom.uid.ExplicitVRBigEndian else "<"
            data = cells.astype(cells.dtype.newbyteorder(order)).tobytes()
            data += b"\0" * (len(data) % 2)
        if cells.dtype.kind == "f":
            setattr(file, {32: "FloatPixelData", 64: "DoubleFloatPixelData"}[bits], data)
        else:
            file.BitsStored, file.HighBit = stored, stored - 1
            file.add_new("PixelData", "OW" if bits > 8 else "OB", data)
            file["PixelData"].is_undefined_length = (
                syntax.is_compressed and syntax != pydicom.uid.DeflatedExplicitVRLittleEndian)
        if syntax == pydicom.uid.ExplicitVRBigEndian:
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

    return write
