"""What the report of a reproduction says in words and counts, on findings that are made up."""
from dataclasses import asdict

import numpy as np
import pytest

from engine.layer import Run
from experiments.classifiers import network as classifier
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.configuration.detector import DetectorConfiguration
from experiments.detectors import network as detector
from experiments.reproduction.report.losses import course_sentences, part, retraining_sentences
from experiments.reproduction.report.roi import overlap_sentences, overlap_table
from experiments.reproduction.report.settings import differing, settings_table
from experiments.reproduction.report.topology import convolutions, unet_parameters, unet_table
from experiments.system.stages import Stage, run_stages

SMALL = DetectorConfiguration(side=32, channels=2, depth=2)


def summary(decomposition, end2end, first, last, highest):
    def course(value):
        return {"first": 1.0, "second tenth": value, "middle tenth": value, "last tenth": value,
                "highest of the last": highest}

    return {"end-to-end": course(end2end), "decomposition": course(decomposition),
            "retrained with zeros": course(last) | {"first": first}}


def test_parts_of_a_course():
    losses = [{"step": 10 * number, "loss": float(number)} for number in range(20)]
    assert part(losses, 0.9, 1) == [18, 19] and part(losses, 0.1, 0.2) == [2, 3]
    assert part(losses[:1], 0.9, 1) == part(losses[:1], 0.1, 0.2) == [0]


@pytest.mark.parametrize(("decomposition", "end2end", "said"), [
    (0.5, 0.3, "is above that of end-to-end"), (0.1, 0.3, "is below that"), (0.3, 0.29, "is about the same as that")])
def test_the_course_of_the_loss_in_words(decomposition, end2end, said):
    first, why = course_sentences(summary(decomposition, end2end, 1, 1, 1))
    assert said in first
    assert ("thesis's order at the end" in why) == (decomposition > 0.4)
    assert ("proves no cause" in why) == (decomposition < 0.2)


@pytest.mark.parametrize(("first", "highest", "jump"), [(1.5, 0.4, True), (0.5, 0.3, True), (0.35, 0.3, False),
                                                        (1.5, 1.6, False)])
def test_a_jump_is_claimed_only_above_twice_the_mean_and_every_batch_before(first, highest, jump):
    said = retraining_sentences(summary(0.2, 0.3, first, 0.31, highest))
    assert ("is there: the loss goes" in said[0]) == jump
    assert "about the same as the 0.3000 of end-to-end" in said[1]


def test_what_the_size_groups_reach_in_words():
    reached = {"at_end": 1.0, "precision": 0.9, "best": 1.0, "step": 150}
    best = {f"P{number}-{loss}": dict(reached) for loss in ("dice", "ss") for number in range(5)}
    best["P0-dice"] |= {"best": 0.9, "step": 300}
    best["P1-dice"] |= {"best": None, "step": None}
    best["P2-dice"] |= {"best": None, "step": None, "at_end": None, "precision": None}
    dice, ss, steps = overlap_sentences(best, 500)
    assert "is reached by P3 (step 150), P4 (step 150); the highest at that precision is P0 0.900" in dice
    assert "P1 never had that precision; P2 has no test image" in dice
    assert ss.endswith("is reached by P0 (step 150), P1 (step 150), P2 (step 150), P3 (step 150), P4 (step 150).")
    assert "2000 training steps; these detectors were trained for 500" in steps
    rows = {row.label: row.cells for row in overlap_table(best).rows}
    assert rows["Dice: overlap accuracy at the end"] == ("1.000", "1.000", "n/a", "1.000", "1.000")
    assert len(overlap_sentences(best, 2000)) == 2


def test_the_thesis_preset_differs_in_no_row():
    thesis = asdict(ClassifierConfiguration())
    assert differing("4.1", thesis) == [] and differing("4.4", asdict(DetectorConfiguration())) == []
    assert differing("4.1", thesis | {"batch": 8, "steps": 7}) == ["Batch-size", "Number of epochs"]
    assert differing("4.1", thesis | {"schedule": "cosine"}) == ["Learning rate decay"]
    assert {row.label: row.cells for row in settings_table("4.5", thesis).rows}["Number of input channels"][:2] == (
        "2", "2")


def test_the_table_of_layers_is_what_a_pass_shows():
    layers = convolutions(detector.build(SMALL), 32)
    network, x = detector.build(SMALL), np.zeros((1, 32, 32, 1), np.float32)
    assert layers[-1].output == network.forward(x, Run(train=False, record=False))[0].shape[1:] == (32, 32, 1)
    assert sum(np.prod(layer.kernel) + layer.kernel[-1] for layer in layers) < unet_parameters(SMALL)  # and batch norm
    rows = {row.label: row.cells for row in unet_table(SMALL, "ours").rows}
    assert rows["down, level 2"] == ("conv 3x3, 2 -> 4", "conv 3x3, 4 -> 4", "16 x 16 x 4")
    assert rows["bottom, level 3"] == ("conv 3x3, 4 -> 8", "conv 3x3, 8 -> 8", "8 x 8 x 8")
    assert rows["up, level 1"] == ("conv 3x3, 6 -> 2", "conv 3x3, 2 -> 2", "32 x 32 x 2")
    assert list(rows)[-1] == "output" and len(rows) == 6


def test_a_training_seed_draws_the_weights_and_nothing_else_of_another_seed():
    def weights(**given):
        network = classifier.build(ClassifierConfiguration(side=32, width=0.05, **given))
        return next(iter(network.parameters().values()))

    assert np.array_equal(weights(seed=3), weights(seed=5, training_seed=3))
    assert not np.array_equal(weights(seed=3), weights(seed=3, training_seed=5))
    assert np.array_equal(weights(seed=3), weights(seed=3, training_seed=3))


def test_stages_are_made_in_order_and_finished_ones_skipped(tmp_path, capsys):
    made = []
    (tmp_path / "done").touch()
    run_stages([Stage("first", lambda: made.append(1), tmp_path / "missing"),
                Stage("second", lambda: made.append(2), tmp_path / "done"),
                Stage("third", lambda: made.append(3))], "go")
    assert made == [1, 3] and "Stage 2 of 3, second: finished already" in capsys.readouterr().out
