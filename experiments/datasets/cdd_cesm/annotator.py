"""The outlines of CDD-CESM, as the VGG Image Annotator saves them as CSV: one row a region, its shape as JSON.

    {"name": "polygon", "all_points_x": [...], "all_points_y": [...]}     also "polyline"
    {"name": "circle", "cx": 1, "cy": 2, "r": 3}
    {"name": "ellipse", "cx": 1, "cy": 2, "rx": 3, "ry": 4}               also "theta", radians
    {"name": "point", "cx": 1, "cy": 2}

A polyline is an outline whose last edge was not drawn: a lesion's border is what was asked for, so it is closed.
"""
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from experiments.datasets.cdd_cesm.names import parse
from experiments.datasets.outlines import Ellipse, Outline, Point, Polygon, coordinate
from experiments.datasets.tables import read_table
from experiments.system.errors import Failure

FILE, SHAPE = COLUMNS = ("#filename", "region_shape_attributes")
KINDS = ("polygon", "polyline", "circle", "ellipse", "point")


def read_outlines(table: Path) -> dict[str, list[Outline]]:
    """By the images' names, those of another form as they stand there. Rows without a shape are of images that nothing
    was drawn on. Raises `Failure`, naming file and line, for a shape that cannot be understood.
    """
    outlines: dict[str, list[Outline]] = defaultdict(list)
    for cells, place in read_table(table, COLUMNS):
        shape = _shape(cells[SHAPE], place)
        if shape:
            name = parse(cells[FILE])
            outlines[cells[FILE] if name is None else name.name].append(_outline(shape, place))
    return dict(outlines)


def _shape(text: str, place: str) -> dict[str, Any]:
    try:
        shape = json.loads(text or "{}")
    except (ValueError, RecursionError):
        shape = None
    if not isinstance(shape, dict):
        raise Failure(f"{place}: the shape {text[:60]!r} is not of the form {{\"name\": \"circle\", ...}}")
    return shape


def _outline(shape: dict[str, Any], place: str) -> Outline:
    name = shape.get("name")
    if name in ("polygon", "polyline"):
        x, y = ([coordinate(each, place) for each in _list(shape, f"all_points_{axis}", place)] for axis in "xy")
        if len(x) != len(y):
            raise Failure(f"{place}: the {name} has {len(x)} x and {len(y)} y; is the line cut off?")
        return Polygon(tuple(zip(x, y, strict=True)), place)
    if name not in KINDS:
        raise Failure(f"{place}: unknown shape {str(name)[:40]!r}; expected one of {', '.join(KINDS)}")
    centre = (coordinate(shape.get("cx"), place), coordinate(shape.get("cy"), place))
    if name == "point":
        return Point(*centre, place)
    across, along = (coordinate(shape.get(key), place) for key in (("r", "r") if name == "circle" else ("rx", "ry")))
    if min(across, along) < 0:
        raise Failure(f"{place}: the {name} has a radius of {min(across, along)} pixels")
    return Ellipse(*centre, across, along, coordinate(shape.get("theta", 0), place), place)


def _list(shape: dict[str, Any], key: str, place: str) -> list[Any]:
    values = shape.get(key)
    if not isinstance(values, list) or not values:
        raise Failure(f"{place}: the {shape['name']} has no list {key}")
    return values
