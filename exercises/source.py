"""The student's file, cut from the engine's own text: nothing of it is kept in this package."""
from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from importlib import import_module

from engine.version import RELEASE
from exercises.exercise import Cut, Exercise

WIDTH = 110


class CutError(ValueError):
    """The engine's text no longer has what an exercise names."""


def solved(exercise: Exercise) -> str:
    """The student's file without holes: the engine's definitions and the imports that they need."""
    known = {name for part in exercise.parts for name in part.names}
    imports: dict[str, set[str]] = {}
    definitions = []
    for part in exercise.parts:
        module = _Module(part.module)
        for node in module.defined(part.names):
            definitions.append(module.text(node))
            for name in _used(node) - known:  # of two modules that import one name, the first tells from where
                for origin, imported in module.where(name):
                    imports.setdefault(origin, set()).add(imported)
                    known.add(name)
    head = f'"""{exercise.title}: {exercise.asks}\n\n{_introduction(exercise)}\n"""'
    return "\n\n".join([head + "\nfrom __future__ import annotations", _import_lines(imports)]) + "\n\n\n" + (
        "\n\n\n".join(definitions) + "\n")


def template(exercise: Exercise) -> str:
    """The student's file as `start` writes it, with holes. Raises CutError where the engine's text has changed."""
    lines = solved(exercise).splitlines()
    tree = ast.parse("\n".join(lines))
    places = sorted(((cut, *_statements(tree, cut)) for cut in exercise.cuts), key=lambda place: -place[2][0].lineno)
    for number, (cut, function, statements) in zip(range(len(places), 0, -1), places, strict=True):
        indent = " " * statements[0].col_offset
        asked = textwrap.wrap(f"Hole {number}: {cut.wanted}", WIDTH - len(indent) - 2)
        hole = [f"{indent}# {line}" for line in asked] + [indent + line for line in _left(function, statements, cut)]
        lines[statements[0].lineno - 1:statements[-1].end_lineno] = hole
    return "\n".join(lines) + "\n"


def function_named(tree: ast.AST, name: str) -> ast.FunctionDef | None:
    """The definition of "f" or "Class.f"."""
    for part in name.split("."):
        found = [node for node in ast.iter_child_nodes(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)
                 and node.name == part]
        if not found:
            return None
        tree = found[0]
    return tree if isinstance(tree, ast.FunctionDef) else None


class _Module:
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


def _used(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _import_lines(imports: dict[str, set[str]]) -> str:
    def group(origin: str) -> int:
        root = origin.split(".")[0]
        return 0 if root in sys.stdlib_module_names else 2 if root == "engine" else 1

    blocks: dict[int, list[str]] = {}
    for name in sorted(imports.pop("", ())):
        blocks.setdefault(group(name.split(" ")[0]), []).append(f"import {name}")
    for origin in sorted(imports):
        line = f"from {origin} import {', '.join(sorted(imports[origin]))}"
        blocks.setdefault(group(origin), []).append(line)
    return "\n\n".join("\n".join(blocks[key]) for key in sorted(blocks))


def _statements(tree: ast.AST, cut: Cut) -> tuple[ast.FunctionDef, list[ast.stmt]]:
    """The function of a cut and the statements that are taken out."""
    function = function_named(tree, cut.function)
    if function is None:
        raise CutError(f"there is no function {cut.function}")
    blocks = [block for node in ast.walk(function) for name in ("body", "orelse") if isinstance(
        block := getattr(node, name, None), list)]
    found = [(block, index) for block in blocks for index, statement in enumerate(block)
             if ast.unparse(statement).startswith(cut.first)]
    if len(found) != 1:
        raise CutError(f"{len(found)} statements of {cut.function} begin with {cut.first!r}; expected one")
    block, start = found[0]
    ends = [index for index, statement in enumerate(block)
            if index >= start and ast.unparse(statement).startswith(cut.last or cut.first)]
    if len(ends) != 1:
        raise CutError(f"{len(ends)} statements of {cut.function} begin with {cut.last!r}; expected one")
    return function, block[start:ends[0] + 1]


def _left(function: ast.FunctionDef, statements: list[ast.stmt], cut: Cut) -> list[str]:
    """What stands in a hole: the names that the rest of the function goes on with, or what is returned."""
    end = statements[-1].end_lineno or 0
    later = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and node.lineno > end}
    left = {}
    for statement in statements:
        if isinstance(statement, ast.Return):
            left["return"] = "return ..."
        elif isinstance(statement, ast.Assign) and (
                isinstance(statement.targets[0], ast.Subscript) or _used(statement.targets[0]) & later):
            target = ast.unparse(statement.targets[0]).removeprefix("(").removesuffix(")")
            left[target] = f"{target} = ..."
    if not left:
        raise CutError(f"what is cut from {cut.function} leaves nothing for the student to fill in")
    return list(left.values())


def _introduction(exercise: Exercise) -> str:
    files = " and ".join(part.module.replace(".", "/") + ".py" for part in exercise.parts)
    text = (f"An exercise on chapter {exercise.chapter}. This is the text of {files} ({RELEASE}) with holes: three "
            "dots stand where code was. Replace them; a hole may take several lines. Then:")
    return (textwrap.fill(text, WIDTH) + f"\n\n    python -m exercises check {exercise.name}\n\n"
            "The solution is the engine's own file. Nothing of how this is judged is hidden: see exercises/.")
