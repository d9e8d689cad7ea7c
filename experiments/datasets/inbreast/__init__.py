"""INbreast (Moreira et al. 2012, doi 10.1016/j.acra.2011.09.014): full-field digital mammograms, Release 1.0.

    INbreast.csv                                                   assessments and density: see `table`
    AllDICOMs/20586908_6c613a14b80a8591_MG_R_CC_ANON.dcm, ...      the images
    AllXML/20586908.xml, ...                                       outlines, of images with findings: see `outlines`
"""
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from experiments.datasets.birads import BiradsClasses
from experiments.datasets.choices import DEFAULT, Choices
from experiments.datasets.folders import folders_below
from experiments.datasets.images.reading import read_image
from experiments.datasets.inbreast.outlines import read_outlines
from experiments.datasets.inbreast.table import BREASTS, COLUMNS, ImageName, Row, parse, read_rows
from experiments.datasets.mammogram import Dataset, Mammogram, Pixels, file_fingerprint
from experiments.datasets.outlines import Outline, digest, filled
from experiments.datasets.same_files import ListedFiles
from experiments.datasets.tables import only_table, tables_with
from experiments.system.errors import Failure
from experiments.system.progress import over

EXAMPLE = "AllDICOMs/20586908_6c613a14b80a8591_MG_R_CC_ANON.dcm"
LOOKS_LIKE = f"INbreast: INbreast.csv above the images, {EXAMPLE}, ..., and their outlines in AllXML"
TAKES = ("birads",)

OUTLINES = "allxml"  # there are others, of the pectoral muscle
SPREADSHEET = "INbreast.xls"
NEGATIVE = "1"  # BI-RADS: nothing to comment on
NO_IMAGE = "listed in the table, image not in the folder"
UNLISTED = "in the folder, not listed in the table"
NOT_ASSESSED = "no BI-RADS assessment, or one that --birads gives no class"
CONTRADICTED = "the table says another side or view than the image's name"
NEGATIVE_OUTLINED = "BI-RADS 1, and a finding is outlined"
UNMARKED = "Images of the class normal whose outlined findings are not marked as lesions: {}."
NO_OUTLINES = "There are no outlines (AllXML): no lesion is marked."


def recognise(folder: Path) -> bool:
    return bool(tables_with(folder, COLUMNS)) or (folder / SPREADSHEET).is_file()


def read(folder: Path, choices: Choices = DEFAULT) -> Dataset:
    """The images that the table lists and the folder holds, wherever below it, in the table's order.

    Class by BI-RADS assessment, see `choices.birads`; patient, breast and view by the image's name. The mask joins all
    outlines, whatever they show; an image of the class normal has none, also where --birads gives it findings. Left out
    and counted: images without a class, those of which table and name say different things, and BI-RADS 1 with an
    outline.

    Raises `Failure`, naming file and line, for what cannot be understood, for an image that is listed or stands there
    twice, and where none can be used.
    """
    table = only_table(tables_with(folder, COLUMNS), folder, "the images")
    if table is None:
        raise Failure(f"{folder / SPREADSHEET}: is a spreadsheet of the old kind, which is not read. Save it beside as "
                      "INbreast.csv")
    classes = BiradsClasses.parse(choices.birads)
    rows = list(read_rows(table))
    images, outlines, unlisted = _files(folder, {row.number for row in rows})
    excluded = Counter[str]()
    mammograms, files, unmarked = [], ListedFiles(), 0
    for row in over(rows, "Reading the outlines", "image", leave=False):
        label, found = classes.label(row.assessment), images.get(row.number, [])
        if not found:
            excluded[NO_IMAGE] += 1
            continue
        path, name = _only(found, row)
        files.image(path, row.place)
        lesions, findings = read_outlines(outlines[row.number]) if row.number in outlines else ([], [])
        if label is None:
            excluded[NOT_ASSESSED] += 1
        elif row.side not in ("", name.side) or row.view not in ("", name.view):
            excluded[CONTRADICTED] += 1
        elif row.assessment == NEGATIVE and lesions:
            excluded[NEGATIVE_OUTLINED] += 1
        else:
            unmarked += label == "normal" and bool(lesions)
            mammograms.append(_mammogram(path, name, row, label, lesions, findings, folder, choices.max_pixels))
    if unlisted:
        excluded[UNLISTED] = unlisted
    if not mammograms:
        raise Failure(f"{folder}: none of the {len(rows)} images that {table.name} lists can be used: "
                      f"{', '.join(f'{count} {reason}' for reason, count in excluded.items())}. Expected are the "
                      f"images as they are distributed, for example {EXAMPLE}")
    notes = (classes.note, *([] if outlines else [NO_OUTLINES]), *([UNMARKED.format(unmarked)] if unmarked else []))
    return Dataset("INbreast", mammograms, dict(excluded), notes)


def _files(folder: Path, listed: set[str]) -> tuple[dict[str, list[tuple[Path, ImageName]]], dict[str, Path], int]:
    """The listed images by number, the outlines by number, and how many other DICOM files there are."""
    images: dict[str, list[tuple[Path, ImageName]]] = defaultdict(list)
    outlines: dict[str, Path] = {}
    unlisted = 0
    for above, names in folders_below(folder):
        for file in names:
            path, suffix = Path(above, file), file[-4:].lower()
            name = parse(file)
            if name is not None and name.number in listed:
                images[name.number].append((path, name))
            elif suffix == ".dcm":
                unlisted += 1
            elif suffix == ".xml" and path.parent.name.lower() == OUTLINES and \
                    outlines.setdefault(path.stem, path) != path:
                raise Failure(f"{path}: there are outlines of this image already, {outlines[path.stem]}. Keep one")
    return images, outlines, unlisted


def _only(found: Sequence[tuple[Path, ImageName]], row: Row) -> tuple[Path, ImageName]:
    if len(found) > 1:
        raise Failure(f"{row.place}: expected one image {row.number}, found {len(found)}: "
                      f"{', '.join(str(path) for path, _ in found)}. Keep one of them")
    return found[0]


def _mammogram(path: Path, name: ImageName, row: Row, label: str, lesions: Sequence[Outline], findings: Sequence[str],
               folder: Path, max_pixels: int) -> Mammogram:
    facts = {"view": name.view, "density": row.density, "age": row.age, "finding": ", ".join(findings)}
    lesions = () if label == "normal" else tuple(lesions)
    return Mammogram(
        name=path.relative_to(folder).as_posix(), patient=name.patient, label=label, source="inbreast",
        breast=BREASTS[name.side], facts=tuple((fact, value) for fact, value in facts.items() if value),
        fingerprint=f"{file_fingerprint(path)}|{digest(lesions)}",
        load=partial(_load, path, lesions, max_pixels))


def _load(path: Path, lesions: tuple[Outline, ...], max_pixels: int) -> Pixels:
    levels = read_image(path, max_pixels)
    return levels, filled(lesions, levels.shape, str(path)) if lesions else None
