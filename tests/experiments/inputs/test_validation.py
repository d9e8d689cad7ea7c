"""Training patients that are held out: nobody twice, and without them everything is as before."""
import numpy as np
import pytest

from experiments.inputs.splitting import split
from experiments.inputs.validation import held_out
from experiments.system.errors import Failure

CLASSES = ("cancer", "normal", "benign")


def population(patients=120):
    owner = np.repeat(np.arange(patients), 2)
    return owner % 3, np.char.add("p", owner.astype(str))


def test_the_training_images_are_parted_by_patient_and_class():
    labels, patients = population()
    train, test = split(labels, patients, 3)
    rest, validation = held_out(labels, patients, train, 0.15, 3, CLASSES)
    assert not set(patients[rest]) & set(patients[validation]) and not set(patients[validation]) & set(patients[test])
    assert sorted([*rest, *validation]) == train.tolist()
    assert np.all(np.diff(rest) > 0) and np.all(np.diff(validation) > 0)
    for index in range(3):
        assert np.sum(labels[validation] == index) / np.sum(labels[train] == index) == pytest.approx(0.15, abs=0.03)
    assert held_out(labels, patients, train, 0.15, 3, CLASSES)[1].tolist() == validation.tolist()


def test_none_are_held_out_where_none_are_asked_for():
    labels, patients = population()
    train, _ = split(labels, patients, 3)
    rest, validation = held_out(labels, patients, train, 0.0, 3, CLASSES)
    assert rest is train and len(validation) == 0


def test_too_few_patients_are_refused_with_the_flag():
    labels, patients = np.array([0, 1, 2, 0, 1]), np.array(list("abcde"))
    with pytest.raises(Failure, match=r"--validation 0\.2: the training patients cannot be parted .* 'benign'"):
        held_out(labels, patients, np.arange(5), 0.2, 0, CLASSES)
