"""Which images of another set a run has learned from, where only names tell."""
from dataclasses import dataclass

import numpy as np
import pytest

from experiments.evaluating.learned import NAMED, unlearned_by_name
from experiments.evaluation.predictions import ImagePredictions
from experiments.system.errors import UsageError

LEARNED = [ImagePredictions(np.array(["a", "b"]), np.array(["P1", "P2"]), np.array([0, 1]), np.full((2, 3), 0.5))]


@dataclass
class Images:
    """As much of a prepared set as is asked."""
    patients: np.ndarray

    def __len__(self):
        return len(self.patients)


def found(names, patients=("P1", "P3", "P2", "P1")):
    return unlearned_by_name(Images(np.array(patients)), names, LEARNED, "they were moved.", "there")


def test_in_the_same_collection_a_name_is_a_woman():
    given = found(("INbreast", "INbreast"))
    assert given.kept.tolist() == [1] and given.excluded == {NAMED: 3}


def test_in_another_collection_it_is_not_and_that_is_said():
    given = found(("INbreast", "CMMD"))
    assert given.kept.tolist() == [0, 1, 2, 3] and not given.excluded
    assert "2 of its patients are called like patients that the run learned from, such as 'P1'" in given.notes[1]


def test_nobody_is_drawn():
    given = found(("synthetic", "synthetic"))
    assert len(given.kept) == 4 and [note.partition(": ")[2] for note in given.notes] == ["they were moved."]


@pytest.mark.parametrize("names", [("DDSM", "CBIS-DDSM"), ("CBIS-DDSM", "DDSM")])
def test_sets_of_the_same_films_are_warned_of(names):
    assert any("These figures are not of unseen patients" in note for note in found(names, ("P7",)).notes)


def test_nothing_is_left():
    with pytest.raises(UsageError, match=r"--data there: of its images 2 are left out \(of a patient who is called"):
        found(("A", "A"), ("P1", "P2"))
