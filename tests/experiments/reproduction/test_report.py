"""What the report of a reproduction says in words and counts, on findings that are made up."""
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from engine.layer import Run
from experiments.classifiers import network as classifier
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.configuration.decomposition import DecompositionConfiguration
from experiments.configuration.detector import DetectorConfiguration
from experiments.detectors import network as detector
from experiments.inputs.loading import DataRecord
from experiments.inputs.splitting import DRAWN, OWN
from experiments.reproduction.report.data_chapters import data_chapter
from experiments.reproduction.report.losses import LossCourse, course_sentences, loss_table, part, retraining_sentences
from experiments.reproduction.report.roi import BestOverlap, overlap_sentences, overlap_table
from experiments.reproduction.report.settings import differing
from experiments.reproduction.report.topology import convolutions, parameters_table, unet_parameters, unet_table
from experiments.system.stages import Stage, run_stages

SMALL = DetectorConfiguration(side=32, channels=2, depth=2)


def courses(decomposition, end2end, first, last, highest):
    def course(value):
        return LossCourse(1.0, value, value, value, highest)

    return {"end-to-end": course(end2end), "decomposition": course(decomposition),
            "retrained with zeros": replace(course(last), first=first)}


def test_parts_of_a_course():
    losses = [float(number) for number in range(20)]
    assert part(losses, 0.9, 1) == [18, 19] and part(losses, 0.1, 0.2) == [2, 3]
    assert part(losses[:1], 0.9, 1) == part(losses[:1], 0.1, 0.2) == [0]


@pytest.mark.parametrize(("decomposition", "end2end", "said"), [
    (0.5, 0.3, "is above that of end-to-end"), (0.1, 0.3, "is below that"), (0.3, 0.29, "is about the same as that")])
def test_the_course_of_the_loss_in_words(decomposition, end2end, said):
    first, why = course_sentences(courses(decomposition, end2end, 1, 1, 1))
    assert said in first
    assert ("thesis's order at the end" in why) == (decomposition > 0.4)
    assert ("proves no cause" in why) == (decomposition < 0.2)


@pytest.mark.parametrize(("first", "highest", "jump"), [(1.5, 0.4, True), (0.5, 0.3, True), (0.35, 0.3, False),
                                                        (1.5, 1.6, False)])
def test_a_jump_is_claimed_only_above_twice_the_mean_and_every_batch_before(first, highest, jump):
    said = retraining_sentences(courses(0.2, 0.3, first, 0.31, highest))
    assert ("is there: the loss goes" in said[0]) == jump
    assert "about the same as the 0.3000 of end-to-end" in said[1]


def test_a_loss_has_a_row_and_each_part_a_column():
    table = loss_table(courses(0.2, 0.3, 1.5, 0.31, 0.4), ["decomposition", "retrained with zeros"])
    assert table.columns == ("First", "Second tenth", "Middle tenth", "Last tenth", "Highest of the last")
    assert [row.cells for row in table.rows] == [("1.0000", "0.2000", "0.2000", "0.2000", "0.4000"),
                                                 ("1.5000", "0.3100", "0.3100", "0.3100", "0.4000")]


def test_what_the_size_groups_reach_in_words():
    best = {f"P{number}-{loss}": BestOverlap(1.0, 0.9, best=1.0, step=150) for loss in ("dice", "ss")
            for number in range(5)}
    best["P0-dice"] = BestOverlap(1.0, 0.9, best=0.9, step=300)
    best["P1-dice"] = BestOverlap(1.0, 0.9, best=None, step=None)
    best["P2-dice"] = BestOverlap(None, None, best=None, step=None)
    dice, ss, steps = overlap_sentences(best, 500)
    assert "is reached by P3 (step 150), P4 (step 150); the highest at that precision is P0 0.900" in dice
    assert "P1 never had that precision; P2 has no test image" in dice
    assert ss.endswith("is reached by P0 (step 150), P1 (step 150), P2 (step 150), P3 (step 150), P4 (step 150).")
    assert "2000 training steps; these detectors were trained for 500" in steps
    rows = {row.label: row.cells for row in overlap_table(best).rows}
    assert rows["Dice: overlap accuracy at the end"] == ("1.000", "1.000", "n/a", "1.000", "1.000")
    assert len(overlap_sentences(best, 2000)) == 2


def test_the_thesis_preset_differs_in_no_row():
    thesis = ClassifierConfiguration()
    assert differing("4.1", thesis) == [] and differing("4.4", DetectorConfiguration()) == []
    assert differing("4.5", DecompositionConfiguration()) == []
    assert differing("4.1", replace(thesis, batch=8, steps=7)) == ["Batch-size", "Number of epochs"]
    assert differing("4.1", replace(thesis, schedule="cosine")) == ["Learning rate decay"]
    assert differing("4.5", thesis) == ["Number of input channels"]


def test_the_table_of_layers_is_what_a_pass_shows():
    layers = convolutions(detector.build(SMALL), 32)
    network, x = detector.build(SMALL), np.zeros((1, 32, 32, 1), np.float32)
    assert layers[-1].output == network.forward(x, Run(train=False, record=False))[0].shape[1:] == (32, 32, 1)
    assert sum(np.prod(layer.kernel) + layer.kernel[-1] for layer in layers) < unet_parameters(SMALL)  # and batch norm
    rows = {row.label: row.cells for row in unet_table(SMALL, "ours").rows}
    assert rows["down, level 2"] == ("conv 3x3, 2 -> 4", "conv 3x3, 4 -> 4", "16 x 16 x 4")
    assert rows["bottom, level 3"] == ("conv 3x3, 4 -> 8", "conv 3x3, 8 -> 8", "8 x 8 x 8")
    assert rows["up, level 1"] == ("conv 3x3, 6 -> 2", "conv 3x3, 2 -> 2", "32 x 32 x 2")
    assert list(rows) == ["down, level 1", "down, level 2", "bottom, level 3", "up, level 2", "up, level 1", "output"]
    assert rows["output"] == ("conv 1x1, 2 -> 1", "", "32 x 32 x 1")
    recomputed = unet_table(replace(SMALL, recompute=True), "ours")
    assert [row.cells for row in recomputed.rows] == list(rows.values())


def test_networks_are_counted_as_they_are_built():
    small = [ClassifierConfiguration(side=32, width=0.05), DecompositionConfiguration(side=32, width=0.05)]
    rows = {row.label: row.cells for row in parameters_table(SMALL, small).rows}
    assert rows["U-net (A.3.2)"][0] == "31,383,681" and rows["VGG (A.3.1), 1 input channel"][0] == "23,632,451"
    one, two = (int(cells[1].replace(",", "")) for cells in list(rows.values())[1:])
    assert two - one == 3 * 3 * 3  # a second channel in the kernel of the first layer, which has three
    assert [row.cells[1] for row in parameters_table(SMALL, []).rows][1:] == ["none", "none"]


def test_a_training_seed_draws_the_weights_and_nothing_else_of_another_seed():
    def weights(**given):
        first, *_ = classifier.build(ClassifierConfiguration(side=32, width=0.05, **given)).parameters().values()
        return first

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


@pytest.mark.parametrize(("split", "claimed"), [(DRAWN, True), (OWN, False)])
def test_shares_of_the_classes_are_claimed_of_a_drawn_split_only(split, claimed):
    data = DataRecord("a set", False, "abc", 60, 30, {}, {}, ["whose split"], {"cancer": 9}, {"cancer": 3}, 20, 10,
                      split)
    chapter = data_chapter(SimpleNamespace(data=data, classifiers=None, drawn=False))
    said = " ".join(chapter.sections[0].sentences)
    assert "share no patient" in said and "whose split" in said
    assert ("Both hold the same shares of the classes" in said) == claimed
