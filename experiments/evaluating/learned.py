"""Which images of the other set the run has learned from, as far as that can be known: they tell nothing of it.

Images are compared by their pixels after preprocessing, so by content, wherever the files lie and whatever they are
called. One that was compressed anew, or resized, is not recognised.
"""
from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from experiments.datasets.synthetic import NAME as DRAWN
from experiments.evaluation.predictions import ImagePredictions
from experiments.inputs.image_set import PreparedSet
from experiments.inputs.loading import Data
from experiments.system.errors import UsageError
from experiments.system.progress import over

SAME = "an image that the run learned from, by its pixels"
RELATED = "another image of a patient whose image the run learned from"
NAMED = "of a patient who is called like one that the run learned from, in a set of the same name"
MADE_OF = {"CBIS-DDSM", "DDSM"}  # the one is made of films of the other


@dataclass(frozen=True, slots=True)
class Unlearned:
    """kept      (n,) indices of the images that the run has not learned from, as far as that can be known
    excluded  reason -> number of the others
    notes     what was compared and what was not, in sentences"""
    kept: np.ndarray
    excluded: dict[str, int]
    notes: list[str]


def require_other_data(prepared: PreparedSet, fingerprint: str, place: str) -> None:
    """Raises UsageError where the set is the run's own. place: what the user called it."""
    if prepared.fingerprint == fingerprint:
        raise UsageError(f"--data {place}: these are the images that the run was trained and tested on. Only its test "
                         "images are clean, and the run's own report has their figures. Expected another data set")


def unlearned(prepared: PreparedSet, names: tuple[str, str], own: Data, place: str) -> Unlearned:
    """Of a prepared set, beside the run's own data. names: of the run's own set and of this one.

    Raises UsageError where nothing remains that is not the run's own test image. place: what the user called the set.
    """
    learned = np.concatenate([indices for name, indices in own.splits.items() if name != "test"])
    known, digests = np.array(_digests(own.prepared)), np.array(_digests(prepared))
    same = np.isin(digests, known[learned])
    found = _apart(prepared, same, names, set(own.prepared.patients[learned].tolist()))
    tested = int(np.isin(digests[found.kept], known[own.test]).sum())
    if tested == len(found.kept):
        rest = f", and the other {tested} are test images of the run, whose figures its own report has" * bool(tested)
        raise _nothing_left(place, found, rest)
    notes = [*([] if same.any() else [
        "None of its images has the pixels of one that the run learned from; they were compared after preprocessing, "
        "bit by bit, so that a copy that was compressed anew would not be recognised."]), *found.notes]
    if tested:
        notes.append(f"{tested} of its images are test images of the run, too: the two sets are not independent, as "
                     "the intervals of the differences take them to be.")
    return Unlearned(found.kept, found.excluded, notes)


def unlearned_by_name(prepared: PreparedSet, names: tuple[str, str], learned: Iterable[ImagePredictions], reason: str,
                      place: str) -> Unlearned:
    """Where the run's own images are not at hand, for that reason. learned: what predictions.csv says of those that it
    learned from. Raises as `unlearned`."""
    patients = {patient for each in learned for patient in each.patients.tolist()}
    found = _apart(prepared, np.zeros(len(prepared), bool), names, patients)
    if not len(found.kept):
        raise _nothing_left(place, found, "")
    return Unlearned(found.kept, found.excluded, [
        f"Whether the run has learned from some of these images could not be found out by their pixels: {reason}",
        *found.notes])


def _apart(prepared: PreparedSet, same: np.ndarray, names: tuple[str, str], patients: set[str]) -> Unlearned:
    """same: (N,) bool, images that the run learned from; patients: whose images it learned from, as its own set calls
    them. Names mean the same woman only in the same collection, and none in drawings."""
    women = set(prepared.patients[same].tolist())
    alike = set() if DRAWN in names else (set(prepared.patients.tolist()) & patients) - women
    notes = []
    if alike and names[0] != names[1]:
        notes.append(f"{len(alike)} of its patients are called like patients that the run learned from, such as "
                     f"{min(alike)!r}. The two sets have different names, so they are taken for different women.")
        alike = set()
    if set(names) == MADE_OF:
        notes.append("CBIS-DDSM is made of films of DDSM: women of the one are in the other, under other names and in "
                     "other files, and are not recognised here. These figures are not of unseen patients.")
    of_women, called = (np.isin(prepared.patients, sorted(each)) for each in (women, alike))
    counts = {SAME: int(same.sum()), RELATED: int((of_women & ~same).sum()), NAMED: int(called.sum())}
    return Unlearned(np.flatnonzero(~of_women & ~called), {reason: count for reason, count in counts.items() if count},
                     notes)


def _nothing_left(place: str, found: Unlearned, rest: str) -> UsageError:
    told = ", ".join(f"{count} are left out ({reason})" for reason, count in found.excluded.items())
    return UsageError(f"--data {place}: of its images {told or 'none is left out'}{rest}. Nothing is left to evaluate "
                      "the run on. Expected another data set")


def _digests(prepared: PreparedSet) -> list[str]:
    """Of the pixels of each image, without its mask: another annotation makes no other image."""
    return [hashlib.blake2b(prepared.images([index]).tobytes(), digest_size=16).hexdigest()
            for index in over(range(len(prepared)), "Comparing", "image", leave=False)]
