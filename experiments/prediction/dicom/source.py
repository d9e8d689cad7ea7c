"""The header of the image that results are about: what identifies the patient and the study in them comes from it."""
from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.datasets.images.dicom import dicom_header, is_dicom
from experiments.system.errors import Failure

IDENTIFIERS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
MAY_BE_EMPTY = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
                "AccessionNumber", "ReferringPhysicianName")  # type 2 of the modules Patient and General Study


@dataclass(frozen=True, slots=True)
class Source:
    """path  of the file; header: its elements but the pixels (pydicom's `Dataset`); digest: SHA-256 of the file, hex"""
    path: Path
    header: Any
    digest: str

    @property
    def instance_number(self) -> int:
        """Of the image in its series, which its results have in theirs; 1 where it has none that a number may be."""
        try:
            return max(1, int(self.header.get("InstanceNumber", None) or 1))
        except (TypeError, ValueError):
            return 1


def read_source(path: Path) -> Source:
    """The image file at `path` as the source of DICOM objects.

    What a header must have but may leave empty (type 2) is empty in the objects where the file lacks it. Without the
    UIDs of study, series and image (type 1) nothing could refer to it. Raises Failure, naming the file, where one of
    these is missing or is no UID, and where the file is no DICOM file.
    """
    if not is_dicom(path):
        raise Failure(f"{path}: is no DICOM file; --dicom writes results for DICOM images alone, which have a patient "
                      "and a study")
    header = dicom_header(path)
    for name in IDENTIFIERS:
        value = header.get(name, None)
        if not value:
            raise Failure(f"{path}: has no {name}, by which DICOM results refer to the image; none is made up. Export "
                          "the image anew from where it is kept")
        if getattr(value, "is_valid", False) is not True:
            raise Failure(f"{path}: its {name} is {str(value)[:80]!r}, which is no UID")
    for tag in list(header.keys()):
        if header.get_item(tag).value in (None, b"", ""):
            del header[tag]  # so that nobody takes an empty element for one with a value
    for name in MAY_BE_EMPTY:
        if name not in header:
            setattr(header, name, None)
    with open(path, "rb") as file:
        return Source(path, header, hashlib.file_digest(file, "sha256").hexdigest())
