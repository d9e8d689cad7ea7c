"""What a person chooses of a data set beside its folder."""
from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields

from experiments.datasets.images.sizes import MAX_PIXELS
from experiments.system.errors import UsageError

LOW_ENERGY, SUBTRACTED, BOTH = VIEWS = ("low-energy", "subtracted", "both")
BIRADS = "normal=1 benign=2,3 cancer=4,4a,4b,4c,5,6"


@dataclass(frozen=True, slots=True)
class Choices:
    """max_pixels   the most that an image may have
    views        which images of a contrast-enhanced examination (CDD-CESM): one of `VIEWS`
    birads       which BI-RADS assessments make a class, where a set has no pathology (see `birads.BiradsClasses`)

    A reader honours max_pixels and those that it names in its `TAKES`.
    """
    max_pixels: int = MAX_PIXELS
    views: str = LOW_ENERGY
    birads: str = BIRADS

    def require_taken(self, taken: Collection[str], sets: str) -> None:
        """Raises UsageError where one was chosen that the data sets know nothing of: it would change nothing."""
        for entry in fields(self):
            value = getattr(self, entry.name)
            if entry.name not in ("max_pixels", *taken) and value != entry.default:
                raise UsageError(f"--{entry.name} {value}: {sets} has nothing that it could choose. Leave it out")


DEFAULT = Choices()
