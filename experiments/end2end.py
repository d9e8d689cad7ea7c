"""4.2: the end-to-end classifier. A VGG trained from scratch on whole mammograms: cancer, normal or benign.

    python experiments/end2end.py                                    synthetic images, a few minutes on a CPU
    python experiments/end2end.py --data DIR                         your mammograms
    python experiments/end2end.py --data DIR --preset thesis --device cuda
    python experiments/end2end.py --data CBIS --classes 2            a set without normal images: cancer or benign
    python experiments/end2end.py --data CBIS --normals DIR          or with the normal images of another set
    python experiments/end2end.py --head svm                         a support vector machine beside the last layer
    python experiments/end2end.py --resume                           continue the newest run where it stopped
    python experiments/end2end.py --width 0.5 --epochs 20 --output runs/wider

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

from experiments.classifiers.expected import of_classifier
from experiments.classifiers.heads import svm_answers
from experiments.classifiers.network import build
from experiments.classifiers.training import load, train_and_predict
from experiments.configuration.classifier import PRESETS, ClassifierConfiguration
from experiments.configuration.flags import add_flags, given_flags
from experiments.evaluation import thesis
from experiments.evaluation.thesis import Shown
from experiments.inputs.batches import Batches
from experiments.reporting.classification import report
from experiments.reporting.expected import of_classification_report
from experiments.runs.beginning import add_folder_flags, begin, open_run
from experiments.runs.folder import RunFolder
from experiments.system.command import RESUME, run_command
from experiments.system.command_parser import CommandParser
from experiments.system.device import placed
from experiments.system.durations import Parts
from experiments.system.machine import Machine, add_machine_flags, chosen_machine

EXPERIMENT = "end2end"


def main(argv: list[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    machine, given = chosen_machine(arguments), given_flags(arguments, ClassifierConfiguration)
    with begin(EXPERIMENT, PRESETS, given, arguments.output, arguments.resume) as (configuration, folder):
        run(configuration, folder, machine)


def run(configuration: ClassifierConfiguration, folder: RunFolder, machine: Machine) -> None:
    data = load(configuration, folder, machine, partial(expected, configuration, machine))
    batches = Batches(data.prepared, data.train, configuration.batch, configuration.drawn_by, configuration.rotation)
    record = open_run(EXPERIMENT, folder, configuration, data, machine)
    network = placed(build(configuration), machine.device)
    predicted = train_and_predict(network, batches, data, configuration, folder, machine)
    svm = svm_answers(network, data.prepared, data, configuration)
    report(folder, record, data, data.prepared, predicted, "End-to-end classification of mammograms",
           {"end-to-end": folder}, Shown(thesis.END_TO_END, roc="4.1", loss="4.6"), svm)


def expected(configuration: ClassifierConfiguration, machine: Machine, images: int, done: int = 0) -> Parts:
    """The seconds of a run on so many images, by part, when so many steps are made already."""
    return {**of_classifier(configuration, machine.device, images, done, machine.size), **of_classification_report()}


def parser() -> argparse.ArgumentParser:
    new = CommandParser(__doc__)
    add_flags(new, PRESETS, "Table 4.1")
    add_folder_flags(new)
    add_machine_flags(new, "processes that preprocess images")
    return new


if __name__ == "__main__":
    run_command(main, RESUME, on_ranks=True)
