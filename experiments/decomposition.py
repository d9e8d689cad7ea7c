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
from pathlib import Path

from experiments.classifiers.network import build
from experiments.classifiers.training import load, train_and_predict
from experiments.configuration.decomposition import PRESETS, DecompositionConfiguration
from experiments.configuration.flags import add_flags
from experiments.detectors.expected import of_detecting
from experiments.detectors.heat_maps import heat_maps
from experiments.detectors.kept import fixed_detectors, likely_detectors
from experiments.evaluation import thesis
from experiments.evaluation.thesis import Shown
from experiments.inputs.merged import MergedBatches, MergedSet
from experiments.reporting.classification import report
from experiments.runs.beginning import add_run_flags, begin, open_run
from experiments.runs.finished import end2end_run
from experiments.runs.folder import RunFolder
from experiments.system.command import RESUME, run_command
from experiments.system.command_parser import CommandParser
from experiments.system.durations import timed


def main(argv: list[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    with begin("decomposition", PRESETS, arguments) as (folder, configuration):
        run(folder, configuration, arguments)


def run(folder: RunFolder, configuration: DecompositionConfiguration, arguments: argparse.Namespace) -> None:
    data = load(configuration, folder, arguments, channels=2, more=lambda images: {} if folder.exists() else (
        of_detecting(likely_detectors(arguments.detectors, configuration), arguments.device, images)))
    end2end = end2end_run(arguments.end2end, folder, data, configuration.seed)
    detectors, origin = fixed_detectors(arguments.detectors, folder, configuration, data, arguments.device)
    with timed(data.took, "detecting"):
        merged = MergedSet(data.prepared, heat_maps(detectors, data.prepared, Path(arguments.cache)))
    batches = MergedBatches(merged, data.train, configuration.batch, configuration.drawn_by, configuration.rotation)
    record = open_run("decomposition", folder, configuration, data, arguments.device,
                      {"detectors": origin, "end2end": None if end2end is None else str(end2end.path.resolve())})
    predicted = train_and_predict(build(configuration, in_channels=2), batches, data, configuration, folder,
                                  arguments.device)
    losses = {"decomposition": folder} if end2end is None else {"end-to-end": end2end, "decomposition": folder}
    report(folder, record, data, merged, predicted, "Classification of mammograms by decomposition", losses,
           Shown(thesis.DECOMPOSITION, roc="4.5", loss="4.6"))


def parser() -> argparse.ArgumentParser:
    new = CommandParser(__doc__)
    new.add_argument("--detectors", metavar="RUN", help="folder of a finished run of experiments/roi_detection.py "
                     "(default: the newest under runs/ of the same data and seed)")
    new.add_argument("--end2end", metavar="RUN", help="folder of a finished run of experiments/end2end.py, to compare "
                     "the loss with (default: the newest under runs/ of the same data and seed, if there is one)")
    add_flags(new, PRESETS, "Table 4.5")
    add_run_flags(new, "processes that preprocess images")
    return new


if __name__ == "__main__":
    run_command(main, RESUME)
