"""Whose image it is: only the DICOM headers may tell, and copies were anonymised in different ways."""
from collections.abc import Sequence

from experiments.datasets.dmid.files import Files
from experiments.datasets.images.dicom import dicom_header
from experiments.system.progress import over

IDENTITIES = ("PatientID", "StudyInstanceUID")


def find_patients(names: Sequence[str], files: Files) -> dict[str, str]:
    """Image -> woman, by the first of `IDENTITIES` that groups the images: all have it, some share it, and they have
    more than one. Empty where none does: one name for all, or one for each, tells nothing.
    """
    if not all(name in files.headers for name in names):
        return {}
    headers = [dicom_header(files.headers[name]) for name in over(names, "Reading the headers", "file", leave=False)]
    for identity in IDENTITIES:
        told = [str(header.get(identity, None) or "").strip() for header in headers]
        if all(told) and 1 < len(set(told)) < len(told):
            return dict(zip(names, told, strict=True))
    return {}
