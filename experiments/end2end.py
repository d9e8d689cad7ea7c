"""4.2: the end-to-end classifier. A VGG trained from scratch on whole mammograms: cancer, normal or benign.

    python experiments/end2end.py                                    synthetic images, a few minutes on a CPU
    python experiments/end2end.py --data DIR                         your mammograms
    python experiments/end2end.py --data DIR --preset thesis --device cuda
    python experiments/end2end.py --data CBIS --classes 2            a set without normal images: cancer or benign
    python experiments/end2end.py --data CBIS --normals DIR          or with the normal images of another set
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

from experiments.classifiers.network import build
from experiments.classifiers.training import load, train_and_predict
from experiments.configuration.classifier import PRESETS, ClassifierConfiguration
from experiments.configuration.flags import add_flags
from experiments.evaluation import thesis
from experiments.evaluation.thesis import Shown
from experiments.inputs.batches import Batches
from experiments.reporting.classification import report
from experiments.runs.beginning import add_run_flags, begin, open_run
from experiments.runs.folder import RunFolder
from experiments.system.command import RESUME, run_command
from experiments.system.command_parser import CommandParser


def main(argv: list[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    with begin("end2end", PRESETS, arguments) as (folder, configuration):
        run(folder, configuration, arguments)


def run(folder: RunFolder, configuration: ClassifierConfiguration, arguments: argparse.Namespace) -> None:
    data = load(configuration, folder, arguments)
    batches = Batches(data.prepared, data.train, configuration.batch, configuration.drawn_by, configuration.rotation)
    record = open_run("end2end", folder, configuration, data, arguments.device)
    predicted = train_and_predict(build(configuration), batches, data, configuration, folder, arguments.device)
    report(folder, record, data, data.prepared, predicted, "End-to-end classification of mammograms",
           {"end-to-end": folder}, Shown(thesis.END_TO_END, roc="4.1", loss="4.6"))


def parser() -> argparse.ArgumentParser:
    new = CommandParser(__doc__)
    add_flags(new)
    add_run_flags(new, "processes that preprocess images")
    return new


if __name__ == "__main__":
    run_command(main, RESUME)
