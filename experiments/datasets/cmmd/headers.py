"""What the header of a CMMD image says of it: no pixels are read."""
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.datasets.images.dicom import dicom_header
from experiments.system.errors import Failure

BREASTS = {"L": "left", "R": "right"}
# ViewCodeSequence in SNOMED CT, and in the older SNOMED RT (PS3.16, CID 4014)
VIEWS = {"399162004": "CC", "R-10242": "CC", "399368009": "MLO", "R-10226": "MLO"}
AGE = re.compile(r"0*(\d{1,3})Y", re.ASCII)


@dataclass(frozen=True, slots=True)
class Header:
    """instance: the image's own UID; breast: 'left', 'right' or ''; view: 'CC', 'MLO' or ''; age: whole years or '';
    scanner: manufacturer and model, as far as the file tells.
    """

    patient: str
    instance: str
    breast: str
    view: str
    age: str
    scanner: str


def read_header(path: Path) -> Header:
    """Raises `Failure`, naming the file, where it is no DICOM or names no patient."""
    file = dicom_header(path)
    patient, instance = _text(file, "PatientID"), _text(file, "SOPInstanceUID")
    if not patient or not instance:
        raise Failure(f"{path}: its header has no {'PatientID' if not patient else 'SOPInstanceUID'}; is it a file of "
                      "CMMD?")
    side = _text(file, "ImageLaterality") or _text(file, "Laterality")
    age = AGE.fullmatch(_text(file, "PatientAge"))
    scanner = " ".join(filter(None, (_text(file, "Manufacturer"), _text(file, "ManufacturerModelName"))))
    return Header(patient, instance, BREASTS.get(side.upper(), ""), _view(file), age[1] if age else "", scanner)


def _view(file: Any) -> str:
    for item in file.get("ViewCodeSequence", None) or ():
        if view := VIEWS.get(_text(item, "CodeValue")):
            return view
    position = _text(file, "ViewPosition").upper()
    return position if position in VIEWS.values() else ""


def _text(file: Any, name: str) -> str:
    value = file.get(name, None)
    return "" if value is None else str(value).strip()
