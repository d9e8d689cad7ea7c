"""What every training is: the settings that classifiers and ROI detectors have in common."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, TypeVar, get_args

from engine.kernels.cuda.precision import Precision
from engine.optimizers import cosine_decay, exponential_decay
from experiments.datasets.birads import BiradsClasses
from experiments.datasets.choices import BIRADS, LOW_ENERGY, VIEWS
from experiments.datasets.images.sizes import MAX_PIXELS
from experiments.datasets.mammogram import CLASSES_OF
from experiments.system.errors import UsageError

MOST = 2**53  # of a whole number; no step, seed or side is larger
STATISTICS = ("batch", "moving")
SCHEDULES = ("exponential", "cosine")
PRECISIONS = get_args(Precision)
PLACES = ("data", "normals")  # settings that name folders: what is in them, its fingerprint says
Limit = tuple[str, bool, str]  # name of a number, whether it is as it must be, what was expected


def setting(default: Any, help: str, choices: Sequence[Any] | None = None) -> Any:
    """A field of the configuration; help: what --help says of its flag; choices: all values that it can have."""
    return field(default=default, metadata={"help": help, "choices": choices})


@dataclass(frozen=True, slots=True)
class TrainingConfiguration:
    """What classifiers and ROI detectors have in common. The defaults are those of the preset "thesis".

    kind: the word that stands for the class in files.
    """
    kind: ClassVar[str]

    preset: str = "thesis"
    data: str | None = None
    normals: str | None = None
    classes: int = setting(3, "3: cancer, normal and benign; 2: cancer and benign, normal images are left out",
                           tuple(CLASSES_OF))
    validation: float = setting(0.0, "share of the training images, by patient, that is held out of training, to "
                                "choose an operating point on; 0: none")
    seed: int = setting(0, "of everything random: synthetic images, split, initial weights, batches, dropout")
    side: int = setting(128, "height and width of the network's input in pixels")
    working_side: int = setting(1024, "pixels a side at which contrast is enhanced; quick with drawn images: 256")
    clip_limit: float = setting(0.02, "of the contrast limited histogram equalization (CLAHE)")
    batch: int = setting(50, "images in a training step")
    steps_per_epoch: int = setting(5000, "training steps in an epoch, the unit of the learning rate's decay")
    epochs: int = setting(10, "epochs of training")
    learning_rate: float = setting(5e-5, "learning rate of Adam, before it falls")
    schedule: str = setting("exponential", "how the learning rate falls: exponential, by --decay, or cosine, after a "
                            "short rise to a hundredth in --epochs", SCHEDULES)
    decay: float = setting(0.75, "factor on the learning rate for each epoch, continuous in the step (3.17)")
    rotation: float = setting(5.0, "training images are rotated by up to so many degrees")
    statistics: str = setting("batch", "what batch norm normalizes by in training: batch, or moving as in (3.33)",
                              STATISTICS)
    bias: float = setting(0.0, "initial bias of every layer")
    precision: Precision = setting(  # noqa: RUF009, it does not know that the alias is of strings
        "fp32", "of products and convolutions on a GPU: fp32, or tf32 on its tensor cores; a CPU computes in fp32",
        PRECISIONS)
    recompute: bool = setting(False, "keep less of a training step: half of its memory for 1.4 times its time")
    evaluate_every: int = setting(5000, "training steps between evaluations")
    checkpoint_every: int = setting(500, "training steps between checkpoints")
    steps: int | None = None
    training_seed: int | None = None
    max_pixels: int = MAX_PIXELS
    views: str = LOW_ENERGY
    birads: str = BIRADS

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, float) and not math.isfinite(value):
                raise UsageError(f"{flag(entry.name)} {value}: expected a finite number")
            if isinstance(value, int) and value > MOST:
                raise UsageError(f"{flag(entry.name)}: expected at most {MOST}")
        BiradsClasses.parse(self.birads)
        for name, fits, expected in self.limits():
            if not fits:
                raise UsageError(f"{flag(name)} {getattr(self, name)}: expected {expected}")

    def limits(self) -> list[Limit]:
        return [
            ("classes", self.classes in CLASSES_OF, "2 or 3"),
            ("normals", self.normals is None or (self.data is not None and self.classes == 3),
             "--data DIR beside it, whose images it adds to, and three classes"),
            ("validation", 0 <= self.validation <= 0.5, "a share from 0 to 0.5 of the training images"),
            ("batch", self.batch >= 2, "at least 2, since batch norm compares the images of a batch"),
            ("steps_per_epoch", self.steps_per_epoch >= 1, "at least 1"),
            ("epochs", self.epochs >= 1, "at least 1"),
            ("learning_rate", self.learning_rate > 0, "a number above 0"),
            ("decay", 0 < self.decay <= 1, "a number above 0, at most 1"),
            ("rotation", 0 <= self.rotation <= 180, "degrees from 0 to 180"),
            ("views", self.views in VIEWS, " or ".join(VIEWS)),
            ("schedule", self.schedule in SCHEDULES, " or ".join(SCHEDULES)),
            ("precision", self.precision in PRECISIONS, " or ".join(PRECISIONS)),
            ("statistics", self.statistics in STATISTICS, " or ".join(STATISTICS)),
            ("evaluate_every", self.evaluate_every >= 1, "at least 1"),
            ("checkpoint_every", self.checkpoint_every >= 1, "at least 1"),
            ("steps", self.steps is None or self.steps >= 1, "at least 1"),
            ("seed", self.seed >= 0, "0 or a positive whole number"),
            ("training_seed", self.training_seed is None or self.training_seed >= 0, "0 or a positive whole number")]

    def record(self) -> dict[str, Any]:
        """As a JSON object; `recorded.recorded_configuration` reads it."""
        return {"kind": self.kind, **asdict(self)}

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the network's outputs."""
        return CLASSES_OF[self.classes]

    @property
    def drawn_by(self) -> int:
        """The seed of initial weights, batches and dropout; `seed` alone decides on images and split."""
        return self.seed if self.training_seed is None else self.training_seed

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 1. --steps makes a training shorter or longer, not its rate's fall:
        so a run that is trained on ends as a longer one does."""
        if self.schedule == "cosine":
            return cosine_decay(self.learning_rate, step, self.steps_per_epoch * self.epochs)
        return exponential_decay(self.learning_rate, self.decay, step, self.steps_per_epoch)

    @property
    def total_steps(self) -> int:
        return self.steps_per_epoch * self.epochs if self.steps is None else self.steps


Kind = TypeVar("Kind", bound=TrainingConfiguration)


def flag(name: str) -> str:
    return "--" + name.replace("_", "-")
