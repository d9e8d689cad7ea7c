"""What an erratum is: two forms of one thing, and one check that both are put to."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.random import Generator, default_rng

Form = Callable[..., Any]


@dataclass(frozen=True)
class Outcome:
    """What a check measured of one form.

    deviation   how far the form is from what the check demands; nan and infinity are further than any tolerance
    tolerance   how far it may be, for rounding or chance
    measured    a sentence with the numbers, Markdown
    """
    deviation: float
    tolerance: float
    measured: str

    @property
    def passed(self) -> bool:
        return self.deviation <= self.tolerance

    @property
    def verdict(self) -> str:
        return "passed" if self.passed else "failed"


@dataclass(frozen=True)
class Erratum:
    """A place where the print is wrong. Both forms are functions of the same arguments, and the check is the same.

    number             of the list of errata, 1 to 17; an entry with several mistakes has parts "a", "b" ...
    where              the place in the thesis
    printed, corrected what is printed there and what is meant, Markdown without a point at the end
    claim              a sentence: what the check demands of either form
    check              (form, rng) -> Outcome; rng: for what is drawn
    """
    number: int
    where: str
    printed: str
    corrected: str
    claim: str
    printed_form: Form
    corrected_form: Form
    check: Callable[[Form, Generator], Outcome]
    part: str = ""

    @property
    def name(self) -> str:
        """The number and the part: "8b"."""
        return f"{self.number}{self.part}"

    def printed_outcome(self, seed: int = 0) -> Outcome:
        return self.check(self.printed_form, default_rng(seed))

    def corrected_outcome(self, seed: int = 0) -> Outcome:
        return self.check(self.corrected_form, default_rng(seed))
