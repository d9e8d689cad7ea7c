"""Recognising a data set by its folder."""
import copy
import dataclasses
import errno
import importlib
import os
import pickle
import pkgutil
from functools import partial
from pathlib import Path

import pytest

import experiments
from experiments import convert_ddsm, datasets, decomposition, end2end, reproduce, retraining, roi_detection
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.datasets import READERS, Choices, open_dataset, reader_of
from experiments.datasets.birads import BiradsClasses
from experiments.datasets.mammogram import Mammogram
from experiments.inputs import preprocessing
from experiments.inputs.selection import chosen_dataset
from experiments.system.errors import Failure, UsageError

DATA = Path(experiments.__file__).parents[1] / "../shared/data"


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


SIGNS = {  # by the last part of the reader's name: the files by which it knows its set
    "mini_mias": {"Info.txt": ""}, "ddsm": {"normals/A-0001-1.ics": ""},
    "cbis_ddsm": {"mass_case_description_train_set.csv": "patient_id\n", "calc_case_description_train_set.csv": ""},
    "cdd_cesm": {"saved.csv": "Image_name;View;Pathology Classification/ Follow up\n",
                 "Radiology_hand_drawn_segmentations_v2.csv": "#filename,region_shape_attributes\n"},
    "inbreast": {"INbreast.csv": "Patient ID;Patient age;Laterality;View;Acquisition date;File Name;ACR;Bi-Rads\n"},
    "folder": {"labels.csv": "image,label,patient\n"}}


@pytest.mark.parametrize("name", SIGNS)
def test_no_set_is_taken_for_another(tmp_path, name):
    """Only the folder format, which is asked last, may take a set that brings one CSV file for its own."""
    for file, text in SIGNS[name].items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    found = [reader.__name__.rpartition(".")[2] for reader in READERS if reader.recognise(tmp_path)]
    assert found in ([name], [name, "folder"])
    assert SIGNS.keys() == {reader.__name__.rpartition(".")[2] for reader in READERS}


@pytest.mark.parametrize("file", ["Radiology manual annotations.xlsx", "Radiology-manual-annotations.xlsx",
                                  "INbreast.xls"])
def test_a_set_is_known_by_its_spreadsheet(tmp_path, file):
    (tmp_path / file).write_bytes(b"")
    assert reader_of(tmp_path).__name__.rpartition(".")[2] == ("inbreast" if "INbreast" in file else "cdd_cesm")


def test_labels_are_of_the_three_classes():
    with pytest.raises(ValueError, match="label 'malignant' of a: expected one of cancer, normal, benign"):
        Mammogram("a", "p", "malignant", "s", "f", load=lambda: None)


@pytest.mark.skipif(not DATA.is_dir(), reason="no real data beside the project")
@pytest.mark.parametrize(("name", "expected"), [("mini-mias", "mini-MIAS"), ("cdd-cesm", "cdd-cesm")])
def test_real_folders_are_recognised(name, expected):
    assert open_dataset(DATA / name, seed=0).name == expected


def test_records_have_no_dictionary_that_two_threads_could_build_at_once():
    """CPython 3.11 lets two threads share one table of values where both ask for an instance's __dict__."""
    names = [name for _, name, _ in pkgutil.walk_packages(datasets.__path__, "experiments.datasets.")]
    records = {each for module in [*map(importlib.import_module, names), preprocessing] for each in
               vars(module).values() if dataclasses.is_dataclass(each) and each.__dataclass_params__.frozen}
    assert {Mammogram, preprocessing.Preprocessing, preprocessing.Prepared} <= records and len(records) > 10
    for record in records:
        assert "__dict__" not in dir(record), record


def test_a_record_is_pickled_replaced_and_copied():
    mammogram = Mammogram("a", "p", "normal", "s", "f", load=partial(int, "7"))
    for other in (pickle.loads(pickle.dumps(mammogram)), copy.deepcopy(mammogram), dataclasses.replace(mammogram)):
        assert other == mammogram and other.load() == 7


def test_a_folder_that_may_not_be_entered_and_a_name_too_long(tmp_path, monkeypatch):
    with pytest.raises(Failure, match=r"cannot be read \(File name too long\)"):
        open_dataset(tmp_path / ("x" * 300), seed=0)

    def refuse(*arguments):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(tmp_path))

    monkeypatch.setattr(Path, "iterdir", refuse)  # as root every folder may be entered
    with pytest.raises(Failure, match=r"cannot be read \(Permission denied\)"):
        open_dataset(tmp_path, seed=0)


def test_the_limit_on_pixels_reaches_every_command(drawn, tmp_path, command, tiny_flags):
    code, _, errors = command(end2end.main, *tiny_flags(drawn, tmp_path / "run"), "--max-pixels", 5119)
    assert code == 1 and "64 x 80 pixels (width x height), more than 5119" in errors and "labels.csv, line 2" in errors
    code, _, errors = command(end2end.main, *tiny_flags(drawn, tmp_path / "run"), "--normals", drawn.parent,
                              "--max-pixels", 0)
    assert code == 2 and "--max-pixels" in errors
    for command_line in (end2end.parser(), decomposition.parser(), retraining.parser(), roi_detection.parser(),
                         reproduce.parser(), convert_ddsm.parser()):
        assert "--max-pixels" in command_line.format_help()


def test_the_limit_on_pixels_reaches_every_reader(tmp_path):
    (tmp_path / "mias").mkdir()
    (tmp_path / "mias" / "Info.txt").write_text("mdb001 G NORM\n")
    (tmp_path / "mias" / "mdb001.pgm").write_bytes(b"P5 3 4 255\n" + bytes(range(12)))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.csv").write_text("image,label,patient\na.pgm,normal,P\n")
    (tmp_path / "folder" / "a.pgm").write_bytes(b"P5 3 4 255\n" + bytes(range(12)))
    for name in ("mias", "folder"):
        mammogram, = open_dataset(tmp_path / name, 0, Choices(12)).mammograms
        assert mammogram.image().shape == (4, 3)
        mammogram, = open_dataset(tmp_path / name, 0, Choices(11)).mammograms
        with pytest.raises(Failure, match="more than 11"):
            mammogram.load()


def test_a_choice_that_a_data_set_knows_nothing_of_is_refused(tmp_path):
    (tmp_path / "data.csv").write_text("image,label,patient\na.pgm,normal,1\n")
    (tmp_path / "a.pgm").write_bytes(b"P5 3 4 255\n" + bytes(range(12)))
    for changed in ({"views": "both"}, {"birads": "normal=1 cancer=5"}):
        with pytest.raises(UsageError, match=f"--{next(iter(changed))} .* nothing that it could choose"):
            chosen_dataset(ClassifierConfiguration(data=str(tmp_path), **changed))
    assert len(chosen_dataset(ClassifierConfiguration(data=str(tmp_path))).mammograms) == 1


@pytest.mark.parametrize("wrong", ["", "normal", "normal=1 benign=1", "healthy=1", "normal=7", "normal=1,", "1=normal"])
def test_a_map_of_assessments_that_cannot_be_is_refused(wrong):
    with pytest.raises(UsageError, match="--birads"):
        ClassifierConfiguration(birads=wrong)


def test_assessments_make_classes():
    classes = BiradsClasses.parse("normal=1 benign=2,3,4A cancer=4b")
    assert [classes.label(text) for text in ("1", "BI-RADS 2", " 4a", "4B", "0", "4")] == [
        "normal", "benign", "benign", "cancer", None, None]
    assert "cancer 4b; normal 1; benign 2, 3, 4a" in classes.note


@pytest.mark.parametrize("wrong", [{"breast": "L"}, {"part": "train"}, {"facts": (("colour", "grey"),)}])
def test_a_mammogram_says_what_it_is_in_the_words_of_the_project(wrong):
    with pytest.raises(ValueError, match="expected one of"):
        Mammogram("a", "1", "normal", "", "", lambda: None, **wrong)
