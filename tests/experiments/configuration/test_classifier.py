import argparse
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from experiments.configuration.classifier import PRESETS, ClassifierConfiguration
from experiments.configuration.flags import add_flags, configure, given_flags
from experiments.system.errors import UsageError


def parsed(*flags):
    parser = argparse.ArgumentParser()
    add_flags(parser, PRESETS, "Table 4.1")
    return configure(PRESETS, given_flags(parser.parse_args(flags), ClassifierConfiguration))


def test_the_thesis_preset_is_table_4_1():
    thesis = parsed("--preset", "thesis")
    assert (thesis.side, thesis.batch, thesis.steps_per_epoch, thesis.epochs) == (128, 50, 5000, 10)
    assert (thesis.learning_rate, thesis.decay, thesis.clip_limit) == (5e-5, 0.75, 0.02)
    assert (thesis.working_side, thesis.rotation, thesis.width, thesis.total_steps) == (1024, 5.0, 1.0, 50000)


def test_quick_is_the_default_and_a_flag_overrides_one_number():
    assert parsed("--data", "x") == replace(PRESETS["quick"], data=str(Path("x").resolve()))
    changed = parsed("--learning-rate", "0.5", "--steps", "7", "--working-side", "1024")
    assert changed.learning_rate == 0.5 and changed.total_steps == 7
    quick = PRESETS["quick"]
    assert asdict(changed) | {"learning_rate": quick.learning_rate, "steps": None} == asdict(quick)


def test_drawn_images_are_enhanced_at_the_size_they_are_drawn_at_by_quick_alone():
    assert parsed() == replace(PRESETS["quick"], working_side=256)
    assert parsed("--preset", "thesis").working_side == parsed("--data", "x").working_side == 1024


def test_every_hyper_parameter_has_a_flag_of_its_type():
    others = ("preset", "data", "normals", "steps", "training_seed", "recompute")
    flags = [text for name, value in asdict(PRESETS["quick"]).items() if name not in others
             for text in ("--" + name.replace("_", "-"), str(value))]
    assert parsed(*flags) == PRESETS["quick"]
    assert parsed(*flags, "--recompute") == replace(PRESETS["quick"], recompute=True)


@pytest.mark.parametrize(("name", "value"), [
    ("side", 48), ("side", 0), ("batch", 1), ("width", 0.0), ("learning_rate", -1.0), ("decay", 1.5), ("epochs", 0),
    ("keep_probability", 0.0), ("statistics", "median"), ("steps", 0), ("seed", -1), ("rotation", 200.0),
    ("training_seed", -1), ("classes", 4), ("classes", 1), ("normals", "folder")])
def test_a_value_that_cannot_be_is_named_with_its_flag(name, value):
    with pytest.raises(UsageError, match="--" + name.replace("_", "-")):
        ClassifierConfiguration(**{name: value})


def test_a_run_s_rate():
    epochs = ClassifierConfiguration(learning_rate=1e-3, decay=0.5, steps_per_epoch=10, epochs=4, steps=7)
    assert epochs.rate(20) == pytest.approx(2.5e-4, rel=1e-12)
    falling = replace(epochs, schedule="cosine")
    assert falling.rate(20) == pytest.approx(5.05e-4, rel=1e-12)  # half of 4 epochs, whatever --steps says
    assert falling.rate(40) == falling.rate(60) == pytest.approx(1e-5, rel=1e-12)


def test_a_factor_of_decay_is_refused_where_the_rate_has_none():
    with pytest.raises(UsageError, match="--schedule exponential"):
        parsed("--decay", "0.5")
    assert parsed("--decay", "0.5", "--schedule", "exponential").rate(100) == pytest.approx(5e-4)
