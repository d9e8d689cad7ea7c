"""Names come from the user's files and may hold anything: what makes them safe to show in a table, page or figure."""
import html
import re

# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection"), but for plain numbers.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"'*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
# What ends a cell, opens code, emphasis or HTML, or makes a link; a lone bracket is only a bracket.
_MARKUP = re.compile(r"[\\`*|]|(?<=\])\(")


def printable(text: str) -> str:
    """The text with what has no form in UTF-8 (bytes of a file's name that are none) as an escape, "\\udcff"."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def inert(text: str) -> str:
    """The text as a cell of a CSV file that no spreadsheet computes: "=1+1" becomes "'=1+1", "-1.5" remains a number.

    `original` takes the apostrophe away again. A text that looks like the result of this, "'=1+1", gets one more, so
    that every text comes back; all others are as they were.
    """
    return f"'{text}" if _computed(text) else text


def original(cell: str) -> str:
    """The text of which `inert` made the cell."""
    return cell[1:] if cell.startswith("'") and _computed(cell) else cell


def markdown(text: str) -> str:
    """The text in one line of Markdown, also in a cell of a table: no HTML, no emphasis, no links of its own."""
    return html.escape(_MARKUP.sub(r"\\\g<0>", " ".join(printable(text).split())), quote=False)


def _computed(text: str) -> bool:
    return bool(_FORMULA.match(text)) and not _NUMBER.fullmatch(text)
