"""What one row of a table counts: an image, a breast or a patient."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

IMAGE, BREAST, PATIENT = KINDS = ("image", "breast", "patient")
MEAN, MAXIMUM = OVER = ("mean", "maximum")


@dataclass(frozen=True, slots=True)
class Unit:
    """kind  what is answered for: the image, the breast or the patient
    over  how the outputs for the images of one become its own, see `aggregation`; None of images
    """
    kind: Literal["image", "breast", "patient"] = "image"
    over: Literal["mean", "maximum"] | None = None

    def __post_init__(self) -> None:
        if (self.over is None) != (self.kind == IMAGE):
            raise ValueError(f"unit {self.kind}, over {self.over}: expected a breast or a patient with one of "
                             f"{', '.join(OVER)}, or an image without")

    @property
    def plural(self) -> str:
        """images, breasts, patients."""
        return f"{self.kind}s"

    @property
    def described(self) -> str:
        """For captions: "images", or "breasts (maximum over their images)"."""
        return self.plural if self.over is None else f"{self.plural} ({self.over} over their images)"

    def counted(self, units: int, patients: int, how: bool = True) -> str:
        """"44 images of 22 patients", "22 patients (mean over their images)"; without `how`, "22 patients"."""
        whose = "" if self.kind == PATIENT else f" of {patients} patients"
        return f"{units} {self.described if how and not whose else self.plural}{whose}" + (
            f" ({self.over} over their images)" if how and whose and self.over else "")


IMAGES = Unit()
