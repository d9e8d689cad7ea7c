"""Docstrings that are plain text, as a page.

    A paragraph of prose, with `code` in backticks.

        dX = D * rot180(W)                                                        (3.41)
        db = sum of da over n, i, j

    name      what it means, beside its name, and
              perhaps in more lines than one
    another   what that means

What is indented, has two spaces or more between words, or is a formula on a line of its own, y = x + 1, is shown as it
stands, in one width; names with their meanings in one column become a list, as do lines that begin with - or 1.; all
else runs on. Nothing has to be escaped, and nothing else is taken for markup.
"""
from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Literal

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

ALIGNED = re.compile(r"\S {2,}\S")
FORMULA = re.compile(r"[\w']+(\[[^\]]*\]|/d\w+)* (=|<-) ")  # its left side: dX[n,p,q,c], dl/dz_j
NAMED = re.compile(r"((?:[^\s=<]| (?! ))+)( {2,})\S")  # a name of no equation, and where its meaning begins
NUMBERED = re.compile(r"(.*\S) {3,}(\([34]\.\d+\)(?:(?:, |-)\([34]\.\d+\))*)$")  # a line, its numbers at the margin
LONGEST_NAME = 36  # beyond that it is half of a sentence
ITEM = re.compile(r"(?:-|\d+\.) +")
CODE = re.compile(r"`([^`]+)`")

Kind = Literal["prose", "written", "names", "item"]


class as_written(nodes.General, nodes.FixedTextElement):
    """Lines whose spaces and ends stay. No literal block: the numbers of equations in it become links."""


def blocks(lines: Iterable[str]) -> Iterator[tuple[Kind, list[str]]]:
    """Every paragraph with what it is; neighbours that are both shown as written are one."""
    written: list[str] = []
    for block in _paragraphs(list(lines)):
        if (kind := _kind(block)) == "written":
            written += ["", *block] if written else block
            continue
        if written:
            yield "written", _dedented(written)
            written = []
        yield kind, _dedented(block)
    if written:
        yield "written", _dedented(written)


def _paragraphs(lines: list[str]) -> Iterator[list[str]]:
    """Runs of lines that are all indented or all not; below an aligned line others may be indented further.

    An item of a list goes on, over empty lines, as long as lines are indented.
    """
    start = 0
    while start < len(lines):
        end = start + 1
        if ITEM.match(lines[start]):
            while end < len(lines) and (_indented(lines[end]) or not lines[end].strip()):
                end += 1
        else:
            while end < len(lines) and _goes_on(lines[start:end], lines[end]):
                end += 1
        if lines[start].strip():
            yield lines[start:end]
        start = end


def _goes_on(block: list[str], line: str) -> bool:
    item = ITEM.match(line) and block[-1].endswith((".", ":"))
    alike = _indented(line) == _indented(block[0]) or (_indented(line) and _aligned(block))
    return bool(line.strip() and block[0].strip() and alike and not item)


def _kind(block: list[str]) -> Kind:
    if ITEM.match(block[0]):
        return "item"
    if _columns(block):
        return "names"
    formula = len(block) == 1 and FORMULA.match(block[0])
    return "written" if _indented(block[0]) or _aligned(block) or formula else "prose"


def _columns(block: list[str]) -> list[tuple[str, str]]:
    """(name, meaning) of a block in which all meanings begin in one column; empty for others."""
    lines = _dedented(block)
    first = NAMED.match(lines[0])
    if first is None or len(first[1]) > LONGEST_NAME:
        return []
    column = first.end(2)
    entries: list[tuple[str, str]] = []
    for line in lines:
        match, meaning = NAMED.match(line), line[column:]
        if ALIGNED.search(meaning) or line[column - 1] != " " or meaning.startswith(" "):
            return []
        if match and match.end(2) == column:
            entries.append((match[1], meaning))
        elif entries and not line[:column].strip():
            entries[-1] = entries[-1][0], f"{entries[-1][1]} {meaning}"
        else:
            return []
    return entries


def _indented(line: str) -> bool:
    return line.startswith(" ")


def _aligned(block: list[str]) -> bool:
    return any(ALIGNED.search(line.strip()) for line in block)


def _dedented(block: list[str]) -> list[str]:
    return textwrap.dedent("\n".join(block)).split("\n")


class PlainText(SphinxDirective):
    """The nodes of a docstring, in place of those that its text would give as reStructuredText."""
    has_content = True

    def run(self) -> list[nodes.Node]:
        return self._nodes(self.content)

    def _nodes(self, lines: Iterable[str]) -> list[nodes.Node]:
        make = {"prose": self._prose, "written": self._written, "names": self._names, "item": self._item}
        found: list[nodes.Node] = []
        for kind, block in blocks(lines):
            node = make[kind](block)
            if kind == "item" and found and isinstance(found[-1], type(node)):
                found[-1] += node.children
            else:
                found.append(node)
        return found

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

    def _written(self, block: list[str]) -> nodes.Node:
        """The lines; a number at the end of one is put at the right margin, however wide the page is."""
        node = as_written(classes=["one-line"] if len(block) == 1 else [])
        self.set_source_info(node)
        for line in block:
            match = NUMBERED.fullmatch(line)
            node += [nodes.Text(match[1] + "  "), nodes.inline(match[2], match[2], classes=["number"]), nodes.Text("\n")
                     ] if match else [nodes.Text(f"{line}\n")]
        return node

    def _names(self, block: list[str]) -> nodes.Node:
        """A list of definitions."""
        return nodes.definition_list("", *(
            nodes.definition_list_item("", nodes.term("", "", nodes.literal(name, name)),
                                       nodes.definition("", self._prose([meaning])))
            for name, meaning in _columns(block)), classes=["names"])


    def _item(self, block: list[str]) -> nodes.Node:
        """A list of one item, which may hold all that a docstring may."""
        mark = ITEM.match(block[0]).group()
        inside = [block[0][len(mark):], *_dedented(block[1:])]
        kind = nodes.bullet_list if mark.startswith("-") else nodes.enumerated_list
        return kind("", nodes.list_item("", *self._nodes(inside)))


def _open(self: HTML5Translator, node: nodes.Element) -> None:
    self.body.append(self.starttag(node, "pre", "", CLASS="as-written"))


def _close(self: HTML5Translator, node: nodes.Element) -> None:
    self.body.append("</pre>\n")


def setup(app: Sphinx) -> dict[str, object]:
    app.add_directive("plain-text", PlainText)
    app.add_node(as_written, html=(_open, _close))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
