"""4.5, "Analysis": the decomposition's classifier is trained on, with nothing but zeros in its second channel.

    python experiments/retraining.py                                 goes on from the newest decomposition
    python experiments/retraining.py --decomposition runs/RUN        from that one; as many steps again
    python experiments/retraining.py --decomposition runs/RUN --steps 2000 --learning-rate 1e-3
    python experiments/retraining.py --resume                        continue the newest run where it stopped

Flags that are not given are as in the decomposition. Parameters, Adam's state and the number of the step go on; the
learning rate starts anew, with the preset quick at a quarter. The thesis does not say which rate it used. Had (3.17)
gone on, the rate would have begun at 0.75^10 = 6 % of the initial one, and the second 50000 steps would have had 6 % of
the sum of the first ones' rates; but Figure 4.7 shows a network that learns its features almost "as if it would be
trained from the random initialization" and reaches the end-to-end loss. --learning-rate (initial rate) *
(decay)^(epochs) lets it go on.

A research and teaching tool, not for diagnosis.
"""
from __future__ import annotations

if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from experiments.system.command import before_imports

    before_imports()

import argparse
from functools import partial
from pathlib import Path

import numpy as np

from experiments.classifiers.expected import of_classifier
from experiments.classifiers.network import build
from experiments.classifiers.retraining import (
    choose_decomposition,
    configuration_before,
    inherited,
    origin,
    require_same,
    start_from,
)
from experiments.classifiers.training import load, train_and_predict
from experiments.configuration.classifier import RETRAINING_PRESETS, RetrainingConfiguration
from experiments.configuration.flags import add_flags, given_flags
from experiments.evaluation.thesis import Shown
from experiments.inputs.merged import MergedBatches, MergedSet
from experiments.reporting.classification import report
from experiments.reporting.expected import of_classification_report
from experiments.runs.beginning import add_folder_flags, begin, open_run
from experiments.runs.finished import add_end2end_flag, end2end_run
from experiments.runs.folder import RunFolder, choose_folder
from experiments.runs.resuming import require_experiment
from experiments.system.command import RESUME, run_command
from experiments.system.command_parser import CommandParser
from experiments.system.device import placed
from experiments.system.durations import Parts
from experiments.system.errors import Failure
from experiments.system.folders import folder_path
from experiments.system.machine import Machine, add_machine_flags, chosen_machine

EXPERIMENT = "retraining"


def main(argv: list[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    machine, given = chosen_machine(arguments), given_flags(arguments, RetrainingConfiguration)
    resumed = resumed_folder(arguments.output) if arguments.resume else None
    decomposition = choose_decomposition(arguments.decomposition, resumed, given)
    require_same(decomposition, given)
    settings = given if resumed else inherited(decomposition, given)
    with begin(EXPERIMENT, RETRAINING_PRESETS, settings, arguments.output, arguments.resume) as (configuration, folder):
        run(configuration, folder, machine, decomposition, arguments.end2end)


def run(configuration: RetrainingConfiguration, folder: RunFolder, machine: Machine, decomposition: RunFolder,
        end2end: Path | None = None) -> None:
    """decomposition: the finished run to go on from. end2end: as of experiments/decomposition.py."""
    before = configuration_before(decomposition)
    data = load(configuration, folder, machine, partial(expected, configuration, machine), first=before.total_steps)
    if data.record.fingerprint != decomposition.record().data.fingerprint:
        raise Failure(f"the data are not those of the decomposition in {decomposition.path} (another fingerprint). "
                      "Restore them")
    beside = end2end_run(end2end, folder, data, configuration)
    zeros = np.broadcast_to(np.uint8(0), (len(data.prepared), configuration.side, configuration.side))
    merged = MergedSet(data.prepared, zeros)
    batches = MergedBatches(merged, data.train, configuration.batch, configuration.drawn_by, configuration.rotation)
    record = open_run(EXPERIMENT, folder, configuration, data, machine, decomposition=origin(decomposition, before),
                      end2end=beside)
    start_from(decomposition, before, folder, record, configuration)
    network = placed(build(configuration), machine.device)
    predicted = train_and_predict(network, batches, data, configuration, folder, machine, first=before.total_steps)
    losses = {"decomposition": decomposition, "retrained with zeros": folder}
    report(folder, record, data, merged, predicted,
           "The decomposition's classifier, retrained without its second channel",
           losses if beside is None else {"end-to-end": beside, **losses}, Shown({}, roc="4.5", loss="4.7"))


def expected(configuration: RetrainingConfiguration, machine: Machine, images: int, done: int = 0) -> Parts:
    """The seconds of a run on so many images, by part, when so many of its own steps are made already."""
    return {**of_classifier(configuration, machine.device, images, done, machine.size), **of_classification_report()}


def resumed_folder(output: str | None) -> RunFolder | None:
    """The run to resume; None for one that could not write its config.json yet."""
    folder = RunFolder(choose_folder(output, True, EXPERIMENT, ""))
    folder.require_begun()
    if not folder.exists():
        return None
    require_experiment(folder, EXPERIMENT)
    return folder


def parser() -> argparse.ArgumentParser:
    new = CommandParser(__doc__)
    new.add_argument("--decomposition", metavar="RUN", type=folder_path, help="folder of a finished run of "
                     "experiments/decomposition.py (default: the newest under runs/ of the same data and seed)")
    add_end2end_flag(new)
    add_flags(new, RETRAINING_PRESETS, "Table 4.1")
    add_folder_flags(new)
    add_machine_flags(new, "processes that preprocess images")
    return new


if __name__ == "__main__":
    run_command(main, RESUME, on_ranks=True)
