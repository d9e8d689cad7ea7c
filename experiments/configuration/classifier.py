"""What a run of a classifier is: every number of Table 4.1, with presets."""
from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

from experiments.configuration.training import Limit, TrainingConfiguration, setting

HEADS = ("network", "svm")


@dataclass(frozen=True, slots=True)
class ClassifierConfiguration(TrainingConfiguration):
    """The configuration of an end-to-end run. The defaults are Table 4.1's: the preset "thesis".

    channels: of the network's input; 1, the mammogram.
    """
    kind: ClassVar[str] = "classifier"
    channels: ClassVar[int] = 1

    side: int = setting(128, "height and width of the network's input in pixels, a multiple of 32")
    width: float = setting(1.0, "multiplies the channels and features of every layer of the VGG")
    keep_probability: float = setting(0.5, "of the dropout behind the dense layers")
    head: str = setting("network", "what answers by the VGG's features: network, its own last layer; svm, a support "
                        "vector machine is measured beside that", HEADS)

    def limits(self) -> list[Limit]:
        return [
            *TrainingConfiguration.limits(self),
            ("side", self.side >= 32 and self.side % 32 == 0, "a multiple of 32, since five poolings halve it"),
            ("width", 0 < self.width <= 16, "a number above 0, at most 16"),
            ("keep_probability", 0 < self.keep_probability <= 1, "a number above 0, at most 1"),
            ("head", self.head in HEADS, " or ".join(HEADS))]


@dataclass(frozen=True, slots=True)
class RetrainingConfiguration(ClassifierConfiguration):
    """The configuration of a retraining: of a decomposition's classifier, whose second channel is empty now."""
    kind: ClassVar[str] = "retraining"
    channels: ClassVar[int] = 2


PRESETS = {
    "thesis": ClassifierConfiguration(),
    "quick": ClassifierConfiguration(
        preset="quick", side=64, width=0.25, batch=32, steps_per_epoch=100, epochs=9,
        learning_rate=1e-3, schedule="cosine", keep_probability=0.8, evaluate_every=300, checkpoint_every=50),
}
RETRAINING_PRESETS = {name: RetrainingConfiguration(**asdict(preset)) for name, preset in PRESETS.items()}
