"""What a decomposition run is: Table 4.5, and which detectors' masks are merged with the mammogram."""
from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

from experiments.configuration import classifier
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.configuration.detector import LOSSES, THRESHOLD
from experiments.configuration.training import Limit, setting


@dataclass(frozen=True, slots=True)
class DecompositionConfiguration(ClassifierConfiguration):
    """The configuration of a decomposition run. The defaults are Table 4.5's: but for the channels, Table 4.1's."""
    kind: ClassVar[str] = "decomposition"
    channels: ClassVar[int] = 2

    loss: str = setting("dice", "that the ROI detectors were trained by: dice (3.43) or ss (3.49)", LOSSES)
    threshold: float = setting(THRESHOLD, "on a detector's output, above which a pixel is marked")

    def limits(self) -> list[Limit]:
        return [
            *ClassifierConfiguration.limits(self),
            ("loss", self.loss in LOSSES, " or ".join(LOSSES)),
            ("threshold", 0 <= self.threshold < 1, "a number from 0, below 1, since the outputs lie between 0 and 1")]


PRESETS = {name: DecompositionConfiguration(**asdict(preset)) for name, preset in classifier.PRESETS.items()}
