"""The outlines of INbreast: property lists that OsiriX wrote, AllXML/<number of the image>.xml.

Images[0] has ROIs, each with a Name and Point_px, "(x, y)" with decimals. One or two points are marks of single
calcifications, more an outline whose last point is joined to the first.
"""
import plistlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.datasets.outlines import Outline, Point, Polygon, coordinate
from experiments.system.errors import Failure

MARKS = 2  # points at most
POINT = re.compile(r"\(\s*(-?\d{1,9}(?:\.\d{0,20})?)\s*,\s*(-?\d{1,9}(?:\.\d{0,20})?)\s*\)", re.ASCII)


def read_outlines(path: Path) -> tuple[list[Outline], list[str]]:
    """The outlines in a file, and the names of what they show, in lower case, each once.

    Raises `Failure`, naming the file and the number of the outline, for what is not of that form.
    """
    outlines: list[Outline] = []
    names: list[str] = []
    for number, roi in enumerate(_rois(path), 1):
        place = f"{path}, outline {number}"
        name, points = roi.get("Name", ""), roi.get("Point_px")
        if not isinstance(name, str) or not isinstance(points, list) or len(points) != roi.get("NumberOfPoints"):
            raise Failure(f"{place}: expected a Name and as many Point_px as NumberOfPoints says, found "
                          f"{str(name)[:40]!r}, {len(points) if isinstance(points, list) else 'no'} points and "
                          f"{str(roi.get('NumberOfPoints'))[:20]!r}")
        places = [_point(text, place) for text in points]
        outlines += [Point(*each, place) for each in places] if len(places) <= MARKS else \
            [Polygon(tuple(places), place)]
        if name.strip() and name.strip().lower() not in names:
            names.append(name.strip().lower())
    return outlines, names


def _rois(path: Path) -> Sequence[dict[str, Any]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Failure(f"{path}: cannot be read ({error.strerror or error})") from error
    try:
        # plistlib refuses entities and follows no reference; without `fmt` it would read binary lists, too
        images = plistlib.loads(content, fmt=plistlib.FMT_XML)["Images"]
        rois = images[0]["ROIs"] if images else []
        announced = images[0]["NumberOfROIs"] if images else 0
    except Exception as error:  # the parsers have many kinds
        raise Failure(f"{path}: cannot be read as a property list of outlines ({error!r:.200})") from error
    if not isinstance(rois, list) or not all(isinstance(roi, dict) for roi in rois) or len(rois) != announced:
        raise Failure(f"{path}: says that it has {str(announced)[:20]} outlines (NumberOfROIs) and has "
                      f"{len(rois) if isinstance(rois, list) else 'no list of them'}. Is it cut off?")
    return rois


def _point(text: object, place: str) -> tuple[float, float]:
    match = POINT.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise Failure(f"{place}: {str(text)[:40]!r} is no point; expected for example '(1024.5, 980.25)'")
    return coordinate(float(match[1]), place), coordinate(float(match[2]), place)
