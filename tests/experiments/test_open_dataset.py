"""Recognising a data set by its folder."""
from pathlib import Path

import pytest

from experiments.datasets import READERS, open_dataset
from experiments.datasets.record import Mammogram
from experiments.errors import UsageError

DATA = Path(__file__).parents[2] / "../shared/data"


def test_missing_folder_and_file_instead(tmp_path):
    with pytest.raises(UsageError, match="nowhere: there is no such folder"):
        open_dataset(tmp_path / "nowhere", seed=0)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file: is not a folder"):
        open_dataset(tmp_path / "file", seed=0)


def test_unknown_folder_lists_the_formats(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n")
    (tmp_path / "b.csv").write_text("x,y\n")
    with pytest.raises(UsageError) as caught:
        open_dataset(tmp_path, seed=0)
    assert "no data set was recognised" in str(caught.value)
    assert all(reader.LOOKS_LIKE in str(caught.value) for reader in READERS)


def test_labels_are_of_the_three_classes():
    with pytest.raises(ValueError, match="label 'malignant' of a: expected one of cancer, normal, benign"):
        Mammogram("a", "p", "malignant", "s", "f", load=lambda: None)


@pytest.mark.skipif(not DATA.is_dir(), reason="no real data beside the project")
@pytest.mark.parametrize(("name", "expected"), [("mini-mias", "mini-MIAS"), ("cdd-cesm", "cdd-cesm")])
def test_real_folders_are_recognised(name, expected):
    assert open_dataset(DATA / name, seed=0).name == expected
