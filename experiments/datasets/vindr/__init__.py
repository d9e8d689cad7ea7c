"""VinDr-Mammo (Nguyen et al. 2023, doi 10.1038/s41597-023-02100-7): DICOM images of 5000 examinations, four of each,
with an assessment of every breast and boxes around findings.

There is no pathology: `birads` says how assessments become classes. The set names no patients, so that an examination
counts as one. Its own split into training and test set, by examination, is kept.
"""
from collections import Counter
from collections.abc import Sequence
from functools import partial
from math import ceil
from pathlib import Path

import numpy as np

from experiments.datasets.birads import BiradsClasses
from experiments.datasets.choices import DEFAULT, Choices
from experiments.datasets.images.reading import read_image
from experiments.datasets.mammogram import Dataset, Mammogram, Pixels, file_fingerprint
from experiments.datasets.vindr import tables
from experiments.datasets.vindr.tables import BREASTS, FINDINGS, Box, Finding, Image
from experiments.system.errors import Failure

LOOKS_LIKE = f"VinDr-Mammo: {BREASTS} and {FINDINGS} beside the folder images/<study_id>/<image_id>.dicom"
TAKES = ("birads",)
NO_IMAGE = f"listed in {BREASTS}, image not in the folder"
NORMAL_WITH_BOX = "normal by --birads, with a box around a finding"
NO_PATIENTS = "VinDr-Mammo names no patients: each examination counts as one."
BOXES = ("The masks are the boxes around findings, rectangles that hold more than the lesion. Boxes were drawn for "
         "findings of BI-RADS 3 and above, on the views that show them: {} of the {} images of the classes benign and "
         "cancer have none.")


def recognise(folder: Path) -> bool:
    return all((folder / name).is_file() for name in (BREASTS, FINDINGS))


def read(folder: Path, choices: Choices = DEFAULT) -> Dataset:
    """The images that the table of breasts lists and the folder holds, in its order; the boxes of an image's findings
    make one mask. Left out and counted: assessments of no class, images that are not there (a partial download), and
    images with a box of a class that is to be normal. No image is opened.

    Raises `Failure` for tables that cannot be understood or contradict each other, and a folder without any listed
    image; when an image is loaded, for one of another size than its table says, where it has boxes.
    """
    classes = BiradsClasses.parse(choices.birads)
    images = tables.read_images(folder)
    findings, headers = tables.read_findings(folder, images), tables.read_headers(folder)
    mammograms, excluded = [], Counter[str]()
    for image in images.values():
        label, found = classes.label(image.birads), findings.get(image.name, [])
        if label is None:
            excluded[f"BI-RADS {image.birads}, of no class by --birads"] += 1
        elif label == "normal" and found:
            excluded[NORMAL_WITH_BOX] += 1
        else:
            path = Path(folder, "images", image.study, f"{image.name}.dicom")
            try:
                fingerprint = file_fingerprint(path)
            except FileNotFoundError:
                excluded[NO_IMAGE] += 1
                continue
            mammograms.append(_mammogram(image, label, found, headers.get(image.name, ("", "")), path, fingerprint,
                                         choices.max_pixels))
    if not mammograms:
        first = next(iter(images.values()))
        raise Failure(f"{folder}: none of the {len(images)} mammograms that {BREASTS} lists can be used: "
                      f"{', '.join(f'{count} {reason}' for reason, count in excluded.items())}. Expected is for "
                      f"example {folder / 'images' / first.study / first.name}.dicom")
    abnormal = [each for each in mammograms if each.label != "normal"]
    unmarked = sum(each.name not in findings for each in abnormal)
    return Dataset("VinDr-Mammo", mammograms, dict(excluded),
                   (classes.note, NO_PATIENTS, BOXES.format(unmarked, len(abnormal))))


def _mammogram(image: Image, label: str, findings: Sequence[Finding], header: tuple[str, str], path: Path,
               fingerprint: str, max_pixels: int) -> Mammogram:
    boxes = tuple(finding.box for finding in findings)
    kinds = ", ".join(sorted({category for finding in findings for category in finding.categories}))
    facts = {"view": image.view, "density": image.density, "age": header[1], "scanner": header[0], "finding": kinds}
    return Mammogram(
        name=image.name, patient=image.study, label=label, source="vindr-mammo",
        fingerprint=f"{fingerprint}|{boxes}" if boxes else fingerprint,
        load=partial(_load, path, boxes, image.shape, findings[0].place if findings else "", max_pixels),
        breast=image.breast, part=image.part, facts=tuple((name, told) for name, told in facts.items() if told))


def _load(path: Path, boxes: Sequence[Box], shape: tuple[int, int], place: str, max_pixels: int) -> Pixels:
    levels = read_image(path, max_pixels)
    if not boxes:
        return levels, None
    if levels.shape != shape:
        raise Failure(f"{place}: its box is in pixels of an image of {shape[1]} x {shape[0]} (width x height), {path} "
                      f"has {levels.shape[1]} x {levels.shape[0]}. Take the image as it is distributed")
    return levels, boxes_mask(boxes, shape)


def boxes_mask(boxes: Sequence[Box], shape: tuple[int, int]) -> np.ndarray:
    """(H, W) bool: the pixels that the boxes (left, top, right, bottom) touch, in pixels from the upper left corner,
    where a pixel reaches from its index to the next one. What lies outside the image is cut off."""
    mask = np.zeros(shape, dtype=bool)
    for left, top, right, bottom in boxes:
        mask[max(int(top), 0):ceil(bottom), max(int(left), 0):ceil(right)] = True
    return mask
