"""The table of the RSNA 2022 set: train.csv, one row an image.

    site_id, patient_id, image_id, laterality (L, R), view (CC, MLO, and rarely others), age, cancer, biopsy (0, 1, of
    the breast), BIRADS (0 recalled, 1 negative, 2 normal; often empty), implant, density (A to D, often empty),
    machine_id, difficult_negative_case (True, False)
"""
import re
from dataclasses import dataclass
from pathlib import Path

from experiments.datasets.tables import missing_columns, read_table
from experiments.system.errors import Failure

TRAINING, UNLABELLED = "train.csv", "test.csv"
COLUMNS = ("site_id", "patient_id", "image_id", "laterality", "view", "cancer", "biopsy")
OPTIONAL = ("age", "birads", "implant", "density", "machine_id", "difficult_negative_case")
SIDES = {"L": "left", "R": "right"}
DENSITIES = {"": "", "A": "1", "B": "2", "C": "3", "D": "4"}
TRUTH = {"0": False, "1": True, "FALSE": False, "TRUE": True}
NAME = re.compile(r"[\w-]{1,100}", re.ASCII)
NUMBER = re.compile(r"(\d{1,3})(\.0*)?", re.ASCII)  # columns with empty cells were written as 61.0


@dataclass(frozen=True, slots=True)
class Image:
    """One row. recalled: the breast required follow-up, or its reading is called a difficult negative; age: whole
    years, density: "1" to "4", each "" where the table does not tell; place: its file and line."""
    site: str
    patient: str
    name: str
    breast: str
    view: str
    cancer: bool
    biopsy: bool
    recalled: bool
    implant: bool
    age: str
    density: str
    machine: str
    place: str


def is_table(folder: Path) -> bool:
    """Whether the folder has the table, told by its columns: many folders have a file of that name."""
    return (folder / TRAINING).is_file() and not missing_columns(folder / TRAINING, COLUMNS)


def read_images(folder: Path) -> list[Image]:
    """In the order of the table. Raises `Failure`, naming file and line, for what `read_table` refuses, a value that
    none of the above is, a name that no file can have, and an image that is listed twice."""
    images: list[Image] = []
    places: dict[str, str] = {}
    for cells, place in read_table(folder / TRAINING, COLUMNS, OPTIONAL):
        image = _image(cells, place)
        earlier = places.setdefault(image.name, place)
        if earlier is not place:
            raise Failure(f"{place}: the image {image.name} is listed already in {earlier.rpartition(', ')[2]}")
        images.append(image)
    if not images:
        raise Failure(f"{folder / TRAINING}: lists no images")
    return images


def unlabelled(folder: Path) -> int:
    """How many images the table without labels lists, where it is in the folder."""
    table = folder / UNLABELLED
    return sum(1 for _ in read_table(table, ("image_id",))) if table.is_file() else 0


def _image(cells: dict[str, str], place: str) -> Image:
    for column in ("patient_id", "image_id"):
        if not NAME.fullmatch(cells[column]):
            raise Failure(f"{place}: the {column} {cells[column][:100]!r} cannot be the name of a file or folder")
    birads, age = NUMBER.fullmatch(cells["birads"]), NUMBER.fullmatch(cells["age"])
    for column, known in (
            ("site_id", cells["site_id"] != ""), ("laterality", cells["laterality"] in SIDES),
            ("cancer", cells["cancer"] in TRUTH), ("biopsy", cells["biopsy"] in TRUTH),
            ("birads", not cells["birads"] or (birads is not None and birads[1] in ("0", "1", "2"))),
            ("age", not cells["age"] or age is not None), ("density", cells["density"] in DENSITIES),
            *((name, cells[name].upper() in ("", *TRUTH)) for name in ("implant", "difficult_negative_case"))):
        if not known:
            raise Failure(f"{place}: cannot understand the {column} {cells[column][:100]!r}; expected for example site "
                          "2, laterality L, cancer 0, biopsy 1, BIRADS 0, 1, 2 or nothing, density B or nothing")
    implant, difficult = (TRUTH.get(cells[name].upper(), False) for name in ("implant", "difficult_negative_case"))
    return Image(cells["site_id"], cells["patient_id"], cells["image_id"], SIDES[cells["laterality"]], cells["view"],
                 TRUTH[cells["cancer"]], TRUTH[cells["biopsy"]], difficult or (birads is not None and birads[1] == "0"),
                 implant, str(int(age[1])) if age else "", DENSITIES[cells["density"]], cells["machine_id"], place)
