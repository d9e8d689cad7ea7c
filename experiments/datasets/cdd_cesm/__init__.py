"""CDD-CESM (Khaled et al. 2022, doi 10.1038/s41597-022-01238-0): contrast-enhanced mammograms, as TCIA has them.

    Low energy images of CDD-CESM/P1_L_DM_CC.jpg, ...    what an ordinary mammogram shows
    Subtracted images of CDD-CESM/P1_L_CM_CC.jpg, ...    what the contrast medium shows
    Radiology-manual-annotations.xlsx                    or a CSV file saved from it: see `table`
    Radiology_hand_drawn_segmentations_v2.csv            outlines: see `annotator`
"""
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from experiments.datasets.cdd_cesm.annotator import COLUMNS as OUTLINES
from experiments.datasets.cdd_cesm.annotator import read_outlines
from experiments.datasets.cdd_cesm.names import BREASTS, EXAMPLE, KINDS, SUFFIXES, parse
from experiments.datasets.cdd_cesm.table import Listed, only, read_annotations, tables
from experiments.datasets.choices import BOTH, DEFAULT, SUBTRACTED, Choices
from experiments.datasets.folders import folders_below
from experiments.datasets.images.reading import read_image
from experiments.datasets.mammogram import Dataset, Mammogram, Pixels, file_fingerprint
from experiments.datasets.outlines import Outline, digest, filled
from experiments.datasets.same_files import ListedFiles
from experiments.datasets.tables import only_table, tables_with
from experiments.system.errors import Failure

LOOKS_LIKE = ("CDD-CESM: Radiology-manual-annotations.xlsx or a CSV file saved from it, above the images "
              "P1_L_DM_CC.jpg, ..., and Radiology_hand_drawn_segmentations_v2.csv")
TAKES = ("views",)

NOT_CHOSEN = "not of the images that --views chooses"
NO_IMAGE = "listed in the table, image not in the folder"
UNLISTED = "in the folder, not listed in the table"
MISNAMED = f"listed in the table by a name that is not like {EXAMPLE}"
CONTRADICTED = "the table says another patient, side, type or view than the image's name"
HYBRID = "hybrid (findings of different classes in one image)"
NORMAL_OUTLINED = "normal by the table, and a lesion is outlined"
CONTRAST = {SUBTRACTED: "The images are subtracted ones of contrast-enhanced mammography: they show contrast medium.",
            BOTH: "Images of low energy, of tissue, and subtracted ones, of contrast medium, are mixed."}
NO_OUTLINES = "There is no table of outlines (Radiology_hand_drawn_segmentations_v2.csv): no lesion is marked."


def recognise(folder: Path) -> bool:
    return bool(tables(folder))


def read(folder: Path, choices: Choices = DEFAULT) -> Dataset:
    """The images that the table lists and the folder holds, wherever below it, in the table's order.

    Class by pathology or follow-up, mask from the outlines, patient, breast and view by the image's name. Of the images
    of low energy and the subtracted ones those that `choices.views` says. Left out and counted: images of the other
    kind, those of which table and name say different things, those with rows of different classes, and normal ones
    that are outlined.

    Raises `Failure`, naming file and line, for tables that cannot be understood, for an image that the folder holds
    twice, and where none can be used.
    """
    table = only_table(tables(folder), folder, "all images")
    drawn = only_table(tables_with(folder, OUTLINES), folder, "the outlines")
    assert table is not None  # it was recognised
    listed, misnamed = read_annotations(table)
    outlines = {} if drawn is None else read_outlines(drawn)
    images, unlisted = _images(folder, listed)
    excluded = Counter({MISNAMED: len(misnamed), UNLISTED: unlisted})
    mammograms, files = [], ListedFiles()
    for image in listed.values():
        paths, lesions = images.get(image.name.name, []), outlines.get(image.name.name, [])
        reason = _left_out(image, paths, bool(lesions), choices.views)
        if reason:
            excluded[reason] += 1
            continue
        if len(paths) > 1:
            raise Failure(f"{image.place}: expected one image {image.name.name}, found {len(paths)}: "
                          f"{', '.join(map(str, paths))}. Keep one of them")
        files.image(paths[0], image.place)
        mammograms.append(_mammogram(image, paths[0], lesions, folder, choices.max_pixels))
    if not mammograms:
        raise Failure(f"{folder}: none of the {len(listed)} images that {table.name} lists can be used: "
                      f"{', '.join(f'{count} {reason}' for reason, count in excluded.items() if count)}. Expected are "
                      f"the images as they are distributed, for example 'Low energy images of CDD-CESM/{EXAMPLE}.jpg'")
    notes = _notes(choices.views, drawn is None, sorted(set(outlines) - set(listed)))
    return Dataset("CDD-CESM", mammograms, {reason: count for reason, count in excluded.items() if count}, notes)


def _images(folder: Path, listed: dict[str, Listed]) -> tuple[dict[str, list[Path]], int]:
    """The files of the listed images by name, and how many others there are."""
    found: dict[str, list[Path]] = defaultdict(list)
    unlisted = 0
    for above, names in folders_below(folder):
        for file in names:
            if file.lower().endswith(SUFFIXES):
                name = parse(file)
                if name is not None and name.name in listed:
                    found[name.name].append(Path(above, file))
                else:
                    unlisted += 1
    return found, unlisted


def _left_out(image: Listed, paths: Sequence[Path], outlined: bool, views: str) -> str | None:
    if image.name.kind not in KINDS[views]:
        return NOT_CHOSEN
    if not paths:
        return NO_IMAGE
    if image.contradicted:
        return CONTRADICTED
    if len(image.labels) > 1:
        return HYBRID
    return NORMAL_OUTLINED if outlined and "normal" in image.labels else None


def _mammogram(image: Listed, path: Path, lesions: Sequence[Outline], folder: Path, max_pixels: int) -> Mammogram:
    facts = {"view": image.name.view, "density": only(image.densities), "age": only(image.ages),
             "scanner": only(image.machines), "finding": ", ".join(image.findings)}
    return Mammogram(
        name=path.relative_to(folder).as_posix(), patient=image.name.patient, label=only(image.labels),
        source="cdd-cesm", breast=BREASTS[image.name.side],
        facts=tuple((name, value) for name, value in facts.items() if value),
        fingerprint=f"{file_fingerprint(path)}|{digest(lesions)}",
        load=partial(_load, path, tuple(lesions), max_pixels))


def _load(path: Path, lesions: tuple[Outline, ...], max_pixels: int) -> Pixels:
    levels = read_image(path, max_pixels)
    return levels, filled(lesions, levels.shape, str(path)) if lesions else None


def _notes(views: str, unmarked: bool, strange: Sequence[str]) -> tuple[str, ...]:
    notes = [CONTRAST[views]] if views in CONTRAST else []
    if unmarked:
        notes.append(NO_OUTLINES)
    if strange:
        notes.append(f"The outlines of {len(strange)} images are not used, since the table does not list such images, "
                     f"the first {strange[0]!r}.")
    return tuple(notes)
