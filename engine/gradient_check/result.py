"""What a gradient check says, one row for x and one for every parameter and moving average."""
from __future__ import annotations

from dataclasses import dataclass

PURITY = "(purity)"


@dataclass(frozen=True)
class Result:
    """One row of the table.

    name        the layer, loss or network
    parameter   "x", the path of a parameter or buffer, or "(purity)" for what forward and backward must not do
    error       relative error; inf where there is no number to compare
    passed      error within the tolerance, or not to be told from roundoff, and no kink in the way
    message     what is wrong and what to do; of a row that passed, what its number does not say
    kink        a kink lay between the two points of the difference, so that it says nothing of the gradient
    resolution  0 where the error is within the tolerance; otherwise, of a row that passed, the relative error below
                which nothing can be told from roundoff, because the gradient is so much smaller than the output
    """
    name: str
    parameter: str
    error: float
    passed: bool
    message: str = ""
    kink: bool = False
    resolution: float = 0.0

    @property
    def verdict(self) -> str:
        """"passed", "too small" (passed, but a gradient twice as large would have), "kink" (no check) or "FAILED"."""
        if self.passed:
            return "too small" if self.resolution >= 0.5 else "passed"
        return "kink" if self.kink else "FAILED"


def badness(result: Result) -> tuple[bool, bool, bool, float]:
    """Failures before kinks before what passed, and of that first what was told best, then by error."""
    told = not result.resolution
    return not result.passed, not result.kink, told, result.error if told else -result.resolution
