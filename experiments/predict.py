"""Class probabilities for new mammograms, by a classifier that end2end.py, decomposition.py or retraining.py trained.

    python experiments/predict.py runs/RUN/checkpoint.safetensors image.png
    python experiments/predict.py runs/RUN/checkpoint.safetensors folder/*.dcm --json probabilities.json
    python experiments/predict.py runs/RUN/checkpoint.safetensors image.png --saliency pictures
    python experiments/predict.py runs/DECOMPOSITION_RUN/checkpoint.safetensors image.png --overlay pictures

Images: PGM, PNG, JPEG, TIFF, DICOM. They are preprocessed as the training images were. The probabilities need not add
up to 1: each answers for its class against the others (A.3.1 ends in sigmoids). A research and teaching tool, not for
diagnosis.

--saliency draws for each image where a small change of its grey levels would change the predicted class's output most:
where the network looked, not whether it was right. --overlay draws what the five ROI detectors of a decomposition mark.
"""
from __future__ import annotations

if __name__ == "__main__":
    from experiments.command import before_imports

    before_imports()

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from engine.checkpoint import to_numpy
from experiments.command import run_command
from experiments.device import array_module
from experiments.errors import Failure, UsageError
from experiments.reporting.figures import overlay_figure, saliency_figure
from experiments.reporting.files import write_bytes, write_json
from experiments.trained_classifier import load_classifier
from models.predict import predict
from models.saliency import saliency


@dataclass(frozen=True)
class Prediction:
    """What the classifier says of one image."""
    image: str
    probabilities: dict[str, float]
    prediction: str

    @property
    def title(self) -> str:
        """Of a picture: the file's name and the probabilities."""
        values = ", ".join(f"{name} {value:.2f}" for name, value in self.probabilities.items())
        return f"{Path(self.image).name}: {values}"


class Pictures:
    """One PNG file for each image: FOLDER/NAME.kind.png, in subfolders as the images are, so that equal names in two
    folders stay apart. Raises UsageError where the folder is none."""

    def __init__(self, folder: Path, kind: str, images: Sequence[Path]) -> None:
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"--{kind} {folder}: is not a folder; the pictures are written into one")
        self.folder, self.kind = folder, kind
        self.root = os.path.commonpath([os.path.dirname(os.path.abspath(image)) for image in images])

    def write(self, image: Path, data: bytes) -> None:
        write_bytes(self.folder / f"{os.path.relpath(os.path.abspath(image), self.root)}.{self.kind}.png", data)


def main(argv: list[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    xp = array_module(arguments.device)
    classifier = load_classifier(Path(arguments.checkpoint), arguments.device)
    if arguments.overlay and classifier.detectors is None:
        raise UsageError(f"--overlay: {arguments.checkpoint} has no ROI detectors; that of a run of "
                         "experiments/decomposition.py is needed")
    classes = classifier.configuration.class_names
    paths = list(map(Path, arguments.images))
    saliencies = Pictures(Path(arguments.saliency), "saliency", paths) if arguments.saliency else None
    overlays = Pictures(Path(arguments.overlay), "overlay", paths) if arguments.overlay else None
    predictions, failures = [], 0
    for path in paths:
        try:
            x = classifier.input(classifier.prepare(path))
        except Failure as error:
            print(f"error: {error}", file=sys.stderr)
            failures += 1
            continue
        values = to_numpy(predict(classifier.network, xp.asarray(x))[0])[0].tolist()
        answer = int(np.argmax(values))
        prediction = Prediction(str(path), dict(zip(classes, values, strict=True)), classes[answer])
        predictions.append(prediction)
        if saliencies:
            gradient = to_numpy(saliency(classifier.network, xp.asarray(x), [answer]))[0]
            saliencies.write(path, saliency_figure(x[0, ..., 0], gradient, prediction.prediction, prediction.title))
        if overlays:
            overlays.write(path, overlay_figure(x[0, ..., 0], x[0, ..., 1], prediction.title))
    if predictions:
        print(table(predictions))
    if arguments.json:
        write_json(Path(arguments.json), {"checkpoint": arguments.checkpoint, "images": list(map(asdict, predictions))})
    if failures:
        raise Failure(f"{failures} of {len(arguments.images)} images could not be used")


def parser() -> argparse.ArgumentParser:
    new = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    new.add_argument("checkpoint", metavar="CHECKPOINT", help="checkpoint.safetensors of a run")
    new.add_argument("images", metavar="IMAGE", nargs="+", help="PGM, PNG, JPEG, TIFF or DICOM file")
    new.add_argument("--json", metavar="FILE", help="write the probabilities there, too")
    new.add_argument("--saliency", metavar="DIR", help="draw there, for each image, what its answer depends on")
    new.add_argument("--overlay", metavar="DIR", help="draw there, for each image, what the ROI detectors mark in it")
    new.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where to compute (cuda needs CuPy)")
    return new


def table(predictions: list[Prediction]) -> str:
    """At least one prediction, one line an image: its probabilities and the class with the highest."""
    width = max([5, *(len(each.image) for each in predictions)])
    lines = ["  ".join([f"{'image':<{width}}", *(f"{name:>7}" for name in predictions[0].probabilities), "prediction"])]
    lines += ["  ".join([f"{each.image:<{width}}", *(f"{value:7.4f}" for value in each.probabilities.values()),
                         each.prediction]) for each in predictions]
    return "\n".join(lines)


if __name__ == "__main__":
    run_command(main)
