"""The thesis's equations by their own numbers.

    ```{equation} 3.41                  states an equation, with the thesis's number beside it
    dX = D * \\operatorname{rot180}(W)
    ```

From then on every (3.41) in the text of any page is a link to it. The build warns (and with -W fails) where a number is
used, in text or in code that is shown, that no page states, and where two pages state one number. So numbers can
neither drift nor be invented.
"""
from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains import Domain
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

logger = logging.getLogger(__name__)

NUMBER = re.compile(r"\(([34]\.\d+)\)")
_NO_LINKS = (nodes.literal_block, nodes.literal, nodes.reference, nodes.math, nodes.math_block, nodes.raw, nodes.title)


class Equation(SphinxDirective):
    """One equation, its number as the thesis has it."""
    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        number, formula = self.arguments[0], "\n".join(self.content)
        anchor = f"equation-{number.replace('.', '-')}"
        equations = self.env.domaindata[Equations.name]["places"]
        if number in equations:
            logger.warning("equation (%s) is stated in %s already", number, equations[number][0],
                           location=self.get_location())
        equations.setdefault(number, (self.env.docname, anchor))
        target = nodes.target("", "", ids=[anchor])
        # not wrapped by Sphinx, whose environment for several lines takes no \tag; the key has two spellings
        block = nodes.math_block("", f"\\[{formula} \\tag{{{number}}}\\]", docname=self.env.docname, number=None,
                                 label=None, **{"nowrap": True, "no-wrap": True})
        self.set_source_info(block)
        return [target, block]


class Equations(Domain):
    """Which page states which number."""
    name = "thesis"
    label = "equations of the thesis"
    initial_data: ClassVar[dict[str, Any]] = {"places": {}}

    def clear_doc(self, docname: str) -> None:
        self.data["places"] = {number: place for number, place in self.data["places"].items() if place[0] != docname}

    def merge_domaindata(self, docnames: set[str], otherdata: dict[str, Any]) -> None:
        self.data["places"] |= {number: place for number, place in otherdata["places"].items() if place[0] in docnames}

    def resolve_any_xref(self, *_: Any) -> list[tuple[str, nodes.reference]]:
        return []


def _link(app: Sphinx, document: nodes.document, docname: str) -> None:
    """Make every number in the text of a page a link, and report those that no page states."""
    places = app.env.domaindata[Equations.name]["places"]
    for place in list(document.findall(equation_list)):
        place.replace_self(_list(app, docname, places))
    for text in list(document.findall(nodes.Text)):
        used = NUMBER.findall(text)
        for number in used:
            if number not in places:
                logger.warning("equation (%s) is stated on no page; expected one of %s", number,
                               ", ".join(sorted(places, key=_order)), location=text.parent)
        if used and not _inside(text, _NO_LINKS):
            text.parent.replace(text, list(_pieces(app, docname, text, places)))


def _pieces(app: Sphinx, docname: str, text: str, places: dict[str, tuple[str, str]]) -> Iterator[nodes.Node]:
    end = 0
    for match in NUMBER.finditer(text):
        yield nodes.Text(text[end:match.start()])
        page, anchor = places.get(match[1], ("", ""))
        yield make_refnode(app.builder, docname, page, anchor, nodes.Text(match[0])) if page else nodes.Text(match[0])
        end = match.end()
    yield nodes.Text(text[end:])


def _inside(node: nodes.Node, kinds: tuple[type[nodes.Node], ...]) -> bool:
    while node is not None:
        if isinstance(node, kinds):
            return True
        node = node.parent
    return False


def _order(number: str) -> tuple[int, ...]:
    return tuple(map(int, number.split(".")))


class EquationList(SphinxDirective):
    """Where the list of all equations is put once all pages are read."""

    def run(self) -> list[nodes.Node]:
        return [equation_list()]


class equation_list(nodes.General, nodes.Element):
    """Stands for the list until then."""


def _list(app: Sphinx, docname: str, places: dict[str, tuple[str, str]]) -> nodes.bullet_list:
    """Every number with the page that states it, in the thesis's order."""
    items = nodes.bullet_list()
    for number in sorted(places, key=_order):
        page, anchor = places[number]
        text = nodes.Text(f"({number})   {app.env.titles[page].astext()}")
        items += nodes.list_item("", nodes.paragraph("", "", make_refnode(app.builder, docname, page, anchor, text)))
    return items


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_domain(Equations)
    app.add_directive("equation", Equation)
    app.add_directive("equation-list", EquationList)
    app.add_node(equation_list)
    app.connect("doctree-resolved", _link)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
