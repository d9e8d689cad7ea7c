"""4.4, 4.5: the decomposition. The VGG of 4.2, on the mammogram merged with what five ROI detectors mark in it.

    python experiments/roi_detection.py                              first the detectors,
    python experiments/decomposition.py                              then this with the newest; minutes on a CPU
    python experiments/decomposition.py --data DIR --detectors runs/ROI_RUN --loss ss
    python experiments/decomposition.py --end2end runs/RUN           that run's loss beside this one's (Figure 4.6)
    python experiments/decomposition.py --resume                     continue the newest run where it stopped

The detectors must have been trained on the same data, prepared alike, with the same seed: others may have seen the
images that are tested here. The run's folder gets a copy of them. A research and teaching tool, not for diagnosis.
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

from experiments.classifiers.expected import of_classifier
from experiments.classifiers.network import build
from experiments.classifiers.training import load, train_and_predict
from experiments.configuration.decomposition import PRESETS, DecompositionConfiguration
from experiments.configuration.detector import DetectorConfiguration
from experiments.configuration.flags import add_flags, given_flags
from experiments.detectors.expected import of_detecting
from experiments.detectors.heat_maps import heat_maps
from experiments.detectors.kept import fixed_detectors, likely_detectors
from experiments.evaluation import thesis
from experiments.evaluation.thesis import Shown
from experiments.inputs.merged import MergedBatches, MergedSet
from experiments.reporting.classification import report
from experiments.reporting.expected import of_classification_report
from experiments.runs.beginning import add_folder_flags, begin, open_run
from experiments.runs.finished import add_end2end_flag, end2end_run
from experiments.runs.folder import RunFolder
from experiments.system.command import RESUME, run_command
from experiments.system.command_parser import CommandParser
from experiments.system.device import placed
from experiments.system.durations import Parts, timed
from experiments.system.folders import folder_path
from experiments.system.machine import Machine, add_machine_flags, chosen_machine

EXPERIMENT = "decomposition"


def main(argv: list[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    machine, given = chosen_machine(arguments), given_flags(arguments, DecompositionConfiguration)
    with begin(EXPERIMENT, PRESETS, given, arguments.output, arguments.resume) as (configuration, folder):
        run(configuration, folder, machine, arguments.detectors, arguments.end2end)


def run(configuration: DecompositionConfiguration, folder: RunFolder, machine: Machine, detectors: Path | None = None,
        end2end: Path | None = None) -> None:
    """detectors, end2end: folders of finished runs; None for the newest on the same data, or that of a resumed run."""
    likely = None if folder.exists() else likely_detectors(detectors, configuration)
    data = load(configuration, folder, machine, partial(expected, configuration, likely, machine))
    beside = end2end_run(end2end, folder, data, configuration)
    fixed, origin = fixed_detectors(detectors, folder, configuration, data, machine.device)
    with timed(data.took, "detecting"):
        merged = MergedSet(data.prepared, heat_maps(fixed, data.prepared, machine.cache))
    batches = MergedBatches(merged, data.train, configuration.batch, configuration.drawn_by, configuration.rotation)
    record = open_run(EXPERIMENT, folder, configuration, data, machine, detectors=origin, end2end=beside)
    network = placed(build(configuration), machine.device)
    predicted = train_and_predict(network, batches, data, configuration, folder, machine)
    losses = {"decomposition": folder} if beside is None else {"end-to-end": beside, "decomposition": folder}
    report(folder, record, data, merged, predicted, "Classification of mammograms by decomposition", losses,
           Shown(thesis.DECOMPOSITION, roc="4.5", loss="4.6"))


def expected(configuration: DecompositionConfiguration, detectors: DetectorConfiguration | None, machine: Machine,
             images: int, done: int = 0) -> Parts:
    """The seconds of a run on so many images, by part, when so many steps are made already.

    detectors: what they are; None where their heat maps are there.
    """
    return {**({} if detectors is None else of_detecting(detectors, machine.device, images)),
            **of_classifier(configuration, machine.device, images, done, machine.size), **of_classification_report()}


def parser() -> argparse.ArgumentParser:
    new = CommandParser(__doc__)
    new.add_argument("--detectors", metavar="RUN", type=folder_path, help="folder of a finished run of "
                     "experiments/roi_detection.py (default: the newest under runs/ of the same data and seed)")
    add_end2end_flag(new)
    add_flags(new, PRESETS, "Table 4.5")
    add_folder_flags(new)
    add_machine_flags(new, "processes that preprocess images")
    return new


if __name__ == "__main__":
    run_command(main, RESUME, on_ranks=True)
