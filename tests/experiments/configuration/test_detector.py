import argparse
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from experiments.configuration import classifier
from experiments.configuration.detector import PRESETS, DetectorConfiguration
from experiments.configuration.flags import add_flags, configure, given_flags
from experiments.system.errors import UsageError


def parsed(*flags):
    parser = argparse.ArgumentParser()
    add_flags(parser, PRESETS, "Table 4.4")
    return configure(PRESETS, given_flags(parser.parse_args(flags), DetectorConfiguration))


def test_the_thesis_preset_is_table_4_4_with_the_network_of_a_3_2():
    thesis = parsed("--preset", "thesis")
    assert (thesis.side, thesis.batch, thesis.steps_per_epoch, thesis.epochs) == (128, 50, 100, 20)
    assert (thesis.learning_rate, thesis.decay, thesis.clip_limit) == (5e-5, 0.75, 0.02)
    assert (thesis.channels, thesis.depth, thesis.rotation, thesis.total_steps) == (64, 4, 5.0, 2000)


def test_quick_prepares_images_as_the_quick_classifier_does_so_that_both_share_the_cache():
    for name in ("side", "working_side", "clip_limit"):
        assert getattr(PRESETS["quick"], name) == getattr(classifier.PRESETS["quick"], name)


def test_every_hyper_parameter_has_a_flag_of_its_type():
    others = ("preset", "data", "normals", "steps", "training_seed", "recompute")
    flags = [text for name, value in asdict(PRESETS["quick"]).items() if name not in others
             for text in ("--" + name.replace("_", "-"), str(value))]
    assert parsed(*flags) == PRESETS["quick"]
    assert parsed(*flags, "--recompute").recompute
    changed = parsed("--data", "x", "--channels", "3")
    assert changed == replace(PRESETS["quick"], data=str(Path("x").resolve()), channels=3)


@pytest.mark.parametrize(("name", "value"), [
    ("side", 36), ("side", 0), ("channels", 0), ("depth", 0), ("depth", 9), ("batch", 1), ("learning_rate", 0.0),
    ("steps", 0), ("seed", -1), ("statistics", "none")])
def test_a_value_that_cannot_be_is_named_with_its_flag(name, value):
    with pytest.raises(UsageError, match="--" + name.replace("_", "-")):
        DetectorConfiguration(**{name: value})


def test_the_side_must_be_halved_as_often_as_the_network_is_deep():
    assert DetectorConfiguration(side=40, depth=3).side == 40
    with pytest.raises(UsageError, match=r"--side 40: expected a multiple of 16, since --depth 4"):
        DetectorConfiguration(side=40, depth=4)
