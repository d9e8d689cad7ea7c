"""A classifier on another set: its outputs there, and everything measured, beside its own test set."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from experiments.classifiers.network import probabilities
from experiments.classifiers.trained import TrainedClassifier, load_classifier
from experiments.configuration.decomposition import DecompositionConfiguration
from experiments.detectors.heat_maps import heat_maps
from experiments.evaluating.other import OtherSet
from experiments.evaluating.record import TransferredClassifier
from experiments.evaluating.run import EvaluatedRun
from experiments.evaluation import Evaluation, evaluate_predictions
from experiments.evaluation.aggregation import by_unit
from experiments.evaluation.cancer import CancerMeasures, cancer_measures
from experiments.evaluation.operating_point import operating_point
from experiments.evaluation.predictions import ImagePredictions, predictions_of, read_predictions
from experiments.evaluation.unit import Unit
from experiments.evaluation.unpaired import Figure, UnpairedDifference, unpaired
from experiments.inputs.image_set import ImageSet
from experiments.inputs.loading import DataRecord
from experiments.inputs.merged import MergedSet
from experiments.reporting.expected import of_classification_report
from experiments.runs.speed import seconds_per_image
from experiments.system.durations import Parts
from experiments.system.errors import Failure
from experiments.system.machine import Machine

OWN, OTHER, VALIDATION = "own", "other", "validation"


def load(run: EvaluatedRun, device: str) -> TrainedClassifier:
    return load_classifier(run.folder.checkpoint, device, run.checkpoint(run.folder))


def expected(classifier: TrainedClassifier, images: int) -> Parts:
    """The seconds that the outputs for so many images, with those of a decomposition's detectors, and the report
    take."""
    side, channels = classifier.configuration.side, classifier.configuration.channels
    image = seconds_per_image(classifier.network, side, channels) + sum(
        seconds_per_image(each, side) for each in (classifier.detectors.networks if classifier.detectors else ()))
    return {"evaluating": images * image, **of_classification_report()}


def images_seen(classifier: TrainedClassifier, other: OtherSet, machine: Machine) -> ImageSet:
    """The other set's images with all channels that the network is given."""
    prepared, side = other.prepared, classifier.configuration.side
    if isinstance(classifier.configuration, DecompositionConfiguration):
        assert classifier.detectors is not None
        return MergedSet(prepared, heat_maps(classifier.detectors, prepared, machine.cache))
    if classifier.configuration.channels == 1:
        return prepared
    return MergedSet(prepared, np.broadcast_to(np.uint8(0), (len(prepared), side, side)))


def answers(classifier: TrainedClassifier, seen: ImageSet, other: OtherSet) -> ImagePredictions:
    """Raises Failure where an output is not a finite number."""
    outputs = probabilities(classifier.network, seen, other.kept, progress=True)
    return predictions_of(other.prepared, other.kept, outputs)


def own_answers(run: EvaluatedRun) -> dict[str, ImagePredictions]:
    """Of the run's own images, "test" among them, as its predictions.csv has them."""
    path = run.folder.path / "predictions.csv"
    listed = read_predictions(path)
    if "test" not in listed or listed["test"].classes != run.configuration.class_names:
        raise Failure(f"{path}: expected the outputs for {', '.join(run.configuration.class_names)} on test images. "
                      "Restore it from a copy, or train another run")
    return listed


def in_units(own: Mapping[str, ImagePredictions], other: ImagePredictions, unit: Unit, name: str
             ) -> dict[str, ImagePredictions]:
    """OWN, the run's test set, OTHER, and where the run held out images VALIDATION. own: by split; name: of the other
    set. Raises Failure where the unit is the breast and it is not known which an image shows."""
    images = {OWN: own["test"], OTHER: other, **({VALIDATION: own[VALIDATION]} if VALIDATION in own else {})}
    places = {OWN: "the run's own test set", OTHER: f"the other set, {name}", VALIDATION: "the validation images"}
    return {each: _of_unit(of, unit, places[each]) for each, of in images.items()}


def transfer(given: Mapping[str, ImagePredictions], data: DataRecord) -> TransferredClassifier:
    """given: as of `in_units`; data: the other set."""
    point = operating_point(given[VALIDATION]) if VALIDATION in given else None
    found = {name: evaluate_predictions(given[name]) for name in (OWN, OTHER)}
    cancer = {name: cancer_measures(given[name], point) for name in (OWN, OTHER)}
    return TransferredClassifier(found[OWN], found[OTHER], cancer, differences(found, cancer), point, data)


def differences(found: Mapping[str, Evaluation], cancer: Mapping[str, CancerMeasures]
                ) -> dict[str, dict[str, UnpairedDifference]]:
    """Of every figure that has an interval: by metric, then by class and "mean", or "cancer" alone."""
    own, other = found[OWN], found[OTHER]
    by_metric = {metric: {name: unpaired(Figure(own.metrics[metric][name], own.intervals[metric][name]),
                                         Figure(other.metrics[metric][name], other.intervals[metric][name]))
                          for name in own.metrics[metric]} for metric in own.intervals}
    plain = unpaired(*(Figure(each.plain_accuracy, each.plain_accuracy_ci) for each in (own, other)))
    partial = unpaired(*(Figure(cancer[name].partial_auroc, cancer[name].partial_auroc_ci) for name in (OWN, OTHER)))
    at_point = {name: each.realised for name, each in cancer.items()}
    realised = {}
    if (here := at_point[OWN]) is not None and (there := at_point[OTHER]) is not None:
        realised = {"sensitivity": {"cancer": unpaired(Figure(here.sensitivity, here.sensitivity_ci),
                                                       Figure(there.sensitivity, there.sensitivity_ci))},
                    "specificity": {"cancer": unpaired(Figure(here.specificity, here.specificity_ci),
                                                       Figure(there.specificity, there.specificity_ci))}}
    return {**by_metric, "plain_accuracy": {"mean": plain}, "partial_auroc": {"cancer": partial}, **realised}


def _of_unit(predictions: ImagePredictions, unit: Unit, which: str) -> ImagePredictions:
    try:
        return by_unit(predictions, unit)
    except Failure as error:
        raise Failure(f"{which}: {error}") from error
