"""Parts of a longer work, one after the other: what is finished is skipped, a failure is named and keeps the rest."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.system.durations import Parts, sentence, together
from experiments.system.errors import Failure, UsageError
from experiments.system.progress import announce


@dataclass(frozen=True, slots=True)
class Stage:
    """title    what it is, for the terminal
    make     begins it, or goes on where it was interrupted
    mark     the file that it writes last; None for a stage of seconds, which is made anew every time
    seconds  that it is expected to take, by part, measured when asked for
    """
    title: str
    make: Callable[[], object]
    mark: Path | None = None
    seconds: Callable[[], Parts] = dict

    @property
    def finished(self) -> bool:
        return self.mark is not None and self.mark.exists()


def announce_stages(stages: Sequence[Stage], place: Path, before: Callable[[], Parts]) -> dict[str, float]:
    """The seconds that the stages that are not finished will take on this machine, by part; the terminal is told.

    place: the folder of them all; before: what they need first, if one of them is left.
    """
    left = [stage for stage in stages if not stage.finished]
    announce(f"Run folder: {place}\n{len(stages)} stages, {len(stages) - len(left)} of them finished")
    needed = before() if any(stage.mark for stage in left) else {}
    expected = together([needed, *(stage.seconds() for stage in left)])
    if expected:
        announce(f"This is {sentence(expected)}")
    return expected


def run_stages(stages: Sequence[Stage], go_on: str) -> None:
    """Make the stages that are not finished, in order.

    go_on: the command that makes what is left; the message of a failure ends with it. Raises what the stage raised,
    UsageError or Failure, with the stage named.
    """
    for number, stage in enumerate(stages, start=1):
        place = f"Stage {number} of {len(stages)}, {stage.title}"
        if stage.finished:
            announce(f"{place}: finished already")
            continue
        announce(f"\n{place}")
        try:
            stage.make()
        except (UsageError, Failure) as error:
            raise type(error)(f"{place}: {error}\nThe stages before it are kept. When this is mended, go on with: "
                              f"{go_on}") from error
