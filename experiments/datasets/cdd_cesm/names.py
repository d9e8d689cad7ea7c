"""The names of the images: P1_L_DM_CC says patient, side, kind and view; a second view of a kind is P1_L_DM_CC2."""
import re
from dataclasses import dataclass

from experiments.datasets.choices import BOTH, LOW_ENERGY, SUBTRACTED

SUFFIXES = (".jpg", ".jpeg")
EXAMPLE = "P1_L_DM_CC"
BREASTS = {"L": "left", "R": "right"}
KINDS = {LOW_ENERGY: ("DM",), SUBTRACTED: ("CM",), BOTH: ("DM", "CM")}
NAME = re.compile(r"(P\d{1,6})_([LR])_(DM|CM)_(CC|MLO)\d{0,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ImageName:
    """name: without suffix and blanks, in capitals. kind: DM, of low energy, or CM, subtracted."""

    name: str
    patient: str
    side: str
    kind: str
    view: str


def parse(text: str) -> ImageName | None:
    """From a file's name or the table's, with or without suffix; blanks, of which both have some, are passed over.
    None for a name of another form."""
    name = "".join(text.split()).upper()
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix.upper())
    match = NAME.fullmatch(name)
    return match and ImageName(name, *match.groups())
