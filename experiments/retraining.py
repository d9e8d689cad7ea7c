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
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from experiments.classifiers.network import build
from experiments.classifiers.retraining import digest, start_from
from experiments.classifiers.training import load, train_and_predict
from experiments.configuration.classifier import PRESETS, ClassifierConfiguration
from experiments.configuration.decomposition import DecompositionConfiguration
from experiments.configuration.flags import add_flags, given_flags
from experiments.configuration.recorded import recorded_configuration
from experiments.configuration.training import flag
from experiments.evaluation.thesis import Shown
from experiments.inputs.merged import MergedBatches, MergedSet
from experiments.reporting.classification import report
from experiments.runs.beginning import add_run_flags, begin, open_run, resolve_folders
from experiments.runs.finished import RUNS, end2end_run, finished, newest
from experiments.runs.folder import RunFolder, choose_folder
from experiments.runs.resuming import PLACES, resumed_record
from experiments.system.command import RESUME, run_command
from experiments.system.command_parser import CommandParser
from experiments.system.errors import Failure, UsageError

# Of the decomposition's initial rate. That of the quick preset is high: before an input that the network does not know,
# its first steps undo all that was learned, and the loss stays where guessing has it.
RATE = {"thesis": 1.0, "quick": 0.5}
# what makes the network and the images
SAME = ("preset", "data", "normals", "classes", "seed", "side", "working_side", "clip_limit", "width", "statistics")


def main(argv: list[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    decomposition, before = take_over(arguments)
    with begin("retraining", PRESETS, arguments) as (folder, configuration):
        run(folder, configuration, decomposition, before, arguments)


def run(folder: RunFolder, configuration: ClassifierConfiguration, decomposition: RunFolder,
        before: DecompositionConfiguration, arguments: argparse.Namespace) -> None:
    """before: the configuration of the decomposition."""
    data = load(configuration, folder, arguments, channels=2, first=before.total_steps)
    if data.record["fingerprint"] != decomposition.record()["data"]["fingerprint"]:
        raise Failure(f"the data are not those of the decomposition in {decomposition.path} (another fingerprint). "
                      "Restore them")
    end2end = end2end_run(arguments.end2end, folder, data, configuration.seed)
    zeros = np.broadcast_to(np.uint8(0), (len(data.prepared), configuration.side, configuration.side))
    merged = MergedSet(data.prepared, zeros)
    batches = MergedBatches(merged, data.train, configuration.batch, configuration.drawn_by, configuration.rotation)
    record = open_run("retraining", folder, configuration, data, arguments.device, {
        "decomposition": {"run": str(decomposition.path.resolve()), "steps": before.total_steps,
                          "digest": digest(decomposition)},
        "end2end": None if end2end is None else str(end2end.path.resolve())})
    start_from(decomposition, before, folder, record, configuration)
    predicted = train_and_predict(build(configuration, in_channels=2), batches, data, configuration, folder,
                                  arguments.device, first=before.total_steps)
    losses = {"decomposition": decomposition, "retrained with zeros": folder}
    report(folder, record, data, merged, predicted,
           "The decomposition's classifier, retrained without its second channel",
           losses if end2end is None else {"end-to-end": end2end, **losses}, Shown({}, roc="4.5", loss="4.7"))


def take_over(arguments: argparse.Namespace) -> tuple[RunFolder, DecompositionConfiguration]:
    """The decomposition to go on from and its configuration, which stands for flags that a new run was not given.

    It is the given run, or that of the run to resume, or else the newest that agrees with the flags. Raises UsageError
    where there is none, and where a flag asks for another network or other images.
    """
    resolve_folders(arguments)
    given = given_flags(arguments)
    resumed = _resumed(arguments)
    if arguments.decomposition is not None:
        run = finished(Path(arguments.decomposition), "decomposition")
    elif resumed is not None:
        run = finished(Path(resumed["decomposition"]["run"]), "decomposition")
    else:
        run = _newest({"data": None, "normals": None, "classes": 3, "seed": 0} | {
            name: given[name] for name in SAME if name in given})
    before = recorded_configuration(DecompositionConfiguration, run.record()["configuration"], run.config)
    recorded = asdict(before)
    for name in SAME:
        moved = name in PLACES and recorded[name] is not None  # their fingerprint is compared later
        if name in given and given[name] != recorded[name] and not moved:
            raise UsageError(f"{flag(name)} {given[name]}: the decomposition in {run.path} has {recorded[name]}, and "
                             "its network is trained on, on the same images")
    if resumed is None:
        usual = recorded | {"learning_rate": RATE[before.preset] * before.learning_rate}
        for name in (entry.name for entry in fields(ClassifierConfiguration)):
            if name not in given and not (name == "steps" and given.keys() & {"epochs", "steps_per_epoch"}):
                setattr(arguments, name, usual[name])
    return run, before


def _resumed(arguments: argparse.Namespace) -> dict[str, Any] | None:
    """config.json of the run to resume; None for a new one, and for one that could not write it yet."""
    if not arguments.resume:
        return None
    folder = RunFolder(choose_folder(arguments.output, True, "retraining", ""))
    folder.require_begun()
    return resumed_record(folder, "retraining") if folder.exists() else None


def _newest(wanted: dict[str, Any]) -> RunFolder:
    run = newest("decomposition", lambda record: wanted.items() <= record["configuration"].items())
    if run is None:
        said = ", ".join(f"{name} {value}" for name, value in wanted.items() if value is not None)
        raise UsageError(f"there is no finished run of experiments/decomposition.py under {RUNS}/ with {said}"
                         f"{' on the synthetic images' if wanted['data'] is None else ''}. Start one first, or name "
                         "one elsewhere with --decomposition RUN")
    return run


def parser() -> argparse.ArgumentParser:
    new = CommandParser(__doc__)
    new.add_argument("--decomposition", metavar="RUN", help="folder of a finished run of experiments/decomposition.py "
                     "(default: the newest under runs/ of the same data and seed)")
    new.add_argument("--end2end", metavar="RUN", help="folder of a finished run of experiments/end2end.py, to compare "
                     "the loss with (default: the newest under runs/ of the same data and seed, if there is one)")
    add_flags(new)
    add_run_flags(new, "processes that preprocess images")
    return new


if __name__ == "__main__":
    run_command(main, RESUME)
