"""What the training of a classifier is expected to take."""
from __future__ import annotations

from experiments.classifiers import svm
from experiments.classifiers.heads import PART
from experiments.classifiers.network import build
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.runs.speed import TEST, evaluations, seconds_per_image, seconds_per_step
from experiments.system.device import placed
from experiments.system.durations import Parts
from models.vgg import FEATURES, scaled


def of_classifier(configuration: ClassifierConfiguration, device: str, images: int, done: int = 0, ranks: int = 1
                  ) -> Parts:
    """Training from step `done` on, by so many ranks, evaluations and, where one is asked for, a support vector
    machine. images: of both splits."""
    network, channels = placed(build(configuration), device), configuration.channels
    total, image = configuration.total_steps, seconds_per_image(network, configuration.side, channels)
    looks = evaluations(total, done, configuration.evaluate_every)
    found = {"training": (total - done) * seconds_per_step(network, configuration, channels, ranks),
             "evaluating": (looks * TEST + 1) * images * image}
    if configuration.head == "svm":
        learned = int(images * (1 - TEST) * (1 - configuration.validation))
        found[PART] = images * image + svm.seconds(learned, scaled(FEATURES[-1], configuration.width))
    return found
