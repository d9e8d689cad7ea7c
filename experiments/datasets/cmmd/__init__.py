"""CMMD, the Chinese Mammography Database (Cui et al. 2021, doi 10.7937/tcia.eqde-4b16): DICOM files and one table.

    CMMD_clinicaldata_revision.xlsx                           a row for each breast whose pathology is known
    CMMD / D1-0001 / 07-18-2010-NA-NA-79377 / 1.000000-NA-70244 / 1-1.dcm, ...

The table names a breast and no file; whose file it is, which breast and which view only the headers say.
"""
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from experiments.datasets.choices import DEFAULT, Choices
from experiments.datasets.cmmd.headers import Header, read_header
from experiments.datasets.cmmd.table import Breast, find_tables, read_breasts
from experiments.datasets.folders import folders_below
from experiments.datasets.images.reading import read_image
from experiments.datasets.mammogram import Dataset, Mammogram, Pixels, file_fingerprint, printable
from experiments.system.errors import Failure
from experiments.system.progress import over

LOOKS_LIKE = ("CMMD: CMMD_clinicaldata_revision.xlsx, or a CSV file saved from it, above the downloaded folders "
              "CMMD/D1-0001/.../1-1.dcm")
UNLABELLED = "a breast of which the table says nothing"
NO_SIDE = "the header does not tell which breast it is"
BOTH_CLASSES = "a breast that the table calls benign and malignant"
REPEATED = "an image that stands in the folder twice"
ABSENT = "breast listed in the table, no image of it in the folder"
NO_NORMALS = "CMMD has no normal mammograms."
NO_MASKS = "CMMD outlines no lesions: there are no masks."


def recognise(folder: Path) -> bool:
    return bool(find_tables(folder))


def read(folder: Path, choices: Choices = DEFAULT) -> Dataset:
    """The images below the folder of the breasts that the table lists, in the order of their paths.

    Left out and counted: images of a breast without a row, also where the patient's other breast has one (a patient
    with four images and one row has one breast of unknown pathology); those whose header does not tell the breast;
    breasts with two classes; repeats of one image; and breasts without images. The headers of all files are read.

    Raises `Failure` for a table that cannot be understood, a damaged DICOM file, and a folder without any image that
    can be used.
    """
    breasts = read_breasts(folder)
    paths = [Path(place, name) for place, names in folders_below(folder) for name in names
             if name.lower().endswith(".dcm")]
    mammograms: list[Mammogram] = []
    excluded: Counter[str] = Counter()
    seen: set[str] = set()
    found: set[tuple[str, str]] = set()
    for path in over(paths, "Reading the headers", "file", leave=False):
        header = read_header(path)
        reason = _unusable(header, breasts, seen)
        seen.add(header.instance)
        found.add((header.patient, header.breast))
        if reason:
            excluded[reason] += 1
        else:
            mammograms.append(_mammogram(path, folder, header, breasts[header.patient, header.breast],
                                         choices.max_pixels))
    absent = len(breasts.keys() - found)
    if not mammograms:
        reasons = ", ".join(f"{count} {reason}" for reason, count in excluded.items()) or "there are no .dcm files"
        raise Failure(f"{folder}: none of the images below it can be used: {reasons}. Expected are the folders as the "
                      f"NBIA Data Retriever makes them, for example {folder / 'CMMD' / next(iter(breasts))[0]}/.../1-1"
                      ".dcm")
    return Dataset("CMMD", mammograms, dict(excluded) | ({ABSENT: absent} if absent else {}),
                   (NO_NORMALS, NO_MASKS, *_parts_of_one_class(mammograms)), marked=False)


def _parts_of_one_class(mammograms: Sequence[Mammogram]) -> Iterator[str]:
    """The parts D1 and D2 were collected for different questions: a note for one whose images are all of one class."""
    counts = Counter((mammogram.source, mammogram.label) for mammogram in mammograms)
    sources, labels = ({mammogram.source for mammogram in mammograms}, {mammogram.label for mammogram in mammograms})
    for source in sorted(sources):
        found = [label for label in labels if counts[source, label]]
        if len(found) == 1 and len(labels) > 1:
            yield (f"All {counts[source, found[0]]} images of the part {source} are of the class {found[0]}: whatever "
                   "distinguishes it from the other part gives the class away.")


def _unusable(header: Header, breasts: dict[tuple[str, str], Breast], seen: set[str]) -> str | None:
    if header.instance in seen:
        return REPEATED
    if not header.breast:
        return NO_SIDE
    breast = breasts.get((header.patient, header.breast))
    if breast is None:
        return UNLABELLED
    return BOTH_CLASSES if len(breast.labels) > 1 else None


def _mammogram(path: Path, folder: Path, header: Header, breast: Breast, max_pixels: int) -> Mammogram:
    label, = breast.labels
    facts = {"view": header.view, "age": breast.age or header.age, "scanner": header.scanner,
             "finding": ", ".join(breast.kinds)}
    return Mammogram(
        name=printable(path.relative_to(folder).as_posix()), patient=header.patient, label=label,
        source=f"cmmd-{header.patient.partition('-')[0]}", fingerprint=file_fingerprint(path),
        load=partial(_load, path, max_pixels), breast=header.breast,
        facts=tuple((name, value) for name, value in facts.items() if value))


def _load(path: Path, max_pixels: int) -> Pixels:
    return read_image(path, max_pixels), None
