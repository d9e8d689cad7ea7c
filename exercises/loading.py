"""From the text of a file to what it defines, and what is said where that does not work."""
from __future__ import annotations

import ast
import sys
import traceback
from types import ModuleType

NAME = "student_file"  # stands in sys.modules while code is tried: dataclasses look there


class Unusable(Exception):
    """The file cannot be judged; the message says what to do."""


def load(text: str, filename: str, needed: tuple[str, ...] = ()) -> ModuleType:
    """What the text defines.

    Raises Unusable for a syntax error, a hole that is left, an error while it is imported, and a missing definition.
    """
    try:
        tree = ast.parse(text, filename)
        code = compile(text, filename, "exec")
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise Unusable(f"{filename} is no Python{f': line {line}' if line else ''}: "
                       f"{getattr(error, 'msg', error)}") from None
    if left := holes(tree):
        line, function = left[0]
        more = f" (and {len(left) - 1} more)" if len(left) > 1 else ""
        raise Unusable(f"there is a hole left in {function}, line {line}{more}: put code in the place of the "
                       "three dots")
    module = ModuleType(NAME)
    module.__file__ = filename
    sys.modules[NAME] = module
    try:
        exec(code, module.__dict__)
    except Exception as error:
        raise Unusable(f"the file cannot be imported: {described(error, filename)}") from None
    if missing := [name for name in needed if not hasattr(module, name)]:
        raise Unusable(f"the file no longer defines {', '.join(missing)}: `start` with another --folder writes it anew")
    return module


def holes(tree: ast.AST) -> list[tuple[int, str]]:
    """(line, function) of the statements that are three dots, or give three dots to a name or to the caller."""
    found: list[tuple[int, str]] = []

    def visit(node: ast.AST, path: str) -> None:
        for child in ast.iter_child_nodes(node):
            name = getattr(child, "name", "") if isinstance(child, ast.FunctionDef | ast.ClassDef) else ""
            inside = f"{path}.{name}".strip(".") if name else path
            value = getattr(child, "value", None) if isinstance(
                child, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return | ast.Expr) else None
            if isinstance(value, ast.Constant) and value.value is ...:
                found.append((getattr(child, "lineno", 0), inside or "the file"))
            visit(child, inside)

    visit(tree, "")
    return found


def described(error: BaseException, filename: str) -> str:
    """What an error says, and the line of the student's file where it happened."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == filename]
    where = f"line {frames[-1].lineno}, in {frames[-1].name}: " if frames else ""
    advice = ". The arrays here have a few hundred numbers: is a shape much too large?" if isinstance(
        error, MemoryError) else ""
    return f"{where}{type(error).__name__}: {error}{advice}"
