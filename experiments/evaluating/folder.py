"""The folder of an evaluation and what every page of one says of itself."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.evaluating.comparison import sets_table
from experiments.evaluating.record import EvaluationRecord
from experiments.reporting.head import ReportHead
from experiments.reporting.html import Picture, Section, render, section_markdown
from experiments.reporting.tables import Table, list_markdown, table_markdown
from experiments.runs.folder import RunFolder
from experiments.system.errors import UsageError
from experiments.system.files import write_bytes, write_text
from experiments.system.records import write_record

SHOWN = 16  # digits of a digest on the page; config.json has all


def require_free(folder: RunFolder) -> None:
    """Raises UsageError where there is a run, or another evaluation."""
    if folder.exists():
        raise UsageError(f"{folder.path} holds a run already; choose another folder with --output")


def write_evaluation(folder: RunFolder, record: EvaluationRecord, title: str, settings: Mapping[str, Any],
                     results: object, sentences: list[str], tables: list[Table], notes: list[str],
                     pictures: Mapping[str, Picture], sections: list[Section]) -> None:
    """figures/*.png, results.json, tables.md, report.html, and last config.json.

    Each file is written whole or not at all. Raises Failure where one cannot be written.
    """
    head = ReportHead(title, (f"trained on {record.own.name}", f"evaluated on {record.data.name}",
                              f"begun {record.started.replace('T', ' ')[:16]}"), record.command,
                      settings, record.versions)
    page = render("evaluation.html.jinja", head, sentences, tables, notes, list(pictures.values()), sections,
                  record.data, sets=sets_table(record.own, record.data, list(record.data.test)), own=record.own)
    for name, picture in pictures.items():
        write_bytes(folder.path / "figures" / f"{name}.png", picture.data)
    write_record(folder.path / "results.json", results)
    write_text(folder.path / "tables.md", "\n\n".join(
        [f"# {title}", *sentences, *map(table_markdown, tables), list_markdown(notes),
         *map(section_markdown, sections)]) + "\n")
    write_text(folder.path / "report.html", page)
    write_record(folder.config, record)


def settings_of(record: EvaluationRecord, run: Mapping[str, Any]) -> dict[str, Any]:
    """For the page. run: the settings that it was trained with."""
    return {"run": record.run, "trained by": f"experiments/{record.of_experiment}.py",
            "folder of the other set": record.place, "unit": record.unit.described, "views": record.choices.views,
            "birads": record.choices.birads, "max_pixels": record.choices.max_pixels, "device": record.device,
            **{f"run's {name}": run[name] for name in ("preset", "seed", "side", "working_side", "clip_limit")},
            **{f"SHA-256 of {name}": f"{digest[:SHOWN]}..." for name, digest in record.checkpoints.items()}}
