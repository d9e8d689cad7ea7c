"""Docstrings that are plain text, as a page.

    A paragraph of prose, with `code` in backticks.

        dX = D * rot180(W)                                                        (3.41)
        db = sum of da over n, i, j

    name      what it means

What is indented, has two spaces or more between words, or is a formula on a line of its own, y = x + 1, is shown as it
stands, in one width; all else runs on. Nothing has to be escaped, and nothing is taken for markup but the backticks.
"""
from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

ALIGNED = re.compile(r"\S {2,}\S")
FORMULA = re.compile(r"[\w']+(\[[^\]]*\]|/d\w+)* (=|<-) ")  # its left side: dX[n,p,q,c], dl/dz_j
NUMBERED = re.compile(r"(.*\S) {3,}(\([34]\.\d+\)(?:(?:, |-)\([34]\.\d+\))*)$")  # a line, its numbers at the margin
CODE = re.compile(r"`([^`]+)`")

Block = tuple[bool, list[str]]


class as_written(nodes.General, nodes.FixedTextElement):
    """Lines whose spaces and ends stay. No literal block: the numbers of equations in it become links."""


def blocks(lines: Iterable[str]) -> Iterator[Block]:
    """(whether it is shown as written, its lines) for every paragraph; neighbours that are both so are one."""
    written: list[str] = []
    for fixed, block in _paragraphs(lines):
        if fixed:
            written += ["", *block] if written else block
            continue
        if written:
            yield True, _dedented(written)
            written = []
        yield False, block
    if written:
        yield True, _dedented(written)


def _paragraphs(lines: Iterable[str]) -> Iterator[Block]:
    """Runs of lines that are all indented or all not; where prose turns into an indented block no blank line is due."""
    block: list[str] = []
    for line in [*lines, ""]:
        if block and (not line.strip() or line.startswith(" ") != block[0].startswith(" ")) and not (
                line.startswith(" ") and _aligned(block)):
            yield block[0].startswith(" ") or _aligned(block) or _formula(block), block
            block = []
        if line.strip():
            block.append(line)


def _aligned(block: list[str]) -> bool:
    return any(ALIGNED.search(line.strip()) for line in block)


def _formula(block: list[str]) -> bool:
    return len(block) == 1 and bool(FORMULA.match(block[0]))


def _dedented(block: list[str]) -> list[str]:
    return textwrap.dedent("\n".join(block)).split("\n")


class PlainText(SphinxDirective):
    """The nodes of a docstring, in place of those that its text would give as reStructuredText."""
    has_content = True

    def run(self) -> list[nodes.Node]:
        return [self._written(block) if fixed else self._prose(block) for fixed, block in blocks(self.content)]

    def _written(self, block: list[str]) -> nodes.Node:
        """The lines; a number at the end of one is put at the right margin, however wide the page is."""
        node = as_written()
        self.set_source_info(node)
        for line in block:
            match = NUMBERED.fullmatch(line)
            node += [nodes.Text(match[1] + "  "), nodes.inline(match[2], match[2], classes=["number"]), nodes.Text("\n")
                     ] if match else [nodes.Text(f"{line}\n")]
        return node

    def _prose(self, block: list[str]) -> nodes.Node:
        paragraph = nodes.paragraph(support_smartquotes=False)  # y' is a letter with a prime, "SAME" a string
        self.set_source_info(paragraph)
        for place, part in enumerate(CODE.split(" ".join(block))):
            paragraph += self._code(part) if place % 2 else nodes.Text(part)
        return paragraph

    def _code(self, text: str) -> nodes.Node:
        """A link where it is a name of the same class or module or a whole dotted name, code otherwise."""
        context = {f"py:{part}": self.env.ref_context.get(f"py:{part}") for part in ("module", "class")}
        return addnodes.pending_xref("", nodes.literal(text, text, classes=["py", "code"]), refdomain="py",
                                     reftype="obj", reftarget=text, refdoc=self.env.docname, refwarn=False, **context)


def _open(self: HTML5Translator, node: nodes.Element) -> None:
    self.body.append(self.starttag(node, "pre", "", CLASS="as-written"))


def _close(self: HTML5Translator, node: nodes.Element) -> None:
    self.body.append("</pre>\n")


def setup(app: Sphinx) -> dict[str, object]:
    app.add_directive("plain-text", PlainText)
    app.add_node(as_written, html=(_open, _close))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
