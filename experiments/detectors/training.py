"""One of the ten trainings of 4.3, as a worker process makes it: everything it needs comes with the task."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.layer import Layer
from engine.training import Step
from experiments.configuration.detector import THRESHOLD, DetectorConfiguration
from experiments.detectors.evolution import Evolution, is_snapshot
from experiments.detectors.finding import find
from experiments.detectors.network import LOSS_FUNCTIONS, ON_LOGITS, build, detector_name, probabilities
from experiments.evaluation.metrics import Counts
from experiments.evaluation.segmentation import DetectorResults, overlap_accuracy, pixel_counts, summary
from experiments.inputs.batches import MaskBatches
from experiments.inputs.image_set import PreparedSet
from experiments.inputs.size_groups import GROUPS, SizeGroups
from experiments.runs.board import samples_picture, spread_over
from experiments.runs.claim import Claim, alone
from experiments.runs.fitting import fit
from experiments.runs.folder import RunFolder
from experiments.runs.log import Measures
from experiments.runs.provenance import trained_on
from experiments.runs.record import PartRecord
from experiments.runs.resuming import PART
from experiments.system.device import placed
from experiments.system.pickled import Pickled
from experiments.system.ranks import ProcessRanks
from experiments.system.records import write_record
from experiments.system.versions import now, versions

MEASURES = ("loss", "accuracy", "precision", "recall", "overlap_accuracy")  # the rows of Figure 4.3
TRAIN_SAMPLE = 200  # training images of a larger group that are evaluated while training goes on, the same every time


@dataclass(frozen=True, slots=True)
class DetectorTask:
    """What one detector is trained on, and where; can be pickled. claim: on the folder of the whole run; prepared: the
    images, which all detectors share; tensorboard: whether its folder gets a file of events; ranks: that train it with
    this process: then it cannot be pickled."""
    group: str
    loss: str
    claim: Claim
    configuration: DetectorConfiguration
    prepared: Pickled[PreparedSet]
    groups: SizeGroups
    device: str
    tensorboard: bool = False
    ranks: ProcessRanks | None = None

    @property
    def name(self) -> str:
        return detector_name(self.group, self.loss)

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.claim.path.parent / self.name)

    @property
    def results(self) -> Path:
        """Written last: the mark of a finished detector."""
        return self.folder.path / "results.json"

    @property
    def train(self) -> np.ndarray:
        return self.groups.train[GROUPS.index(self.group)]

    @property
    def test(self) -> np.ndarray:
        return self.groups.test[GROUPS.index(self.group)]

    def steps_done(self) -> int:
        """As far as it is logged: every tenth step."""
        if self.results.exists():
            return self.configuration.total_steps
        return max((entry.step for entry in self.folder.history()), default=0)


@alone
def train_detector(task: DetectorTask) -> None:
    """Train from the last checkpoint on, then evaluate on the group and on the complete data set.

    Raises Failure as `fit` does, and where the run's folder belongs to another command by now.
    """
    task.claim.check()
    configuration, folder, prepared = task.configuration, task.folder, task.prepared.load()
    if not folder.exists():
        folder.create(PartRecord(PART, task.group, task.loss, configuration.record(), now(), versions()))
    network = placed(build(configuration), task.device)

    def measured(indices: np.ndarray) -> Measures:
        task.claim.check()  # a run that is given up ends here, too, not only with its next step
        return measure(network, task.loss, prepared, indices, configuration.batch)

    while_training = {"train": sample(task.train), "test": task.test}
    batches = MaskBatches(prepared, task.train, configuration.batch, configuration.drawn_by,
                          configuration.rotation)
    fit(network, ON_LOGITS[task.loss], batches, configuration, folder,
        lambda: {split: measured(indices) for split, indices in while_training.items()},
        trained_on(RunFolder(task.claim.path.parent).record(), task.name),
        lambda start, total: _watched(task, prepared, network, total),
        picture=_picture(task, prepared, network) if task.tensorboard else None, ranks=task.ranks)
    found = find(network, prepared, dict(zip(GROUPS, task.groups.test, strict=True)), task.groups.normal,
                 configuration.batch)
    results = DetectorResults(
        group={"train": measured(task.train), "test": measured(task.test)},
        complete={"train": measured(task.groups.all_train), "test": measured(task.groups.all_test)},
        sizes=found.sizes, froc=found.froc)
    task.claim.check()
    write_record(task.results, results)


def measure(network: Layer, loss: str, prepared: PreparedSet, indices: np.ndarray, batch: int
            ) -> Measures:
    """Figure 4.3's measures of a network on the images at `indices`, a batch of them in memory at a time.

    loss, the mean over the batches; accuracy, precision and recall of all pixels together; overlap_accuracy, the share
    of images for which (4.1) is 1. None where undefined: 0/0, or no images.
    """
    if not len(indices):
        return dict.fromkeys(MEASURES)
    none = np.zeros((), np.int64)
    counts, losses, found = Counts(none, none, none, none), 0.0, 0.0
    for start in range(0, len(indices), batch):
        chosen = indices[start:start + batch]
        images, masks = prepared.images_and_masks(chosen)
        answers = probabilities(network, images)
        losses += len(chosen) * float(LOSS_FUNCTIONS[loss](answers, masks)[0])
        predicted, annotated = answers > THRESHOLD, masks > 0
        counts += pixel_counts(predicted, annotated)
        found += float(overlap_accuracy(predicted, annotated).sum())
    return {"loss": losses / len(indices), **summary(counts), "overlap_accuracy": found / len(indices)}


def sample(indices: np.ndarray) -> np.ndarray:
    """At most TRAIN_SAMPLE of them, evenly spread."""
    if len(indices) <= TRAIN_SAMPLE:
        return indices
    return indices[np.linspace(0, len(indices) - 1, TRAIN_SAMPLE).round().astype(int)]


def typical(task: DetectorTask) -> int:
    """The test image whose annotation is nearest in size to the group's middle one: of the group, if that has any."""
    candidates = task.test if len(task.test) else task.groups.all_test
    sizes = task.groups.sizes[candidates]
    return int(candidates[np.argmin(abs(sizes - np.median(sizes)))])


def _picture(task: DetectorTask, prepared: PreparedSet, network: Layer) -> Callable[[], np.ndarray]:
    """For TensorBoard: some of the test images with their annotations, above what the network answers."""
    images, masks = prepared.images_and_masks(spread_over(task.test if len(task.test) else task.groups.all_test))
    return lambda: samples_picture(images[..., 0], masks[..., 0] > 0, [probabilities(network, images)[..., 0]])


@contextmanager
def _watched(task: DetectorTask, prepared: PreparedSet, network: Layer, total: int
             ) -> Iterator[Callable[[Step], None]]:
    """Looks after every step whether the run is still ours, and keeps what Figure A.2 shows."""
    shown = typical(task)
    image, masks = prepared.images_and_masks([shown])
    evolution = Evolution(task.folder.path / "evolution.npz", image[0, ..., 0], masks[0, ..., 0] > 0)

    def look(step: Step) -> None:
        if is_snapshot(step.number, total):
            evolution.record(step.number, probabilities(network, image)[0, ..., 0])
        task.claim.check()

    yield look
