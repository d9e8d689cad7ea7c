"""The .ics file of a DDSM case: digitizer, and size and resolution of each view."""
import re
from dataclasses import dataclass
from pathlib import Path

from experiments.datasets.ddsm.density import DIGITIZERS
from experiments.system.errors import Failure

NAME = re.compile(r"([A-D])-(\d{4})-(\d)\.ics", re.ASCII)
# what else is read where it is understood; a defect of it makes no view unusable
TOLD = {"PATIENT_AGE": re.compile(r"[1-9]\d{0,2}", re.ASCII), "DENSITY": re.compile("[1-4]")}
VIEWS = ("LEFT_CC", "LEFT_MLO", "RIGHT_CC", "RIGHT_MLO")
VIEW = re.compile(r"(?P<view>\w+)\s+LINES\s+(?P<lines>\d{1,5})\s+PIXELS_PER_LINE\s+(?P<pixels>\d{1,5})\s+"
                  r"BITS_PER_PIXEL\s+(?P<bits>\d{1,2})\s+RESOLUTION\s+(?P<micrometres>\d{1,4}(?:\.\d{1,4})?)\s+"
                  r"(?P<overlay>OVERLAY|NON_OVERLAY)", re.ASCII)


@dataclass(frozen=True, slots=True)
class View:
    """lines, pixels_per_line: height and width in pixels; resolution: micrometres a pixel; overlay: lesions marked?"""

    lines: int
    pixels_per_line: int
    resolution: float
    overlay: bool


@dataclass(frozen=True, slots=True)
class Case:
    """patient: 'A-0002'; digitizer: a key of `DIGITIZERS`; views: 'LEFT_CC' -> View, those that there are; age: whole
    years, density: '1' to '4' (ACR), of the woman's breasts; '' where the file does not tell.
    """

    patient: str
    digitizer: str
    views: dict[str, View]
    age: str = ""
    density: str = ""


def ics_of(image: Path) -> Path:
    """A_0002_1.LEFT_CC.LJPEG -> A-0002-1.ics in the same folder."""
    return image.with_name(image.name.split(".")[0].replace("_", "-") + ".ics")


def read_ics(path: Path) -> Case:
    """Raises `Failure`, naming file and line, for what cannot be understood, and for a digitizer whose grey levels
    have no known optical density. Dates are not read: some have the day first, some the month.
    """
    name = NAME.fullmatch(path.name)
    if name is None:
        raise Failure(f"{path}: expected a name like A-0002-1.ics")
    institution, number, _ = name.groups()
    digitizer, views = None, {}
    told = dict.fromkeys(TOLD, "")
    for place, line in _lines(path):
        keyword, *words = line.split()
        if keyword == "filename" and words != [path.stem]:
            raise Failure(f"{place}: says {line!r}, expected 'filename {path.stem}'")
        if keyword == "DIGITIZER":
            digitizer = f"{institution}/{words[0].upper() if words else ''}"
            if digitizer not in DIGITIZERS:
                raise Failure(f"{place}: no optical density is known for the grey levels of {line!r} at institution "
                              f"{institution}; expected one of {', '.join(DIGITIZERS)}")
        if keyword in TOLD and len(words) == 1 and TOLD[keyword].fullmatch(words[0]):
            told[keyword] = words[0]
        if keyword.startswith(("LEFT_", "RIGHT_")):
            if keyword in views:
                raise Failure(f"{place}: {keyword} is listed twice")
            views[keyword] = _view(line, place)
    if digitizer is None or not views:
        raise Failure(f"{path}: lists no {'digitizer' if digitizer is None else 'views'}")
    return Case(f"{institution}-{number}", digitizer, views, told["PATIENT_AGE"], told["DENSITY"])


def _lines(path: Path) -> list[tuple[str, str]]:
    try:
        text = path.read_text(encoding="latin-1")
    except OSError as error:
        raise Failure(f"{path}: cannot be read ({error.strerror or error})") from error
    lines = enumerate(text.split("\n"), start=1)
    return [(f"{path}, line {number}", line.strip()) for number, line in lines if line.strip()]


def _view(line: str, place: str) -> View:
    match = VIEW.fullmatch(line)
    if match is None or match["view"] not in VIEWS:
        raise Failure(f"{place}: cannot understand {line!r}; expected for example 'LEFT_CC LINES 4696 PIXELS_PER_LINE "
                      "3024 BITS_PER_PIXEL 12 RESOLUTION 50 OVERLAY' (or NON_OVERLAY)")
    view = View(int(match["lines"]), int(match["pixels"]), float(match["micrometres"]), match["overlay"] == "OVERLAY")
    if not (0 < view.lines < 1 << 16 and 0 < view.pixels_per_line < 1 << 16 and view.resolution):
        raise Failure(f"{place}: {line!r} is not the size of an image; expected 1 to 65535 pixels a side")
    return view
