"""Class probabilities for new mammograms, by a classifier that experiments/end2end.py trained.

    python experiments/predict.py runs/RUN/checkpoint.safetensors image.png
    python experiments/predict.py runs/RUN/checkpoint.safetensors folder/*.dcm --json probabilities.json
    python experiments/predict.py runs/RUN/checkpoint.safetensors image.png --saliency pictures

Images: PGM, PNG, JPEG, TIFF, DICOM. They are preprocessed as the training images were. The probabilities need not
add up to 1: each answers for its class against the others (A.3.1 ends in sigmoids). A research and teaching
tool, not for diagnosis.

--saliency draws for each image where a small change of its grey levels would change the predicted class's output most:
where the network looked, not whether it was right.
"""
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from engine.checkpoint import CheckpointError, load_checkpoint, restore, to_numpy
from engine.layer import Layer
from experiments.classifier import build
from experiments.command import run_command
from experiments.configuration import Configuration
from experiments.datasets.images import read_image
from experiments.device import array_module
from experiments.errors import Failure, UsageError
from experiments.preprocessing import Preprocessing, preprocess
from experiments.reporting.figures import saliency_figure
from experiments.reporting.files import write_bytes, write_json
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
    network, configuration = load_classifier(Path(arguments.checkpoint))
    network.convert(xp.asarray)
    paths = list(map(Path, arguments.images))
    saliency_pictures = arguments.saliency and Pictures(Path(arguments.saliency), "saliency", paths)
    predictions, failures = [], 0
    for path in paths:
        try:
            x = prepare_image(path, configuration)
        except Failure as error:
            print(f"error: {error}", file=sys.stderr)
            failures += 1
            continue
        values = to_numpy(predict(network, xp.asarray(x))[0])[0].tolist()
        classes = configuration.class_names
        prediction = Prediction(str(path), dict(zip(classes, values, strict=True)), classes[int(np.argmax(values))])
        predictions.append(prediction)
        if saliency_pictures:
            answer = classes.index(prediction.prediction)
            gradient = to_numpy(saliency(network, xp.asarray(x), [answer]))[0]
            saliency_pictures.write(path, saliency_figure(x[0, ..., 0], gradient, prediction.prediction,
                                                          prediction.title))
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
    new.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where to compute (cuda needs CuPy)")
    return new


def load_classifier(path: Path) -> tuple[Layer, Configuration]:
    """The network that a checkpoint holds, and the configuration it was trained with.

    Raises UsageError where there is no such file or it holds no classifier of this project.
    """
    try:
        checkpoint = load_checkpoint(path)
        configuration = Configuration(**checkpoint.configuration)
        network = build(configuration)
        restore(checkpoint, network)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such checkpoint") from None
    except (CheckpointError, TypeError) as error:
        raise UsageError(f"{path} is no checkpoint of experiments/end2end.py: {error}") from error
    return network, configuration


def prepare_image(path: Path, configuration: Configuration) -> np.ndarray:
    """(1, side, side, 1) float32 in [0, 1], as in training."""
    preprocessing = Preprocessing(configuration.side, configuration.working_side, configuration.clip_limit)
    return preprocess(read_image(path), None, preprocessing, str(path)).image[None, :, :, None]


def table(predictions: list[Prediction]) -> str:
    """At least one prediction, one line an image: its probabilities and the class with the highest."""
    width = max([5, *(len(each.image) for each in predictions)])
    lines = ["  ".join([f"{'image':<{width}}", *(f"{name:>7}" for name in predictions[0].probabilities), "prediction"])]
    lines += ["  ".join([f"{each.image:<{width}}", *(f"{value:7.4f}" for value in each.probabilities.values()),
                         each.prediction]) for each in predictions]
    return "\n".join(lines)


if __name__ == "__main__":
    run_command(main)
