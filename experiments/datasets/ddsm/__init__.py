"""The Digital Database for Screening Mammography (Heath et al. 2000), as the University of South Florida has it.

A case is a folder: A-0002-1.ics, and for each view A_0002_1.LEFT_CC.LJPEG and, where lesions are marked, .OVERLAY.
"""
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np

from experiments.datasets.choices import DEFAULT, Choices
from experiments.datasets.ddsm.cases import find_cases
from experiments.datasets.ddsm.density import brightness
from experiments.datasets.ddsm.films import ABSENT, Film, LeftOut, survey
from experiments.datasets.ddsm.ljpeg import read_ljpeg
from experiments.datasets.ddsm.overlay import lesions_mask, read_overlay
from experiments.datasets.images.sizes import MAX_PIXELS, require_size
from experiments.datasets.mammogram import THESIS, Dataset, Mammogram, Pixels, file_fingerprint
from experiments.system.errors import Failure
from experiments.system.progress import over

__all__ = ["LOOKS_LIKE", "load", "load_mask", "open_films", "read", "read_ljpeg", "recognise"]

LOOKS_LIKE = "DDSM: cases (A-0002-1.ics beside A_0002_1.LEFT_CC.LJPEG, ...) in any folders, such as normals/normal_01"

VERSION = 1  # of what `load` makes of the files: to be raised when it changes, so that no cache keeps older pictures


def recognise(folder: Path) -> bool:
    """Whether there is a case at any depth, of those folders that may be listed: a disk has others beside the data."""
    return next(find_cases(folder, strict=False), None) is not None


def read(folder: Path, choices: Choices = DEFAULT) -> Dataset:
    """All views that can be used, at any depth: of one case, of a volume, of the whole collection.

    A view is labelled by the lesions marked in it, not by its volume: a benign lesion of a woman with cancer is benign.
    Normal is only a view of a case without any lesion; the unmarked views of other cases are left out, since they may
    show the lesion unnoticed. Hybrids are left out, and lesions whose pathology is unproven. So is what a defect of
    one case's .ics or .OVERLAY makes unusable, since leaving a view out cannot mislabel another: all is counted, and
    experiments/convert_ddsm.py lists each such view with file and line. patient: the woman, 'cancer_01/A-0002', where
    the case is in a volume, else 'A-0002'; source: the institution and the digitizer, 'A/DBA'.

    Raises `Failure` where .LJPEG files are absent, which means that the copy is not complete, and where no view can be
    used. A truncated or damaged .LJPEG, and a view of too many pixels, is a `Failure` when it is loaded.
    """
    films, left_out = open_films(folder)
    absent = [view.image for view in left_out if view.reason == ABSENT]
    if absent:
        shown = ", ".join(map(str, absent[:3])) + (", ..." if len(absent) > 3 else "")
        raise Failure(f"{folder}: {len(absent)} of {len(films) + len(left_out)} views have no .LJPEG file: {shown}. "
                      "Copy them there; or let experiments/convert_ddsm.py convert what there is, and use that")
    mammograms = [_mammogram(film, choices.max_pixels) for film in films]
    return Dataset(THESIS, mammograms, dict(Counter(view.reason for view in left_out)))


def open_films(folder: Path) -> tuple[list[Film], list[LeftOut]]:
    """`survey` with a progress bar where it takes longer than a moment; `Failure` where no view can be used."""
    cases = list(find_cases(folder))
    films, left_out = survey(folder, over(cases, "Reading cases", "case", leave=False))
    if not films and not any(view.reason == ABSENT for view in left_out):
        first = f", first {left_out[0].image}: {left_out[0].detail or left_out[0].reason}" if left_out else ""
        raise Failure(f"{folder}: none of its {len(left_out)} views can be used{first}")
    return films, left_out


def _mammogram(film: Film, max_pixels: int) -> Mammogram:
    return Mammogram(name=film.name, patient=film.patient, label=film.label, source=film.case.digitizer,
                     fingerprint=f"{VERSION}|{file_fingerprint(*film.files)}", load=partial(load, film, max_pixels),
                     breast=film.breast, facts=film.facts)


def load(film: Film, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Image (H, W) uint16, 10000 (3.60 - optical density); mask (H, W) bool, or None for a normal breast."""
    require_size(film.image, *film.size, max_pixels)
    return brightness(film.case.digitizer)[read_ljpeg(film.image, film.size)], load_mask(film)


def load_mask(film: Film) -> np.ndarray | None:
    return None if film.overlay is None else lesions_mask(read_overlay(film.overlay, film.size), film.size)
