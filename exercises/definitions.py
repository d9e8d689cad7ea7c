"""A module of the engine as text: its definitions, and where the names come from that they use."""
from __future__ import annotations

import ast
import inspect
from importlib import import_module


class CutError(ValueError):
    """The engine's text no longer has what an exercise names."""


class ModuleText:
    """A module of the engine, as text."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.source = inspect.getsource(import_module(name))
        self.tree = ast.parse(self.source)

    def defined(self, names: tuple[str, ...]) -> list[ast.stmt]:
        nodes = {binding: node for node in self.tree.body for binding in _bindings(node)}
        if missing := [name for name in names if name not in nodes]:
            raise CutError(f"{self.name} does not define {', '.join(missing)}")
        return sorted((nodes[name] for name in names), key=lambda node: node.lineno)

    def text(self, node: ast.stmt) -> str:
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
        return "\n".join(self.source.splitlines()[first - 1:node.end_lineno])

    def where(self, name: str) -> list[tuple[str, str]]:
        """(module, what is imported from it) to have the name; nothing for a builtin or a local variable."""
        for node in self.tree.body:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        return [(str(node.module), alias.name + (f" as {alias.asname}" if alias.asname else ""))]
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        return [("", alias.name + (f" as {alias.asname}" if alias.asname else ""))]
            elif name in _bindings(node):
                return [(self.name, name)]
        return []


def _bindings(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def used(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
