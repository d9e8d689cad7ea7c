"""Class probabilities for new mammograms, by a classifier that end2end.py, decomposition.py or retraining.py trained.

    python experiments/predict.py runs/RUN image.png
    python experiments/predict.py runs/RUN folder '2026/*/*.dcm' --json probabilities.json
    python experiments/predict.py runs/RUN image.png --saliency pictures
    python experiments/predict.py runs/DECOMPOSITION_RUN image.png --overlay pictures
    python experiments/predict.py runs/ROI_RUN/P4-dice folder --masks masks
    python experiments/predict.py runs/DECOMPOSITION_RUN '2026/*/*.dcm' --dicom results

RUN: a run's folder, or the checkpoint in it. Images: PGM, PNG, JPEG, TIFF, DICOM. They are preprocessed as the training
images were. The probabilities need not add up to 1: each answers for its class against the others (A.3.1 ends in
sigmoids). An image that cannot be used is named and the others go on; the JSON file grows with them and is whole at any
moment. A research and teaching tool, not for diagnosis: what the network was trained on stands above the answers.

--saliency draws for each image where a small change of its grey levels would change the predicted class's output most:
where the network looked, not whether it was right. --overlay draws what the five ROI detectors of a decomposition mark.
--masks is for one of the ten detectors of a ROI run: the mask of each image in its own pixels, 255 where it is marked.
Outside the square around the breast that the detectors see, nothing is.

--dicom puts what is said of a DICOM image into its study, as new objects with its patient's and study's identifiers:
the probabilities as a structured report; of a decomposition or a ROI detector the masks, in the image's own pixels, as
a segmentation, and a picture of them. They never replace a file. Each carries the caution.
"""
from __future__ import annotations

if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from experiments.system.command import before_imports

    before_imports()

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from experiments.datasets.images.sizes import add_max_pixels
from experiments.prediction.answers import Answers, Wanted, load_answers
from experiments.prediction.images import find_images
from experiments.prediction.output import PredictionJson, Predictions, readable
from experiments.system.command import run_command
from experiments.system.command_parser import CommandParser
from experiments.system.device import array_module
from experiments.system.errors import Failure, UsageError
from experiments.system.folders import folder_path


def main(argv: list[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    wanted = Wanted(arguments.saliency, arguments.overlay, arguments.masks, arguments.dicom, arguments.max_pixels)
    run(arguments.checkpoint, arguments.images, wanted, arguments.device, arguments.json)


def run(checkpoint: Path, images: Sequence[str], wanted: Wanted, device: str = "cpu", json: Path | None = None) -> None:
    """checkpoint: or the folder of its run; images: files, folders and patterns; json: where to write the answers."""
    array_module(device)  # a missing GPU is known before anything is read
    paths = find_images(images)
    with load_answers(checkpoint, wanted, paths, device) as answers:
        output = PredictionJson(json, Predictions(
            readable(checkpoint), answers.provenance, answers.provenance.sentences))
        try:
            failures = answer_all(answers, paths, output)
        finally:
            output.write()
    if failures:
        raise Failure(f"{failures} of {len(paths)} images could not be used, or not all that was asked for was written")


def answer_all(answers: Answers, paths: Sequence[Path], output: PredictionJson) -> int:
    """Table and JSON, image by image; whatever is wrong with one is told, and the next is next. Returns how many."""
    width = max([5, *(len(readable(path)) for path in paths)])
    failures, begun = 0, False
    for path in paths:
        name, faults = readable(path), []
        try:
            answer = answers.answer(path)
        except Exception as error:  # of any kind: the other images must not be lost
            faults.append(explain(path, error))
        else:
            if not begun:
                say("\n".join([*answers.provenance.sentences, row("image", answers.columns, width)]))
                begun = True
            say(row(name, answer.cells, width))
            output.add(answer.row)
            for write in answer.files:
                try:
                    write()
                except Exception as error:
                    faults.append(explain(path, error))
        for fault in faults:
            with suppress(OSError, ValueError):  # a standard error that is full or closed
                print(f"error: {fault}", file=sys.stderr)
            output.fail(name, fault)
        failures += bool(faults)
    return failures


def explain(path: Path, error: Exception) -> str:
    """Our own errors have the words; those of the system and of libraries get the image's name."""
    if isinstance(error, Failure | UsageError):
        return readable(str(error))
    if isinstance(error, MemoryError):
        return f"{readable(path)}: needs more memory than there is"
    if isinstance(error, OSError):
        return f"{readable(path)}: {error.strerror or error}"
    return f"{readable(path)}: {type(error).__name__}: {error}"


def row(image: str, cells: Sequence[str], width: int) -> str:
    return "  ".join([f"{image:<{width}}", *cells])


def say(text: str) -> None:
    """To standard output, at once, in the characters that it has."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)


def parser() -> argparse.ArgumentParser:
    new = CommandParser(__doc__)
    new.add_argument("checkpoint", metavar="RUN", type=Path, help="folder of a run, or its checkpoint.safetensors")
    new.add_argument("images", metavar="IMAGE", nargs="+",
                     help="PGM, PNG, JPEG, TIFF or DICOM file, a folder of them, or a pattern in quotes: 'a/**/*.png'")
    new.add_argument("--json", metavar="FILE", type=Path, help="write the answers there, too")
    new.add_argument("--saliency", metavar="DIR", type=folder_path,
                     help="draw there, for each image, what its answer depends on")
    new.add_argument("--overlay", metavar="DIR", type=folder_path,
                     help="draw there, for each image, what the ROI detectors mark in it")
    new.add_argument("--masks", metavar="DIR", type=folder_path,
                     help="write there, for each image, the mask that a ROI detector makes")
    new.add_argument("--dicom", metavar="DIR", type=folder_path,
                     help="write there, for each DICOM image, a structured report, a segmentation of what the ROI "
                          "detectors mark, and a picture of it, as DICOM objects of the same study")
    add_max_pixels(new, default=None)
    new.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where to compute (cuda needs CuPy)")
    return new


if __name__ == "__main__":
    run_command(main)
