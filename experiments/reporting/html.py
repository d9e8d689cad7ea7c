"""report.html: one page that needs nothing beside it."""
import base64
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from jinja2 import Environment, PackageLoader, StrictUndefined

from experiments.inputs.loading import DataRecord
from experiments.reporting.head import ReportHead
from experiments.reporting.tables import Table, table_markdown
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


def render(template: str, head: ReportHead, sentences: list[str], tables: list[Table], notes: list[str],
           pictures: list[Picture], sections: Sequence[Section] = (), data: DataRecord | None = None, **more: object
           ) -> str:
    """The page from a template in templates/, which may need `more`; every text is escaped.

    data: what the page is about; None where the figures are of no images.
    """
    environment = Environment(loader=PackageLoader("experiments.reporting", "templates"), autoescape=True,
                              undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["anchor"] = anchor
    return printable(environment.get_template(template).render(
        head=head, sentences=sentences, tables=tables, notes=notes, pictures=pictures, sections=sections, data=data,
        **more))


def section_markdown(section: Section) -> str:
    """The same part of tables.md."""
    return "\n\n".join([f"## {markdown(section.title)}", *map(markdown, section.sentences),
                        *map(table_markdown, section.tables)]) + "\n"
