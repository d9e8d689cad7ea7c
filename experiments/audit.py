"""The thesis audited: the counts behind Tables 4.2, 4.3, 4.6 and 4.7, every entry recomputed, and the errata.

    python experiments/audit.py                          prints the tables, writes them to runs/audit
    python experiments/audit.py --output runs/errata     writes audit.json, tables.md and report.html there

Needs no data: the printed figures and the numbers of images of section 4.1 are all there is.
"""
from __future__ import annotations

if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from experiments.system.command import before_imports

    before_imports()

import argparse
from pathlib import Path

from experiments.evaluation.recovery import audit
from experiments.reporting.audit_tables import audit_notes, audit_sentences, audit_tables
from experiments.reporting.head import ReportHead
from experiments.reporting.html import render
from experiments.reporting.tables import table_markdown
from experiments.runs.folder import RunFolder
from experiments.system.command import run_command
from experiments.system.command_parser import CommandParser
from experiments.system.errors import UsageError
from experiments.system.files import write_text
from experiments.system.folders import folder_path
from experiments.system.records import write_record
from experiments.system.versions import versions


def main(argv: list[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    print(run(arguments.output).replace("**", ""))
    print(f"Report: {arguments.output / 'report.html'}")


def run(folder: Path) -> str:
    """audit.json, tables.md and report.html in a folder that holds no run; returns the text of tables.md."""
    if RunFolder(folder).exists():
        raise UsageError(f"{folder} holds a run, whose report would be overwritten; choose another folder by --output")
    found = audit()
    sentences, tables, notes = audit_sentences(found), audit_tables(found), audit_notes(found)
    text = "\n\n".join(["# The thesis audited", *sentences, *map(table_markdown, tables),
                        "\n".join(f"- {note}" for note in notes)]) + "\n"
    head = ReportHead("The thesis audited", ("Tables 4.2, 4.3, 4.6 and 4.7, abstract and footnote 5",),
                      "python experiments/audit.py", {}, versions())
    write_record(folder / "audit.json", found)
    write_text(folder / "tables.md", text)
    write_text(folder / "report.html", render("report.html.jinja", head, sentences, tables, notes, []))
    return text


def parser() -> argparse.ArgumentParser:
    new = CommandParser(__doc__)
    new.add_argument("--output", metavar="DIR", type=folder_path, default=Path("runs/audit"),
                     help="where to write (default: runs/audit)")
    return new


if __name__ == "__main__":
    run_command(main)
