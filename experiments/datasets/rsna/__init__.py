"""The set of the RSNA Screening Mammography Breast Cancer Detection challenge (2022): DICOM images of two sites, and a
table with what became of every breast.

    cancer 1                     cancer
    cancer 0, biopsy 1           benign
    cancer 0, biopsy 0           normal; left out where the breast was recalled (BIRADS 0) or is called a difficult
                                 negative: it showed something, and what it was the table does not tell

Labels are of the breast, not of the image, and nothing says where a lesion is.
"""
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from experiments.datasets.choices import DEFAULT, Choices
from experiments.datasets.images.reading import read_image
from experiments.datasets.mammogram import Dataset, Mammogram, Pixels, file_fingerprint
from experiments.datasets.rsna.tables import TRAINING, UNLABELLED, Image, is_table, read_images, unlabelled
from experiments.system.errors import Failure

LOOKS_LIKE = f"RSNA 2022: {TRAINING} beside the folder train_images/<patient_id>/<image_id>.dcm"
NO_IMAGE = f"listed in {TRAINING}, image not in the folder"
RECALLED = "recalled (BIRADS 0) or a difficult negative, and no biopsy: neither normal nor known to be benign"
NO_LABEL = f"listed in {UNLABELLED}, which has no labels"
USUAL = ("CC", "MLO")
RULE = ("Labels are of the breast: cancer, benign where a biopsy found none, normal where there was neither cancer nor "
        "biopsy nor recall. Recalled breasts without biopsy are left out, which makes the normal ones easier than they "
        "are in a screening.")


def recognise(folder: Path) -> bool:
    return is_table(folder)


def read(folder: Path, choices: Choices = DEFAULT) -> Dataset:
    """The images that the table lists and the folder holds, in its order, of all views. Left out and counted: breasts
    that are neither normal nor known to be benign, images that are not there (a partial download), and those of the
    table without labels. No image is opened.

    Raises `Failure` for a table that cannot be understood and a folder without any listed image.
    """
    mammograms, excluded, used = [], Counter[str](), []
    images = read_images(folder)
    for image in images:
        label = _label(image)
        if label is None:
            excluded[RECALLED] += 1
            continue
        path = Path(folder, "train_images", image.patient, f"{image.name}.dcm")
        try:
            fingerprint = file_fingerprint(path)
        except FileNotFoundError:
            excluded[NO_IMAGE] += 1
            continue
        facts = {"view": image.view, "density": image.density, "age": image.age, "scanner": image.machine}
        mammograms.append(Mammogram(
            name=image.name, patient=image.patient, label=label, source=f"site {image.site}", fingerprint=fingerprint,
            load=partial(_load, path, choices.max_pixels), breast=image.breast,
            facts=tuple((name, told) for name, told in facts.items() if told)))
        used.append(image)
    if not mammograms:
        example = folder / "train_images" / images[0].patient / f"{images[0].name}.dcm"
        raise Failure(f"{folder}: none of the {len(images)} mammograms that {TRAINING} lists can be used: "
                      f"{', '.join(f'{count} {reason}' for reason, count in excluded.items())}. Expected is for "
                      f"example {example}")
    excluded[NO_LABEL] = unlabelled(folder)
    return Dataset("RSNA 2022", mammograms, {reason: count for reason, count in excluded.items() if count},
                   (RULE, *_notes(used)), marked=False)


def _label(image: Image) -> str | None:
    if image.cancer:
        return "cancer"
    if image.biopsy:
        return "benign"
    return None if image.recalled else "normal"


def _notes(images: Sequence[Image]) -> list[str]:
    """What else is in them that not every mammogram shows."""
    views = Counter(image.view or "(none)" for image in images)
    others = ", ".join(f"{count} {view}" for view, count in sorted(views.items()) if view not in USUAL)
    implants = sum(image.implant for image in images)
    return ([f"Of {len(images)} images {others} are of other views than {' and '.join(USUAL)}; they are used."]
            if others else []) + (
        [f"{implants} of {len(images)} images are of women or breasts with implants; they are used."]
        if implants else [])


def _load(path: Path, max_pixels: int) -> Pixels:
    return read_image(path, max_pixels), None
