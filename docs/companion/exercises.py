"""The exercises as the pages show them: a session in a terminal, the table of all, the mistakes that are known."""
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from IPython.display import Markdown

from exercises.catalogue import all_exercises, exercise
from exercises.exercise import Mutant
from exercises.mutants import mutated
from exercises.source import solved

WIDTH = 96  # columns of the terminal that is shown
CHAPTERS = Path(__file__).parents[1] / "chapters"


class Session:
    """Commands in a folder of their own, shown as a terminal shows them."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)

    def __call__(self, command: str) -> tuple[int, str]:
        """Run `python -m exercises COMMAND`, print what it prints; its exit code and that text."""
        done = subprocess.run([sys.executable, "-m", "exercises", *command.split()], cwd=self.folder,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        print(f"\n$ python -m exercises {command}\n{_wrapped(done.stdout.rstrip())}")
        return done.returncode, done.stdout

    def file(self, name: str) -> Path:
        return self.folder / "my_exercises" / f"{name}.py"

    def hole(self, name: str) -> str:
        """The function with the first hole of a file that was started, from its `def` to the hole."""
        lines = self.file(name).read_text("utf-8").splitlines()
        last = next(place for place, line in enumerate(lines) if line.rstrip().endswith(" ..."))
        first = max(place for place, line in enumerate(lines[:last]) if line.lstrip().startswith("def "))
        return "\n".join(lines[first:last + 1])

    def fill(self, name: str, mistake: str = "") -> list[str]:
        """Write the engine's own lines into the file, or those with a known mistake; the lines that the mistake has."""
        right = solved(exercise(name))
        text = mutated(exercise(name), _mistake(name, mistake)) if mistake else right
        self.file(name).write_text(text, "utf-8")
        return [line.strip() for line in text.splitlines() if line not in right.splitlines()]


def hint(name: str, mistake: str) -> str:
    """What is said to those who made a known mistake."""
    return _mistake(name, mistake).hint


def table() -> Markdown:
    """All exercises, with the chapter to read before each."""
    rows = ["| | exercise | what is asked | chapter | known mistakes |", "|---|---|---|---|---|"]
    for number, each in enumerate(all_exercises(), 1):
        needs = f" Goes on with {len(each.needs)} files of your own." if each.needs else ""
        rows.append(f"| {number} | `{each.name}` | {each.title}. {each.asks}{needs} | "
                    f"[{_title(each.chapter)}](chapters/{each.chapter}.md) | {len(each.mutants)} |")
    return Markdown("\n".join(rows))


def misconceptions() -> Markdown:
    """For every exercise, what its mutants are about: a closed box each."""
    boxes = []
    for each in all_exercises():
        hints = "\n".join(f"- **{mutant.name}**: {_escaped(mutant.hint)}" for mutant in each.mutants)
        boxes.append(f":::{{admonition}} `{each.name}`: {len(each.mutants)} known mistakes\n:class: dropdown\n\n"
                     f"{hints}\n:::\n")
    return Markdown("\n".join(boxes))


def _mistake(name: str, mistake: str) -> Mutant:
    return next(mutant for mutant in exercise(name).mutants if mutant.name == mistake)


def _title(chapter: str) -> str:
    text = (CHAPTERS / f"{chapter}.md").read_text("utf-8")
    return re.search(r"^# (.+)$", text, re.MULTILINE)[1]


def _wrapped(text: str) -> str:
    """Long lines go on below, a little to the right."""
    lines = []
    for line in text.splitlines():
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        lines += textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_on_hyphens=False) or [""]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    """Text whose stars, underscores and brackets are no markup."""
    return re.sub(r"([*_\[\]<>$|])", r"\\\1", text)
