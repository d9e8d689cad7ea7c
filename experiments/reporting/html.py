"""report.html: one page that needs nothing beside it."""
import base64
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from experiments.reporting.record import RunRecord
from experiments.reporting.tables import NAMES, Table, table_markdown
from experiments.system.text import markdown, printable


@dataclass(frozen=True)
class Picture:
    """A PNG file with its caption and a text in its place for those who cannot see it.

    A wide one keeps its size on a narrow screen, where one scrolls it; others shrink. In the dark a photograph is
    dimmed; anything else, lines on white, is turned into lines on black.
    """

    title: str
    data: bytes
    caption: str
    alternative: str
    wide: bool = False
    photograph: bool = False

    @property
    def address(self) -> str:
        """The file itself as a data URI."""
        return "data:image/png;base64," + base64.b64encode(self.data).decode("ascii")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height on the page, half of the file's pixels: sharp on dense screens, too."""
        width, height = struct.unpack(">II", self.data[16:24])  # of the IHDR chunk, which is the first
        return width // 2, height // 2

    @property
    def anchor(self) -> str:
        return anchor(self.title)


@dataclass(frozen=True)
class Section:
    """A part of the page: sentences, then tables, then pictures without a heading of their own."""

    title: str
    sentences: list[str]
    tables: list[Table] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        return anchor(self.title)


@dataclass(frozen=True)
class Chapter:
    """Sections below one heading, all of them in the table of contents."""

    title: str
    sections: list[Section]

    @property
    def anchor(self) -> str:
        return anchor(self.title)


def anchor(title: str) -> str:
    """What a link to the part with that title ends in: "Table 4.2: the test set" -> "table-4-2-the-test-set"."""
    return "-".join(re.findall("[a-z0-9]+", title.lower()))


def report_html(record: RunRecord, results: Mapping[str, Any], sentences: list[str], tables: list[Table],
                notes: list[str], pictures: list[Picture], sections: Sequence[Section] = ()) -> str:
    """The page of a classification run, whose evaluations are `results`, by split."""
    return render("report.html.jinja", record, sentences, tables, notes, pictures, sections, results=results,
                  classes=record.classes, split_names=NAMES)


def render(template: str, record: RunRecord, sentences: list[str], tables: list[Table], notes: list[str],
           pictures: list[Picture], sections: Sequence[Section] = (), **more: Any) -> str:
    """The page from a template in templates/, which may need `more`; every text is escaped."""
    environment = Environment(loader=PackageLoader("experiments.reporting", "templates"), autoescape=True,
                              undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["anchor"] = anchor
    return printable(environment.get_template(template).render(
        record=record, sentences=sentences, tables=tables, notes=notes, pictures=pictures, sections=sections,
        about=about(record), left_out=[*record.excluded.items(), *record.dropped.items()], **more))


def about(record: RunRecord) -> list[str]:
    """What stands below the title: the data, the seed, when it was and how long it took."""
    told = [record.dataset, f"seed {record.seed}"]
    if record.started is not None:
        told.append(f"begun {record.started.replace('T', ' ')[:16]}")
    if record.seconds is not None:
        told.append(f"trained in {'more than ' * record.untimed}{duration(record.seconds)}")
    return told


def section_markdown(section: Section) -> str:
    """The same part of tables.md."""
    return "\n\n".join([f"## {markdown(section.title)}", *map(markdown, section.sentences),
                        *map(table_markdown, section.tables)]) + "\n"


def duration(seconds: float) -> str:
    """As one says it: 42 s, 4 min 05 s, 3 h 20 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
