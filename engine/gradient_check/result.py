"""What a gradient check says, one row for x and one for every parameter."""
from __future__ import annotations

from dataclasses import dataclass

PURITY = "(purity)"


@dataclass(frozen=True)
class Result:
    """One row of the table.

    name       the layer, loss or network
    parameter  "x", the path of a parameter, or "(purity)" for what forward and backward must not do
    error      relative error; inf where there is no number to compare
    passed     error within the tolerance, and no kink in the way
    message    what is wrong and what to do; where the check was made with a smaller step, why
    kink       a kink lay between the two points of the difference, so that it says nothing of the gradient
    """
    name: str
    parameter: str
    error: float
    passed: bool
    message: str = ""
    kink: bool = False

    @property
    def verdict(self) -> str:
        """One word: "passed", "kink" (the check could not be made) or "FAILED"."""
        return "passed" if self.passed else "kink" if self.kink else "FAILED"

def badness(result: Result) -> tuple[bool, bool, float]:
    """Failures before kinks before what passed, then by error."""
    return not result.passed, not result.kink, result.error
