"""Docstrings that are plain text, as a page: paragraphs.py says what is shown how."""
from __future__ import annotations

import re
from collections.abc import Iterable

from docutils import nodes
from paragraphs import ITEM, blocks, columns, dedented
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

NUMBERED = re.compile(r"(.*\S) {3,}(\([34]\.\d+\)(?:(?:, |-)\([34]\.\d+\))*)$")  # a line, its numbers at the margin
CODE = re.compile(r"`([^`]+)`")


class as_written(nodes.General, nodes.FixedTextElement):
    """Lines whose spaces and ends stay. No literal block: the numbers of equations in it become links."""


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
            for name, meaning in columns(block)), classes=["names"])


    def _item(self, block: list[str]) -> nodes.Node:
        """A list of one item, which may hold all that a docstring may."""
        mark = ITEM.match(block[0]).group()
        inside = [block[0][len(mark):], *dedented(block[1:])]
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
