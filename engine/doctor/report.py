"""The findings as a page for a person, and as JSON for a bug report."""
from __future__ import annotations

import json
from dataclasses import asdict
from itertools import groupby

from engine.doctor.finding import Finding

MARKS = {"works": " ", "absent": "-", "broken": "!"}


def page(findings: list[Finding]) -> str:
    """A line for each, in its group; then what to do, and a sentence that sums it up."""
    width = max(len(finding.name) for finding in findings)
    lines = []
    for group, members in groupby(findings, lambda finding: finding.group):
        lines += [group, *(f"{MARKS[each.state]} {each.name:<{width}}  {each.text}" for each in members), ""]
    if remedies := [finding for finding in findings if finding.remedy]:
        lines += ["What to do", *(f"  {each.name:<{width}}  {each.remedy}" for each in remedies), ""]
    broken = [f"{finding.name} ({finding.group})" for finding in findings if finding.state == "broken"]
    absent = sum(finding.state == "absent" for finding in findings)
    lines.append(f"Does not work (!): {', '.join(broken)}" if broken else
                 "All that is there works" + (f"; what is not is marked by -: {absent}" if absent else ""))
    return "\n".join(lines)


def as_json(findings: list[Finding]) -> str:
    """A list of objects, one for each, with the fields of `Finding`."""
    return json.dumps([asdict(finding) for finding in findings], indent=1)
