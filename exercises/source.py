"""The student's file, cut from the engine's own text: nothing of it is kept in this package."""
from __future__ import annotations

import ast
import sys
import textwrap

from engine.version import RELEASE
from exercises.cuts import left_by, statements_of
from exercises.definitions import ModuleText, used
from exercises.exercise import Exercise

WIDTH = 110


def solved(exercise: Exercise) -> str:
    """The student's file without holes: the engine's definitions and the imports that they need."""
    known = {name for part in exercise.parts for name in part.names}
    imports: dict[str, set[str]] = {}
    definitions = []
    for part in exercise.parts:
        module = ModuleText(part.module)
        for node in module.defined(part.names):
            definitions.append(module.text(node))
            for name in used(node) - known:  # of two modules that import one name, the first tells from where
                for origin, imported in module.where(name):
                    imports.setdefault(origin, set()).add(imported)
                    known.add(name)
    head = f'"""{exercise.title}.\n\n{_introduction(exercise)}\n"""'
    return "\n\n".join([head + "\nfrom __future__ import annotations", _import_lines(imports)]) + "\n\n\n" + (
        "\n\n\n".join(definitions) + "\n")


def template(exercise: Exercise) -> str:
    """The student's file as `start` writes it, with holes. Raises CutError where the engine's text has changed."""
    lines = solved(exercise).splitlines()
    tree = ast.parse("\n".join(lines))
    places = sorted(((cut, *statements_of(tree, cut)) for cut in exercise.cuts), key=lambda place: -place[2][0].lineno)
    for number, (cut, function, statements) in zip(range(len(places), 0, -1), places, strict=True):
        indent = " " * statements[0].col_offset
        asked = textwrap.wrap(f"Hole {number}: {cut.wanted}", WIDTH - len(indent) - 2)
        hole = [f"{indent}# {line}" for line in asked] + [indent + line for line in left_by(function, statements, cut)]
        lines[statements[0].lineno - 1:statements[-1].end_lineno] = hole
    return "\n".join(lines) + "\n"


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


def _introduction(exercise: Exercise) -> str:
    *others, last = [part.module.replace(".", "/") + ".py" for part in exercise.parts]
    files = f"{', '.join(others)} and {last}" if others else last
    text = (f"{exercise.asks} The chapter to read is docs/chapters/{exercise.chapter}.md. This is the text of {files} "
            f"({RELEASE}) with holes: three dots stand where code was. Replace them; a hole may take several lines. "
            "Then:")
    return (textwrap.fill(text, WIDTH, break_on_hyphens=False)
            + f"\n\n    python -m exercises check {exercise.name}\n\n"
            "The solution is the engine's own file. Nothing of how this is judged is hidden: see exercises/.")
