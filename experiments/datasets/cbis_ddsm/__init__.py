"""CBIS-DDSM (Lee et al. 2017, doi 10.7937/K9/TCIA.2016.7O02S9CY): DICOM films and masks, and CSV files that list them.

Also its first release, and repackagings in which JPEG, PNG or TIFF files stand in the place of DICOM. Its own training
and test sets share 31 patients and are not kept.

A film that shows masses and calcifications is distributed twice, as `Mass-..._P_00041_LEFT_CC` and as
`Calc-..._P_00041_LEFT_CC` (71 films); its abnormalities are numbered together. Here it is one view with all of them.
"""
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from experiments.datasets.cbis_ddsm.files import JPEG, Tree
from experiments.datasets.cbis_ddsm.masks import Finding, fits, joined_mask
from experiments.datasets.cbis_ddsm.tables import Abnormality, read_tables, tables
from experiments.datasets.choices import DEFAULT, Choices
from experiments.datasets.images.reading import read_image
from experiments.datasets.images.shapes import image_shape
from experiments.datasets.mammogram import Dataset, Mammogram, Pixels, file_fingerprint
from experiments.system.errors import Failure
from experiments.system.progress import over

LOOKS_LIKE = ("CBIS-DDSM: mass_case_description_train_set.csv and the three others, above the downloaded folders "
              "Mass-Training_P_00001_LEFT_CC, ..., or in csv beside jpeg")
HYBRID = "hybrid (findings of different classes in one image)"
NO_IMAGE = "listed in the CSV files, image not in the folder"
NO_MASK = "listed in the CSV files, mask of an abnormality not in the folder"
OTHER_SHAPE = "mask of another shape than its image"
NO_NORMALS = "CBIS-DDSM has no normal mammograms."
LOSSY = ("The images are JPEG files: 8 bits, compressed with loss. Their grey levels are not those of the DICOM files, "
         "and fine calcifications may be gone.")


class _Unusable(Exception):
    """A view that is left out and counted under this reason."""


def recognise(folder: Path) -> bool:
    return bool(tables(folder))


def read(folder: Path, choices: Choices = DEFAULT) -> Dataset:
    """The views, by patient, breast and projection, that the CSV files list and the folder holds, wherever below it.

    The masks of a view's abnormalities make one mask. Left out and counted: hybrids, views of which the image or a mask
    is absent (a partial download), and masks of another shape. The headers of all files are read for that.
    Raises `Failure` for CSV files that cannot be understood, a damaged image, and a folder without any listed view.
    """
    views = read_tables(folder)
    tree = Tree(folder)
    mammograms, excluded = [], Counter[str]()
    for view in over(views, "Reading the headers", "view", leave=False):
        try:
            mammograms.append(_mammogram(view, tree, choices.max_pixels))
        except _Unusable as reason:
            excluded[str(reason)] += 1
    if not mammograms:
        subjects = views[0][0].image.subject, views[0][0].mask.subject
        raise Failure(f"{folder}: none of the {len(views)} mammograms that its CSV files list can be used: "
                      f"{', '.join(f'{count} {reason}' for reason, count in excluded.items())}. Expected are the "
                      f"folders as the NBIA Data Retriever makes them, for example {folder / 'CBIS-DDSM' / subjects[0]}"
                      f"/.../1-1.dcm (the image) and .../{subjects[1]}/.../1-1.dcm (mask and crop)")
    return Dataset("CBIS-DDSM", [mammogram for mammogram, _ in mammograms], dict(excluded), (
        NO_NORMALS, *((LOSSY,) if any(image.suffix.lower() in JPEG for _, image in mammograms) else ())))


def _mammogram(view: Sequence[Abnormality], tree: Tree, max_pixels: int) -> tuple[Mammogram, Path]:
    """And its image file."""
    if len({abnormality.label for abnormality in view}) > 1:
        raise _Unusable(HYBRID)
    films = [(abnormality, paths) for abnormality in view if (paths := tree.find(abnormality.image))]
    if not films:
        raise _Unusable(NO_IMAGE)
    first, paths = films[0]
    if len(paths) > 1:
        raise Failure(f"{first.place}: expected one image, found {len(paths)}: {', '.join(map(str, paths))}. "
                      "Keep one of them")
    image, shape = paths[0], image_shape(paths[0], max_pixels)
    findings, used = [], [image]
    for abnormality in view:
        files = sorted({*tree.find(abnormality.mask), *tree.find(abnormality.crop)})
        candidates = tuple(path for path in files if fits(image_shape(path, max_pixels), shape))
        if not candidates:
            # a crop alone is no mask: the mask is absent, unless there is a second file that must be it
            raise _Unusable(OTHER_SHAPE if len(files) > 1 else NO_MASK)
        findings.append(Finding(candidates, abnormality.place))
        used += candidates
    mammogram = Mammogram(
        name=first.image.subject, patient=first.patient, label=first.label, source="cbis-ddsm",
        fingerprint=file_fingerprint(*used), load=partial(_load, image, tuple(findings), max_pixels),
        breast=first.breast.lower(), facts=_facts(view))
    return mammogram, image


def _facts(view: Sequence[Abnormality]) -> tuple[tuple[str, str], ...]:
    densities = {abnormality.density for abnormality in view} - {""}
    told = {"view": view[0].projection, "density": densities.pop() if len(densities) == 1 else "",
            "finding": ", ".join(sorted({abnormality.kind for abnormality in view} - {""}))}
    return tuple((name, value) for name, value in told.items() if value)


def _load(image: Path, findings: Sequence[Finding], max_pixels: int) -> Pixels:
    levels = read_image(image, max_pixels)
    return levels, joined_mask(findings, levels.shape, max_pixels)
