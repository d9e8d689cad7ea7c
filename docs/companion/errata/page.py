"""The page of the errata, as Markdown made from their outcomes."""
from __future__ import annotations

from collections.abc import Iterable
from inspect import getsource, isfunction

from companion.errata import ERRATA
from companion.errata.erratum import Erratum, Form, Outcome
from experiments.evaluation.recovery import audit
from experiments.reporting.audit_tables import audit_notes, audit_sentences, audit_tables
from experiments.reporting.tables import list_markdown, table_markdown


def overview(errata: Iterable[Erratum] = ERRATA) -> str:
    """A table with a row for every erratum, and how many went as they should."""
    rows, errata = [], list(errata)
    right = 0
    for erratum in errata:
        printed, corrected = erratum.printed_outcome(), erratum.corrected_outcome()
        right += corrected.passed and not printed.passed
        rows.append(f"| [{erratum.name}](#erratum-{erratum.number}) | {erratum.where} | {_verdict(printed)} | "
                    f"{_verdict(corrected)} |")
    return "\n".join(["| erratum | in the thesis | the printed form | the corrected form |", "|:--|:--|:--|:--|", *rows,
                      "", f"In {right} of {len(errata)} checks the printed form fails and the corrected one passes."])


def section(number: int) -> str:
    """All parts of one erratum: both forms, the check, and what it measured of each."""
    return "\n\n".join(_part(erratum) for erratum in ERRATA if erratum.number == number)


def audit_markdown() -> str:
    """The printed tables recomputed: what was found, the tables, and what follows for the text."""
    found = audit()
    tables = [table_markdown(table).replace("## ", "**", 1).replace("\n", "**\n", 1) for table in audit_tables(found)]
    return "\n\n".join([*audit_sentences(found), *tables, list_markdown(audit_notes(found))])


def _part(erratum: Erratum) -> str:
    printed, corrected = erratum.printed_outcome(), erratum.corrected_outcome()
    return "\n".join([
        *([f"**{erratum.name}, {erratum.where}**", ""] if erratum.part else [f"In the thesis: {erratum.where}.", ""]),
        f"- **Printed:** {_sentence(erratum.printed)}", f"- **Corrected:** {_sentence(erratum.corrected)}", "",
        f"*The check.* {erratum.claim}", "",
        f"- The printed form {_verdict(printed)}: {_sentence(printed.measured)}",
        f"- The corrected form {_verdict(corrected)}: {_sentence(corrected.measured)}", "",
        "```python", sources(erratum.printed_form, erratum.corrected_form, erratum.check), "```"])


def _verdict(outcome: Outcome) -> str:
    return f"✓\u00a0{outcome.verdict}" if outcome.passed else f"✗\u00a0**{outcome.verdict}**"


def _sentence(text: str) -> str:
    """With a point at its end, unless brackets with one of their own end it."""
    return text if text.endswith(".)") else f"{text}."


def sources(*functions: Form) -> str:
    """The code of the functions, each behind the private ones of its file that it calls, none of them twice."""
    found: dict[str, str] = {}
    for function in functions:
        named = [function.__globals__.get(name) for name in function.__code__.co_names if name.startswith("_")]
        helpers: list[Form] = [helper for helper in named if isfunction(helper)]
        for one in (*helpers, function):
            found[one.__name__] = getsource(one).rstrip()
    return "\n\n".join(found.values())
