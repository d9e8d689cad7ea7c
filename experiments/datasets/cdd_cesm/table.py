"""The annotation table of CDD-CESM: a CSV file, or the .xlsx file as distributed, whose first sheet has all images.

An image may have several rows, one for each finding. Several findings in a cell are separated by $. The breast's
density stands in the rows of low energy only, and _ in the others.
"""
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from experiments.datasets.cdd_cesm.names import ImageName, parse
from experiments.datasets.spreadsheets import SUFFIX, read_rows
from experiments.datasets.tables import tables_with
from experiments.system.errors import Failure

IMAGE, PATHOLOGY = COLUMNS = ("image_name", "pathology classification/ follow up")
PATIENT, SIDE, KIND, VIEW = ("patient_id", "side", "type", "view")
AGE, DENSITY, FINDINGS, MACHINE = ("age", "breast density (acr)", "findings", "machine")
LABELS = {"malignant": "cancer", "benign": "benign", "normal": "normal"}
DISTRIBUTED = "manualannotations"
AGES = re.compile(r"[1-9]\d{0,2}", re.ASCII)
DENSITIES = {"A": "1", "B": "2", "C": "3", "D": "4"}


@dataclass(slots=True)
class Listed:
    """What the rows of an image say. contradicted: whether one says another patient, side, kind or view than its name.
    place: file and line of the first."""

    name: ImageName
    place: str
    labels: set[str] = field(default_factory=set)
    ages: set[str] = field(default_factory=set)
    densities: set[str] = field(default_factory=set)
    machines: set[str] = field(default_factory=set)
    findings: list[str] = field(default_factory=list)
    contradicted: bool = False


def tables(folder: Path) -> list[Path]:
    """The CSV files with the columns, else the .xlsx files that are named as the distributed one."""
    return tables_with(folder, COLUMNS) or [
        path for path in sorted(folder.iterdir()) if path.suffix.lower() == SUFFIX and path.is_file()
        and not path.name.startswith("~$") and DISTRIBUTED in "".join(filter(str.isalnum, path.stem.lower()))]


def read_annotations(table: Path) -> tuple[dict[str, Listed], set[str]]:
    """The images that the table lists, by their names in its order; and the names that are of another form.

    Raises `Failure`, naming file and line, for what `read_rows` refuses and an unknown pathology.
    """
    listed: dict[str, Listed] = {}
    misnamed = set()
    by_breast: dict[tuple[str, str], set[str]] = defaultdict(set)
    for cells, place in read_rows(table, COLUMNS, (PATIENT, SIDE, KIND, VIEW, AGE, DENSITY, FINDINGS, MACHINE)):
        name = parse(cells[IMAGE])
        if name is None:
            misnamed.add(cells[IMAGE])
            continue
        image = listed.setdefault(name.name, Listed(name, place))
        _add(image, cells, place)
        by_breast[name.patient, name.side] |= image.densities
    for image in listed.values():  # of the same breast, whichever image it was told of
        image.densities = image.densities or by_breast[image.name.patient, image.name.side]
    return listed, misnamed


def only(values: set[str]) -> str:
    """The one value; '' where rows differ or say nothing."""
    return next(iter(values)) if len(values) == 1 else ""


def _add(image: Listed, cells: dict[str, str], place: str) -> None:
    label = LABELS.get(cells[PATHOLOGY].lower())
    if label is None:
        raise Failure(f"{place}: unknown pathology {cells[PATHOLOGY]!r}; expected one of {', '.join(LABELS)}")
    image.labels.add(label)
    patient, side, kind, view = (cells[column].upper() for column in (PATIENT, SIDE, KIND, VIEW))
    image.contradicted |= (
        f"P{patient.removeprefix('P')}" not in ("P", image.name.patient) or side[:1] not in ("", image.name.side)
        or kind.replace("CESM", "CM") not in ("", image.name.kind) or view not in ("", image.name.view))
    if AGES.fullmatch(cells[AGE]):
        image.ages.add(cells[AGE])
    density = DENSITIES.get(cells[DENSITY].upper())
    image.densities |= {density} if density else set()
    image.machines |= {cells[MACHINE]} if cells[MACHINE].strip("_-") else set()
    for finding in cells[FINDINGS].lower().split("$"):
        if finding.strip(" _-") and finding.strip() not in image.findings:
            image.findings.append(finding.strip())
