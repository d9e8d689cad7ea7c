"""What the paragraphs of a docstring are that is plain text.

    A paragraph of prose, with `code` in backticks.

        dX = D * rot180(W)                                                        (3.41)
        db = sum of da over n, i, j

    name      what it means, beside its name, and
              perhaps in more lines than one
    another   what that means

What is indented, has two spaces or more between words, or is a formula on a line of its own, y = x + 1, is shown as it
stands, in one width; names with their meanings in one column become a list, as do lines that begin with - or 1.; all
else runs on. Nothing has to be escaped, and nothing else is taken for markup.
"""
from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Literal

ALIGNED = re.compile(r"\S {2,}\S")
FORMULA = re.compile(r"[\w']+(\[[^\]]*\]|/d\w+)* (=|<-) ")  # its left side: dX[n,p,q,c], dl/dz_j
NAMED = re.compile(r"((?:[^\s=<]| (?! ))+)( {2,})\S")  # a name of no equation, and where its meaning begins
LONGEST_NAME = 36  # beyond that it is half of a sentence
ITEM = re.compile(r"(?:-|\d+\.) +")

Kind = Literal["prose", "written", "names", "item"]


def blocks(lines: Iterable[str]) -> Iterator[tuple[Kind, list[str]]]:
    """Every paragraph with what it is; neighbours that are both shown as written are one."""
    written: list[str] = []
    for block in _paragraphs(list(lines)):
        if (kind := _kind(block)) == "written":
            written += ["", *block] if written else block
            continue
        if written:
            yield "written", dedented(written)
            written = []
        yield kind, dedented(block)
    if written:
        yield "written", dedented(written)


def _paragraphs(lines: list[str]) -> Iterator[list[str]]:
    """Runs of lines that are all indented or all not; below an aligned line others may be indented further.

    An item of a list goes on, over empty lines, as long as lines are indented.
    """
    start = 0
    while start < len(lines):
        end = start + 1
        if ITEM.match(lines[start]):
            while end < len(lines) and (_indented(lines[end]) or not lines[end].strip()):
                end += 1
        else:
            while end < len(lines) and _goes_on(lines[start:end], lines[end]):
                end += 1
        if lines[start].strip():
            yield lines[start:end]
        start = end


def _goes_on(block: list[str], line: str) -> bool:
    item = ITEM.match(line) and block[-1].endswith((".", ":"))
    alike = _indented(line) == _indented(block[0]) or (_indented(line) and _aligned(block))
    return bool(line.strip() and block[0].strip() and alike and not item)


def _kind(block: list[str]) -> Kind:
    if ITEM.match(block[0]):
        return "item"
    if columns(block):
        return "names"
    formula = len(block) == 1 and FORMULA.match(block[0])
    return "written" if _indented(block[0]) or _aligned(block) or formula else "prose"


def columns(block: list[str]) -> list[tuple[str, str]]:
    """(name, meaning) of a block in which all meanings begin in one column; empty for others."""
    lines = dedented(block)
    first = NAMED.match(lines[0])
    if first is None or len(first[1]) > LONGEST_NAME:
        return []
    column = first.end(2)
    entries: list[tuple[str, str]] = []
    for line in lines:
        match, meaning = NAMED.match(line), line[column:]
        if ALIGNED.search(meaning) or line[column - 1] != " " or meaning.startswith(" "):
            return []
        if match and match.end(2) == column:
            entries.append((match[1], meaning))
        elif entries and not line[:column].strip():
            entries[-1] = entries[-1][0], f"{entries[-1][1]} {meaning}"
        else:
            return []
    return entries


def _indented(line: str) -> bool:
    return line.startswith(" ")


def _aligned(block: list[str]) -> bool:
    return any(ALIGNED.search(line.strip()) for line in block)


def dedented(block: list[str]) -> list[str]:
    return textwrap.dedent("\n".join(block)).split("\n")
