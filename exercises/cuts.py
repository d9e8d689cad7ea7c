"""Where a cut is in a text, and what stands in the hole that it leaves."""
from __future__ import annotations

import ast

from exercises.definitions import CutError, used
from exercises.exercise import Cut


def function_named(tree: ast.AST, name: str) -> ast.FunctionDef | None:
    """The definition of "f" or "Class.f"."""
    for part in name.split("."):
        found = [node for node in ast.iter_child_nodes(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)
                 and node.name == part]
        if not found:
            return None
        tree = found[0]
    return tree if isinstance(tree, ast.FunctionDef) else None


def statements_of(tree: ast.AST, cut: Cut) -> tuple[ast.FunctionDef, list[ast.stmt]]:
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


def left_by(function: ast.FunctionDef, statements: list[ast.stmt], cut: Cut) -> list[str]:
    """What stands in a hole: the names that the rest of the function goes on with, or what is returned."""
    end = statements[-1].end_lineno or 0
    later = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and node.lineno > end}
    left = {}
    for statement in statements:
        if isinstance(statement, ast.Return):
            left["return"] = "return ..."
        elif isinstance(statement, ast.Assign) and (
                isinstance(statement.targets[0], ast.Subscript) or used(statement.targets[0]) & later):
            target = ast.unparse(statement.targets[0]).removeprefix("(").removesuffix(")")
            left[target] = f"{target} = ..."
    if not left:
        raise CutError(f"what is cut from {cut.function} leaves nothing for the student to fill in")
    return list(left.values())
