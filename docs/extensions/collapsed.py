"""Admonitions of class `dropdown` are closed until the reader opens them: answers, and what is long.

    :::{admonition} Answer
    :class: dropdown
"""
from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def _visit(self: HTML5Translator, node: nodes.admonition) -> None:
    if "dropdown" not in node["classes"]:
        HTML5Translator.visit_admonition(self, node)
        return
    title = node.next_node(nodes.title)
    self.body.append(self.starttag(node, "details", CLASS="admonition"))
    self.body.append('<summary class="admonition-title">')
    for child in title.children:
        child.walkabout(self)
    self.body.append("</summary>\n")
    node.remove(title)


def _depart(self: HTML5Translator, node: nodes.admonition) -> None:
    if "dropdown" in node["classes"]:
        self.body.append("</details>\n")
    else:
        HTML5Translator.depart_admonition(self, node)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_node(nodes.admonition, override=True, html=(_visit, _depart))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
