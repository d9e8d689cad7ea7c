"""Everything: chapter 4 of the thesis and its appendix A.1-A.2, every table and figure beside ours, in one report.

    python experiments/reproduce.py                                  synthetic images, some minutes on a CPU
    python experiments/reproduce.py --seeds 3                        both classifiers three times: mean and spread
    python experiments/reproduce.py --data DIR                       your mammograms, with masks of the lesions
    python experiments/reproduce.py --data DDSM --preset thesis --device cuda
    python experiments/reproduce.py --resume                         go on with the newest where it stopped
    python experiments/reproduce.py --resume --seeds 5               and train further seeds, too

In order: the end-to-end classifier, the ten ROI detectors, the decomposition, its retraining, the audit of the thesis's
tables, statistics. Each is a run of its own command in a folder of its own; those that are finished are skipped, an
unfinished one goes on from its last checkpoint. All share the preprocessed images and their split.

Several seeds vary initial weights, batches and dropout of the two classifiers. Images, split and detectors stay those
of --seed, so that all trainings are tested on the same images. The retraining is of the first seed alone.

Data that lack a class, such as a set without normal images, serve for ROI detection alone, and the report says so.
It begins by saying how long all of this will take on this machine. A research and teaching tool, not for diagnosis.
"""
from __future__ import annotations

if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from experiments.system.command import before_imports

    before_imports()

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from experiments.configuration.training import flag
from experiments.inputs.loading import load
from experiments.reproduction.flags import FLAGS, add_reproduction_flags
from experiments.reproduction.report import gather, write_reproduction
from experiments.reproduction.stages import Reproduction
from experiments.runs.beginning import add_run_flags, command_line
from experiments.runs.folder import RunFolder, choose_folder
from experiments.runs.resuming import PLACES, resumed_record
from experiments.system.command import RESUME, run_command
from experiments.system.command_parser import CommandParser
from experiments.system.durations import Parts, in_words, sentence, together
from experiments.system.errors import Failure, UsageError
from experiments.system.files import write_json
from experiments.system.folders import require_apart
from experiments.system.lock import locked
from experiments.system.progress import announce
from experiments.system.stages import Stage, run_stages

EXPERIMENT = "reproduce"


def main(argv: list[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    with begin(arguments) as (folder, configuration):
        run(folder, configuration, arguments)


def run(folder: RunFolder, configuration: dict[str, Any], arguments: argparse.Namespace) -> None:
    running = ["--cache", arguments.cache, "--workers", str(arguments.workers), "--device", arguments.device]
    whole = Reproduction(folder.path, configuration, running, arguments.device)
    stages = [*whole.stages(), Stage("report", lambda: report(folder, whole))]
    require_same_data(folder, whole, arguments)
    keep(folder, configuration)
    started = perf_counter()
    expected = expect(folder.path, stages, lambda: whole.preparing(Path(arguments.cache), arguments.workers))
    run_stages(stages, f"python experiments/reproduce.py --resume --output {folder.path}")
    keep_times(folder, expected, perf_counter() - started)


def parser() -> argparse.ArgumentParser:
    new = CommandParser(__doc__)
    add_reproduction_flags(new)
    add_run_flags(new, "processes that preprocess images, and detectors trained at a time")
    return new


@contextmanager
def begin(arguments: argparse.Namespace) -> Iterator[tuple[RunFolder, dict[str, Any]]]:
    """The folder, which belongs to this command alone as long as the context lasts, and what decides on the results:
    the flags of a new run, those of the run to resume.

    Raises UsageError where a flag is wrong or contradicts the run to resume; the number of seeds may change.
    """
    if arguments.seeds is not None and arguments.seeds < 1:
        raise UsageError(f"--seeds {arguments.seeds}: expected at least 1")
    given = {each.name: getattr(arguments, each.name) for each in FLAGS if getattr(arguments, each.name) is not None}
    given |= {name: str(Path(given[name]).resolve()) for name in ("data", "normals") if name in given}
    new = {"preset": "quick", "seed": 0, "seeds": arguments.seeds or 1} | given
    label = f"{Path(given.get('data', 'synthetic')).name}-{new['preset']}"
    if arguments.output or not arguments.resume:
        require_apart(Path(arguments.output or f"runs/{EXPERIMENT}-..."), given)
    folder = RunFolder(choose_folder(arguments.output, arguments.resume, EXPERIMENT, label))
    if arguments.resume:
        folder.require_begun()
    with locked(folder.path):
        if not arguments.resume:
            folder.require_new()
        yield folder, resumed(folder, given, arguments.seeds) if folder.exists() else new


def resumed(folder: RunFolder, given: dict[str, Any], seeds: int | None) -> dict[str, Any]:
    """The configuration of the run to resume, with the number of seeds as it is to be now."""
    recorded = resumed_record(folder, EXPERIMENT)["configuration"]
    for name in ("seed", "seeds"):
        if type(recorded[name]) is not int:
            raise Failure(f"{folder.config} is damaged: '{name}' is no whole number. Restore it from a copy")
    places = {name: value for name, value in given.items() if name in PLACES and name in recorded}  # of the same data
    for name, value in given.items():
        if recorded.get(name) != value and name not in places:
            raise UsageError(f"{flag(name)} {value}: the run in {folder.path} has {recorded.get(name, 'the default')}. "
                             "Resume without that flag, or start another run")
    return recorded | places | ({} if seeds is None else {"seeds": seeds})


def require_same_data(folder: RunFolder, whole: Reproduction, arguments: argparse.Namespace) -> None:
    """Raises Failure where the data are not those that a stage had, after they have moved."""
    before = folder.record()["configuration"] if folder.exists() else whole.configuration
    if all(before.get(name) == whole.configuration.get(name) for name in PLACES):
        return
    had = {RunFolder(path.parent).record()["data"]["fingerprint"] for path in folder.path.glob("*/config.json")}
    now = load(whole.detectors, Path(arguments.cache), arguments.workers).record["fingerprint"]
    if had - {now}:
        raise Failure(f"--data {whole.configuration['data']}: these are not the data that the run in {folder.path} "
                      "began with (another fingerprint). Name the folder that those have moved to, or start another "
                      "run")


def keep(folder: RunFolder, configuration: dict[str, Any]) -> None:
    """config.json of a new run; in that of a resumed one, the number of seeds as it is now."""
    if folder.exists():
        write_json(folder.config, folder.record() | {"configuration": configuration})
    else:
        folder.create({"experiment": EXPERIMENT, "configuration": configuration, "command": command_line()})


def expect(path: Path, stages: list[Stage], preparing: Callable[[], Parts]) -> dict[str, float]:
    """The seconds that the stages that are not finished will take on this machine, by part; the terminal is told."""
    left = [stage for stage in stages if not stage.finished]
    announce(f"Run folder: {path}\n{len(stages)} stages, {len(stages) - len(left)} of them finished")
    parts = together([preparing() if any(stage.mark for stage in left) else {}, *(stage.seconds() for stage in left)])
    if parts:
        announce(f"This is {sentence(parts)}")
    return parts


def keep_times(folder: RunFolder, expected: dict[str, float], took: float) -> None:
    """Into config.json, for each time that the command came to the end: what it was expected to take, and took."""
    announce(f"It took {in_words(took)}; expected were {in_words(sum(expected.values()))}")
    record = folder.record()
    write_json(folder.config, record | {"times": [*record.get("times", []), {"expected": expected, "took": took}]})


def report(folder: RunFolder, whole: Reproduction) -> None:
    material = gather(folder.path, whole.seeds, whole.missing)
    sentences = write_reproduction(folder.path, folder.record(), material)
    print("\n".join([*sentences, f"Report: {folder.path / 'report.html'}"]))


if __name__ == "__main__":
    run_command(main, RESUME)
