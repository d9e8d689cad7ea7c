"""Classes from BI-RADS assessments, for sets that tell what a radiologist saw and not what a pathologist found."""
from __future__ import annotations

from dataclasses import dataclass

from experiments.datasets.choices import BIRADS
from experiments.datasets.mammogram import CLASSES
from experiments.system.errors import UsageError

ASSESSMENTS = ("0", "1", "2", "3", "4", "4a", "4b", "4c", "5", "6")


@dataclass(frozen=True, slots=True)
class BiradsClasses:
    """Assessment -> class, for example "4a" -> "cancer"; assessments that stand in none are left out by the readers."""
    classes: dict[str, str]

    @classmethod
    def parse(cls, text: str) -> BiradsClasses:
        """From for example "normal=1 benign=2,3 cancer=4,4a,4b,4c,5,6".

        Raises UsageError for an unknown class or assessment, and one that stands twice.
        """
        found: dict[str, str] = {}
        for part in text.split():
            name, _, assessments = part.partition("=")
            for each in assessments.lower().split(","):
                if name not in CLASSES or each not in ASSESSMENTS or each in found:
                    raise UsageError(f"--birads {text!r}: cannot understand {part!r}; expected for example "
                                     f"{BIRADS!r}, each of {', '.join(ASSESSMENTS)} at most once")
                found[each] = name
        if not found:
            raise UsageError(f"--birads {text!r}: expected for example {BIRADS!r}")
        return cls(found)

    def label(self, assessment: str) -> str | None:
        """The class of for example "4a", "4A", "BI-RADS 4"; None where it stands in none."""
        return self.classes.get(assessment.lower().removeprefix("bi-rads").strip())

    @property
    def note(self) -> str:
        """The sentence that whoever reads a result must know."""
        told = "; ".join(f"{name} {', '.join(each for each, other in self.classes.items() if other == name)}"
                         for name in CLASSES if name in self.classes.values())
        return f"The classes are BI-RADS assessments, not pathology: {told} (--birads)."
