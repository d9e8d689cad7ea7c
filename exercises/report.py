"""The report: what passes, with which versions, and a digest over all of it."""
from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np

from engine.files import write_whole
from engine.version import RELEASE
from exercises.catalogue import ORDER
from exercises.folder import Misuse, digest, file_of
from exercises.process import judged

PROVES = """what the digest proves: that a report was not changed since it was made, by accident or by a careless hand.
What it does not prove: who wrote the files, or that nobody made a report by hand, since anybody can compute the digest.
So `--verify` judges the files in --folder again, with the report's seed, and says whether they are the ones reported.
"""


def make(folder: Path, seed: int, output: Path | None) -> bool:
    """Judge every file that was started, print a line each, and write the report. Whether all of them passed.

    Raises Misuse where none was started, or the report cannot be written.
    """
    started = [name for name in ORDER if file_of(folder, name).is_file()]
    if not started:
        raise Misuse(f"no exercise was started in {folder}: `python -m exercises start {ORDER[0]}` begins")
    files = {name: _entry(folder, name, seed) for name in started}
    report: dict[str, Any] = {"engine": RELEASE, "numpy": np.__version__, "python": platform.python_version(),
                              "seed": seed, "exercises": len(ORDER), "files": files}
    report["digest"] = _digest(report)
    passed = sum(entry["passed"] for entry in files.values())
    print(f"passed {passed} of {len(ORDER)}, {len(files)} started; {RELEASE}, NumPy {np.__version__}, Python "
          f"{report['python']}, seed {seed}\ndigest {report['digest']}")
    if output:
        try:
            write_whole(output, (json.dumps(report, indent=1) + "\n").encode())
        except OSError as error:
            raise Misuse(f"{output} cannot be written: {error.strerror or error}") from None
    return passed == len(files)


def verify(file: Path, folder: Path) -> bool:
    """Check a report's digest, and judge the files that it names again. Raises Misuse where it is no report."""
    report = _read(file)
    if _digest(report) != report["digest"]:
        print(f"{file}: the digest does not belong to the report, which was changed after it was made")
        return False
    print(f"{file}: the digest belongs to the report ({report['engine']}, NumPy {report['numpy']}, Python "
          f"{report['python']}, seed {report['seed']})")
    if report["engine"] != RELEASE:
        print(f"note: judged now by {RELEASE}")
    agreed = True
    for name, entry in report["files"].items():
        if name not in ORDER or not file_of(folder, name).is_file():
            print(f"{name:24} not there: put the student's files into {folder}, or name their --folder")
            agreed = False
            continue
        now = _entry(folder, name, report["seed"])
        if now != entry:
            what = "another file than the one reported" if now["sha256"] != entry.get("sha256") else (
                f"reported as {'passed' if entry.get('passed') else 'not passed'}")
            print(f"{'':24} differs: {what}")
            agreed = False
    if agreed:
        print(f"all as reported: passed {sum(entry['passed'] for entry in report['files'].values())} of "
              f"{report['exercises']}")
    return agreed


def _entry(folder: Path, name: str, seed: int) -> dict[str, Any]:
    path = file_of(folder, name)
    try:
        sha256 = digest(path)
        verdict, _ = judged(name, path, seed)
    except OSError as error:
        raise Misuse(f"{path}: {error.strerror or error}") from None
    print(f"{name:24} {'passed' if verdict.passed else 'not yet'}", flush=True)
    return {"passed": verdict.passed, "sha256": sha256}


def _digest(report: dict[str, Any]) -> str:
    rest = {key: value for key, value in report.items() if key != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _read(file: Path) -> dict[str, Any]:
    try:
        report = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Misuse(f"{file} is no report: {getattr(error, 'strerror', None) or error}") from None
    keys = {"engine": str, "numpy": str, "python": str, "seed": int, "exercises": int, "files": dict,
            "digest": str}
    if not (isinstance(report, dict) and all(isinstance(report.get(key), kind) for key, kind in keys.items())
            and all(isinstance(entry, dict) for entry in report["files"].values())):
        raise Misuse(f"{file} is no report; expected a file that `python -m exercises report --output FILE` wrote")
    return report
