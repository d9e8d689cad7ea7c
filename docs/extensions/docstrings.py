"""The API reference: autodoc over docstrings that are plain text (plain_text.py shows them).

Of a module that a page lists with `.. automodule::`, every public name that it defines is shown, in the order of the
source: what does not begin with an underscore, is a class, function, method or property, and was not imported or
inherited. The build warns (and with -W fails)

- where such a name, or the module itself, has no docstring. A method that overrides one of a class further up needs
  none, if that one has: forward and backward of a layer are what its class's docstring derives. It is not shown again;
- where a public module of the packages in `api_packages` is on no page.
"""
from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

logger = logging.getLogger(__name__)

METHODS = (FunctionType, MethodType, staticmethod, classmethod, property, cached_property, type)
REFERENCE = re.compile(r"TypeAliasForwardRef\('([^']+)'\)")
DOCUMENTED = ("module", "class", "exception", "function", "method", "property")


def _configure(app: Sphinx, config: Config) -> None:
    config.autodoc_default_options = {"members": True, "undoc-members": True, "ignore-module-all": True,
                                      "member-order": "bysource", "show-inheritance": True}
    config.autodoc_type_aliases = {alias: f"~{name}" for alias, name in config.api_aliases.items()}
    config.autodoc_docstring_signature = False
    config.autodoc_preserve_defaults = True
    config.autodoc_typehints_format = "short"
    config.add_module_names = False
    config.toc_object_entries_show_parents = "hide"
    config.python_maximum_signature_line_length = 150
    config.html_static_path = [*config.html_static_path, str(Path(__file__).with_name("plain_text.css"))]
    config.html_css_files = [*config.html_css_files, "plain_text.css"]


def _as_plain_text(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Replace the lines of a docstring by a directive with these lines."""
    if what in DOCUMENTED and not _is_imported(what, name, obj) and not _is_written(what, obj, lines):
        logger.warning("%s %s has no docstring: write one, or begin a name that is not for others with _", what, name)
    lines[:] = [".. plain-text::", "", *(f"   {line}" for line in lines), ""]
    if what == "module" and (exported := list(_exports(obj))):
        lines += [f"``from {name} import`` {', '.join(exported)}", ""]


def _is_imported(what: str, name: str, obj: Any) -> bool:
    """Autodoc asks for these, too, and then leaves them out."""
    return what in ("class", "exception", "function") and name != f"{obj.__module__}.{obj.__qualname__}"


def _is_written(what: str, obj: Any, lines: list[str]) -> bool:
    """A dataclass or a named tuple that has no docstring is given one, the name with its fields."""
    made = what in ("class", "exception") and re.fullmatch(rf"{obj.__name__}\(.*\)", obj.__doc__ or "")
    return any(line.strip() for line in lines) and not made


def _exports(module: Any) -> Iterator[str]:
    """What a package hands out of its modules, as links to where it is defined."""
    for name in getattr(module, "__all__", ()):
        home = getattr(getattr(module, name), "__module__", None)  # a constant has none
        if home != module.__name__:
            yield f":py:obj:`{name} <{home}.{name}>`" if home else f"``{name}``"


def _skip(app: Sphinx, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:
    """Leave out fields, which their class's docstring names, and methods that override and say no more than theirs."""
    if what not in ("class", "exception"):
        return None
    if not isinstance(obj, METHODS):
        return True
    return True if not obj.__doc__ and inspect.getdoc(obj) else None


def _short(app: Sphinx, what: str, name: str, obj: Any, options: Any, arguments: str | None,
           result: str | None) -> tuple[str, str] | None:
    """Sphinx writes an alias inside brackets, tuple[Array, ...], as the object that stands for it."""
    if arguments is None:
        return None
    return REFERENCE.sub(r"\1", arguments), REFERENCE.sub(r"\1", result or "")


def _tidy(app: Sphinx, domain: str, kind: str, content: addnodes.desc_content) -> None:
    """Of a singledispatch function autodoc shows the signatures of all versions, which are alike; of every class the
    bases, be it only object."""
    if content.children and content[0].astext() == "Bases: object":
        del content[0]
    for signature in [node for node in content.parent if isinstance(node, addnodes.desc_signature)][1:]:
        content.parent.remove(signature)


def _list_all_modules(app: Sphinx, env: BuildEnvironment) -> None:
    listed = env.domains.python_domain.modules
    missing = [module for package in app.config.api_packages for module in _modules(package) if module not in listed]
    if missing:
        logger.warning("public modules that no page lists with automodule: %s", ", ".join(missing))


def _modules(package: str) -> Iterator[str]:
    """The package and every module below it whose path has no part that begins with an underscore."""
    folder = Path(find_spec(package).submodule_search_locations[0])
    for file in sorted(folder.rglob("*.py")):
        *parts, last = file.relative_to(folder.parent).with_suffix("").parts
        path = parts if last == "__init__" else [*parts, last]
        if not any(part.startswith("_") for part in path):
            yield ".".join(path)


def setup(app: Sphinx) -> dict[str, Any]:
    for extension in ("sphinx.ext.autodoc", "sphinx.ext.viewcode", "plain_text"):
        app.setup_extension(extension)
    app.add_config_value("api_packages", [], "env")
    app.add_config_value("api_aliases", {}, "env")
    app.connect("config-inited", _configure)
    app.connect("autodoc-process-docstring", _as_plain_text)
    app.connect("autodoc-process-signature", _short)
    app.connect("autodoc-skip-member", _skip)
    app.connect("object-description-transform", _tidy)
    app.connect("env-check-consistency", _list_all_modules)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
