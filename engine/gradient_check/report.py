"""What the command leaves behind: a table, a JSON file."""
from __future__ import annotations

import json
import math
from pathlib import Path

from engine.files import write_whole
from engine.gradient_check.result import Result


def table(results: list[Result]) -> str:
    """Name, parameter, worst relative error and verdict of every result, then the messages of what did not pass.

    "<4e-03" is an error of which no more can be told: see `Result.resolution`.
    """
    rows = [("name", "parameter", "worst relative error", "verdict")]
    rows += [(r.name, r.parameter, _shown(r), r.verdict) for r in results]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    rows.insert(1, ("-" * widths[0], "-" * widths[1], "-" * widths[2], "-" * widths[3]))
    lines = [f"{name:<{widths[0]}}  {parameter:<{widths[1]}}  {error:>{widths[2]}}  {verdict}"
             for name, parameter, error, verdict in rows]
    bad = [r for r in results if not r.passed]
    lines += ["", *(f"{r.verdict}: {r.name}, {r.parameter}: {r.message}" for r in bad)] if bad else []
    names = len({r.name for r in results})
    summary = f"{len(results) - len(bad)} of {len(results)} checks of {names} layers, losses and networks passed"
    if small := sum(r.verdict == "too small" for r in results):
        summary += f"; in {small} the gradient is too small to be told from roundoff, as where the true one is 0"
    return "\n".join([*lines, "", summary])


def _shown(result: Result) -> str:
    if result.verdict == "too small" or not math.isfinite(result.error):
        return "-"
    return f"<{result.resolution:.0e}" if result.resolution else f"{result.error:.1e}"


def write_json(file: Path, results: list[Result]) -> None:
    """A list of {name, parameter, error, resolution, passed}; error is null where there was no number to compare."""
    rows = [{"name": r.name, "parameter": r.parameter, "error": r.error if math.isfinite(r.error) else None,
             "resolution": r.resolution, "passed": r.passed} for r in results]
    write_whole(file, (json.dumps(rows, indent=1) + "\n").encode())
