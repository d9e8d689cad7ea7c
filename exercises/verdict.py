"""What `check` says."""
from __future__ import annotations

from dataclasses import dataclass, field

NOT_REACHED = "not reached"


@dataclass(frozen=True)
class Check:
    """One line of the verdict."""
    name: str
    passed: bool
    detail: str = ""

    @property
    def word(self) -> str:
        return "right" if self.passed else "  -  " if self.detail == NOT_REACHED else "WRONG"


@dataclass(frozen=True)
class Verdict:
    """The answer to one file.

    exercise  its name
    seed      of the numbers
    problem   why nothing could be tried; "" where it could
    checks    what was checked
    findings  what is wrong, with hints: a paragraph each, of lines
    """
    exercise: str
    seed: int
    problem: str = ""
    checks: list[Check] = field(default_factory=list)
    findings: list[list[str]] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.problem and bool(self.checks) and all(check.passed for check in self.checks)

    def text(self) -> str:
        """For a terminal."""
        head = f"{self.exercise}: {'passed' if self.passed else 'not yet'}"
        if self.problem:
            return f"{head}. {self.problem}"
        width = max(len(check.name) for check in self.checks)
        lines = [f"{head} (--seed {self.seed} repeats it with the same numbers)", ""]
        lines += [f"  {check.word}  {check.name:{width}}  {check.detail}".rstrip()
                  for check in self.checks]
        for finding in self.findings:
            lines += ["", finding[0], *(f"  {line}" for line in finding[1:])]
        return "\n".join(lines)


def from_json(data: dict) -> Verdict:
    """The verdict that dataclasses.asdict made `data` of."""
    return Verdict(**{**data, "checks": [Check(**check) for check in data["checks"]]})
