"""What a probe answers."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["works", "absent", "broken"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    group    the part of the page that it stands in, "CUDA"
    name     of the thing, "NVRTC"
    state    "works"; "absent", which is no fault; "broken": it is there, and does not work
    text     for a person, one line
    details  for a bug report: what JSON can hold
    remedy   one line, what to do where it is absent or broken; "" if there is nothing to say
    """
    group: str
    name: str
    state: State
    text: str
    details: dict[str, Any] = field(default_factory=dict)
    remedy: str = ""


class Absent(Exception):
    """Raised by a probe: the thing is not there. text and remedy as in Finding."""

    def __init__(self, text: str, remedy: str = "") -> None:
        super().__init__(text)
        self.text, self.remedy = text, remedy


class Broken(Exception):
    """Raised by a probe: the thing is there and does not work, and what to do is known. text and remedy likewise."""

    def __init__(self, text: str, remedy: str = "") -> None:
        super().__init__(text)
        self.text, self.remedy = text, remedy


@dataclass(frozen=True)
class Probe:
    """A function that looks at one thing: it answers with (text, details), or raises."""
    group: str
    name: str
    look: Callable[[], tuple[str, dict[str, Any]]]

    def finding(self) -> Finding:
        """What the function answers or raises: any exception but Absent is of something that does not work."""
        try:
            text, details = self.look()
        except Absent as absent:
            return Finding(self.group, self.name, "absent", absent.text, remedy=absent.remedy)
        except Broken as broken:
            return Finding(self.group, self.name, "broken", f"does not work: {broken.text}", remedy=broken.remedy)
        except Exception as error:
            return Finding(self.group, self.name, "broken", f"does not work: {one_line(error)}",
                           {"error": str(error), "type": type(error).__name__})
        return Finding(self.group, self.name, "works", text, details)


def one_line(error: Exception) -> str:
    """The type and the first line of what it says."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {first}"[:200] if first else type(error).__name__
