"""What a ROI detector is: every number of Table 4.4 and what stands behind it, with presets."""
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from experiments.configuration.training import Limit, TrainingConfiguration, setting

LOSSES = ("dice", "ss")  # (3.43) and (3.49)
THRESHOLD = 0.5  # a pixel belongs to the predicted ROI where the network's output is above it


@dataclass(frozen=True, slots=True)
class DetectorConfiguration(TrainingConfiguration):
    """The configuration of ten ROI detectors. The defaults are Table 4.4's: the preset "thesis"."""
    kind: ClassVar[str] = "detector"

    side: int = setting(128, "height and width of images and masks in pixels, a multiple of 2^depth")
    channels: int = setting(64, "of the U-net's first level; each level below has twice as many")
    depth: int = setting(4, "levels below the U-net's first one; each halves the sides")
    steps_per_epoch: int = setting(100, "training steps in an epoch, the unit of the learning rate's decay")
    epochs: int = setting(20, "epochs of training")
    evaluate_every: int = setting(100, "training steps between evaluations on the size group's images")
    checkpoint_every: int = setting(100, "training steps between checkpoints")

    def limits(self) -> list[Limit]:
        smallest = 2 ** max(self.depth, 0)
        return [
            *TrainingConfiguration.limits(self),
            ("channels", 1 <= self.channels <= 1024, "from 1 to 1024"),
            ("depth", 1 <= self.depth <= 8, "from 1 to 8"),
            ("side", self.side >= smallest and self.side % smallest == 0,
             f"a multiple of {smallest}, since --depth {self.depth} halves it as often")]


PRESETS = {
    "thesis": DetectorConfiguration(),
    "quick": DetectorConfiguration(
        preset="quick", side=64, channels=8, depth=3, batch=16, steps_per_epoch=100, epochs=5,
        learning_rate=2e-3, decay=0.7, evaluate_every=50, checkpoint_every=50),
}
