"""The companion's extensions of Sphinx: what must fail the build fails it, and docstrings are shown as they stand."""
import ast
import itertools
import re
import sys
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("sphinx", reason='Sphinx is not installed: pip install -e ".[docs]"')
pytest.importorskip("myst_parser", reason='MyST is not installed: pip install -e ".[docs]"')

ROOT = Path(__file__).parents[2]
NUMBERS = itertools.count()
COLOUR = re.compile(r"\x1b\[[\d;]*m")


class Text(HTMLParser):
    """The text of a page, and of every <pre class="as-written"> in it."""

    def __init__(self):
        super().__init__()
        self.text, self.written, self.inside = "", [], False

    def handle_starttag(self, tag, attributes):
        if tag == "pre":
            self.inside = "as-written" in dict(attributes).get("class", "")
            self.written += [""] if self.inside else []

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "pre"

    def handle_data(self, data):
        self.text += data
        if self.inside:
            self.written[-1] += data


@pytest.fixture
def extensions(monkeypatch):
    """docs/extensions, importable for one test."""
    monkeypatch.syspath_prepend(ROOT / "docs" / "extensions")


@pytest.fixture
def build(tmp_path, monkeypatch, extensions):
    """build(pages, modules): a site as `sphinx -W` builds it. PKG in both is the name of a package of its own."""
    def built(pages, modules=None):
        from sphinx.application import Sphinx
        from sphinx.util.docutils import docutils_namespace, patch_docutils

        package, source, site = f"sample_{next(NUMBERS)}", tmp_path / "source", tmp_path / "site"
        for name, text in (modules or {}).items():
            path = tmp_path / name.replace("PKG", package)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("PKG", package), encoding="utf-8")
        for name, text in pages.items():
            source.mkdir(exist_ok=True)
            (source / f"{name}.md").write_text(f"# Page {name}\n\n{text}".replace("PKG", package), encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        settings = {"extensions": ["myst_parser", "equations", "docstrings"], "html_theme": "basic", "root_doc": "a",
                    "suppress_warnings": ["toc.not_included"], "myst_enable_extensions": ["dollarmath"],
                    "api_packages": [package] if modules else [], "api_aliases": {"Sizes": f"{package}.part.Sizes"}}
        warnings = StringIO()
        with patch_docutils(), docutils_namespace():
            app = Sphinx(source, None, site, tmp_path / "doctrees", "html", settings, status=None, warning=warnings,
                         warningiserror=True, freshenv=True)
            app.build()
        for module in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[module]
        pages = {path.stem: path.read_text(encoding="utf-8") for path in site.glob("*.html")}
        return SimpleNamespace(fails=app.statuscode != 0,
                               warnings=COLOUR.sub("", warnings.getvalue()).replace(package, "PKG"),
                               pages={name: text.replace(package, "PKG") for name, text in pages.items()})

    return built


def stated(number, formula="y = x"):
    return f"```{{equation}} {number}\n{formula}\n```\n"


def listed(*modules):
    return "".join(f"```{{eval-rst}}\n.. automodule:: {module}\n```\n\n" for module in modules)


def shown(page):
    parser = Text()
    parser.feed(page)
    return parser


def test_the_companion_has_them():
    conf = ast.parse((ROOT / "docs" / "conf.py").read_text(encoding="utf-8"))
    settings = {node.targets[0].id: ast.unparse(node.value) for node in conf.body if isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Name)}
    assert {"equations", "docstrings"} <= set(ast.literal_eval(settings["extensions"]))
    assert ast.literal_eval(settings["api_packages"]) == ["engine", "models"]


# Equations

def test_a_number_becomes_a_link_to_the_equation_on_whatever_page(build):
    site = build({"a": "By (3.41) and (3.42).\n" + stated("3.42"), "b": stated("3.41")})
    assert not site.fails and not site.warnings
    assert '<a class="reference internal" href="b.html#equation-3-41">(3.41)</a>' in site.pages["a"]
    assert 'href="#equation-3-42">(3.42)</a>' in site.pages["a"]
    assert re.search(r'id="equation-3-41"', site.pages["b"]) and r"\tag{3.41}" in site.pages["b"]


@pytest.mark.parametrize("use", ["By (3.41).", "```python\ny = x  # (3.41)\n```", "`(3.41)`"])
def test_a_number_that_no_page_states_fails(build, use):
    site = build({"a": use + "\n\n" + stated("3.42")})
    assert site.fails and "equation (3.41) is stated on no page; expected one of 3.42" in site.warnings


def test_a_number_that_two_pages_state_fails(build):
    site = build({"a": stated("3.41"), "b": stated("3.41")})
    assert site.fails and "equation (3.41) is stated in a already" in site.warnings


def test_numbers_of_other_kinds_are_none(build):
    site = build({"a": "Section 3.41, (2.41), (3.4 cm), f(3.41, 1), version (13.41)."})
    assert not site.fails and not site.warnings


# Names without docstrings

DOCUMENTED = '''
"""The module."""
from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch

SIZE = 3
Sizes = dict[str, int]  #: by name


class Base:
    """A class."""

    def method(self) -> int:
        """A method."""

    @property
    def size(self) -> int:
        """A property."""


class Own(Base):
    """One that overrides, and says no more."""

    def method(self) -> int:
        return 4


@dataclass
class Fields:
    """Fields need none."""
    size: int = 3


@singledispatch
def function(x: Sizes) -> tuple[Sizes, int]:
    """A function."""


@function.register
def _(x: int) -> tuple[Sizes, int]:
    return {}, x


def _private():
    pass
'''


def test_what_has_a_docstring_or_needs_none_passes(build):
    site = build({"a": listed("PKG", "PKG.part")}, {
        "PKG/__init__.py": '"""The package."""\nfrom PKG.part import Base, Own\n__all__ = ["Base", "Own"]\n',
        "PKG/part.py": DOCUMENTED, "PKG/_private.py": "", "PKG/_inside/part.py": ""})
    assert not site.fails and not site.warnings
    text = shown(site.pages["a"]).text
    assert "method" in text and text.count("A method.") == 1 and "_private" not in text and "Bases: object" not in text
    assert text.count("function(x") == 1  # of singledispatch's versions, the definition
    assert "function(x: Sizes) → tuple[Sizes, int]" in text
    assert re.search(r'href="#PKG.part.Own"[^>]*><code[^>]*>(<span class="pre">)?Own<', site.pages["a"])  # the exports


@pytest.mark.parametrize(("kind", "name", "docstring"), [
    ("module", "PKG", '"""The module."""'), ("class", "PKG.Base", '"""A class."""'),
    ("method", "PKG.Base.method", '"""A method."""'), ("property", "PKG.Base.size", '"""A property."""'),
    ("class", "PKG.Fields", '"""Fields need none."""'), ("function", "PKG.function", '"""A function."""')])
def test_a_public_name_without_a_docstring_fails(build, kind, name, docstring):
    assert DOCUMENTED.count(docstring) == 1
    without = DOCUMENTED.replace(docstring, "" if kind == "module" else "...")
    site = build({"a": listed("PKG")}, {"PKG/__init__.py": without})
    assert site.fails and f"{kind} {name} has no docstring: write one" in site.warnings
    assert site.warnings.count("has no docstring") == 1 + (kind == "method")  # then the method above it has none either


def test_a_public_module_that_no_page_lists_fails(build):
    site = build({"a": listed("PKG")}, {"PKG/__init__.py": '"""The package."""', "PKG/inside/__init__.py": "",
                                        "PKG/inside/part.py": "", "PKG/_private.py": "", "PKG/__main__.py": ""})
    assert site.fails
    assert "public modules that no page lists with automodule: PKG.inside, PKG.inside.part\n" in site.warnings


# Docstrings as they stand

PLAIN = '''
"""A module.

Prose with *stars*, under_scores_, |bars|, <signs> & "quotes" of x', on
two lines, and (3.41), `function` and `no.such`.

    y =  x * W                                                                                              (3.41)
      + b

o = sigma(a),   a = x W

size      how large, in
          pixels
function  what to call

- an item
  on two lines:

      code * here

- another
"""


def function() -> None:
    """y[i] = x[i] W[i]."""


def call() -> None:
    """call() -> y, saved"""
'''


def test_docstrings_are_shown_as_they_stand(build):
    site = build({"a": listed("PKG"), "b": stated("3.41")}, {"PKG/__init__.py": PLAIN})
    assert not site.fails and not site.warnings
    page, parser = site.pages["a"], shown(site.pages["a"])
    assert ("Prose with *stars*, under_scores_, |bars|, <signs> & \"quotes\" of x', on two lines, and (3.41), function "
            "and no.such.") in parser.text
    assert "call() -> y, saved" in parser.text  # which autodoc would take for a signature
    assert parser.written == ["    y =  x * W  (3.41)\n      + b\n\no = sigma(a),   a = x W\n", "code * here\n",
                              "y[i] = x[i] W[i].\n"]
    link = '<a class="reference internal" href="b.html#equation-3-41">(3.41)</a>'
    assert page.count(link) == 2 and f'<span class="number">{link}</span>' in page  # in prose and in the formula
    assert 'href="#PKG.function"' in page and "no.such</span></code></a>" not in page
    assert re.search(r"<dt>(<[^>]*>)*size(<[^>]*>)*</dt><dd><p>how large, in pixels</p>", page)
    assert re.search(r"<li><p>an item on two lines:</p>\s*<pre .*?</pre>\s*</li>\s*<li><p>another</p>", page, re.DOTALL)


@pytest.mark.parametrize(("text", "kinds"), [
    ("Prose of one line.", ["prose"]),
    ("Prose = text.\nOf two lines.", ["prose"]),
    ("y = x + 1", ["written"]),
    ("dX[n,p,q,c] = sum of da", ["written"]),
    ("dl/dz_j = p_j - y_j", ["written"]),
    ("theta <- theta - lambda G", ["written"]),
    ("In words, y = x.", ["prose"]),
    ("a = x,   b = y\nc = z", ["written"]),
    ("prose:\n    y\nprose", ["prose", "written", "prose"]),
    ("    y\n\n    z", ["written"]),
    ("one  the first\ntwo  the second", ["names"]),
    ("one  the first\nthree  the second", ["written"]),
    ("one = 1  the first\ntwo = 2  the second", ["written"]),
    ("one  the first  of all\ntwo  the second", ["written"]),
    ("- one\n- two\n\n  of two parts\nprose", ["item", "item", "prose"]),
    ("with n\n- 1 rows", ["prose"]),
    ("kept apart.\n- one", ["prose", "item"]),
])
def test_kinds_of_paragraphs(extensions, text, kinds):
    from paragraphs import blocks
    assert [kind for kind, _ in blocks(text.split("\n"))] == kinds


def test_no_word_of_any_docstring_is_lost(extensions):
    from paragraphs import blocks
    files = [file for package in ("engine", "models", "experiments/evaluation")
             for file in sorted((ROOT / package).rglob("*.py"))]
    texts = [text for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
             if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node))]
    assert len(texts) > 500
    for text in texts:
        assert "\n".join(line for _, block in blocks(text.split("\n")) for line in block).split() == text.split()
