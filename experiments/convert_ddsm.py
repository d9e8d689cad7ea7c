"""DDSM as 16-bit PNG files with masks and one CSV: every .LJPEG decoded exactly, once, for this project and any other.

    python experiments/convert_ddsm.py --data DDSM --output DDSM-png
    python experiments/convert_ddsm.py --data DDSM/cancers/cancer_01 --output cancer_01 --workers 4
    python experiments/convert_ddsm.py --data DDSM --output DDSM-grey --levels grey
    python experiments/end2end.py --data DDSM-png

--data is DDSM as it is distributed, the whole, a volume or a case. The same command again, after a kill or when files
were added, converts what is missing, cut off, or made of other files than there are now. README.txt in the output says
what the levels mean, conversion.json which views were left out, and why. A view that cannot be decoded or is absent
does not stop the others; the exit code is then 1.
"""
from __future__ import annotations

if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from experiments.system.command import before_imports

    before_imports()

import argparse
import os
import shutil
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from textwrap import fill

from engine.files import PARTIAL
from experiments.datasets import ddsm
from experiments.datasets.ddsm.conversion import (
    FORMAT,
    README,
    ConversionRecord,
    LeftOutRecord,
    convert,
    up_to_date,
    write_table,
)
from experiments.datasets.ddsm.density import about_levels
from experiments.datasets.ddsm.films import ABSENT, Film, LeftOut
from experiments.datasets.images.sizes import add_max_pixels
from experiments.datasets.mammogram import printable
from experiments.system.argument_types import whole_number
from experiments.system.command import run_command
from experiments.system.command_parser import CommandParser
from experiments.system.errors import Failure, UsageError
from experiments.system.files import write_text
from experiments.system.processes import in_processes
from experiments.system.progress import announce as say
from experiments.system.progress import bar
from experiments.system.records import read_record, write_record

RECORD = "conversion.json"
DAMAGED = "its .LJPEG file is damaged or cannot be read"


def main(argv: list[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    run(arguments.data, arguments.output, arguments.levels, arguments.workers, arguments.max_pixels)


def run(data: Path, output: Path, levels: str, workers: int, max_pixels: int) -> None:
    """levels: "density" or "grey"."""
    try:
        check(data, output, levels, workers)
        films, left_out = ddsm.open_films(data)
    except OSError as error:
        raise Failure(f"{error.filename or data}: cannot be read ({error.strerror or error})") from error
    announce(films, output)
    record = ConversionRecord(FORMAT, levels, printable(str(data.resolve())))
    write_record(output / RECORD, record)
    write_text(output / "README.txt", README.format(levels=fill(about_levels(levels), 120)))
    faults = convert_all(films, output, levels, workers, max_pixels)
    converted = [film for film in films if film.name not in faults]
    left_out = left_out + [LeftOut(film.image, DAMAGED, faults[film.name]) for film in films if film.name in faults]
    write_table(output / "ddsm.csv", converted)
    write_record(output / RECORD, replace(record, complete=True, converted=len(converted), left_out=[
        LeftOutRecord(printable(str(view.image)), view.reason, printable(view.detail)) for view in left_out]))
    report(converted, left_out, output)


def parser() -> argparse.ArgumentParser:
    new = CommandParser(__doc__)
    new.add_argument("--data", metavar="DIR", type=Path, required=True, help="DDSM: cases in any folders")
    new.add_argument("--output", metavar="DIR", type=Path, required=True,
                     help="new folder, or that of a conversion to continue")
    new.add_argument("--levels", choices=("density", "grey"), default="density",
                     help="density: 10000 (3.60 - optical density), comparable between digitizers, for --data of this "
                          "project's commands (the default); grey: the digitizer's own grey levels, bit for bit")
    new.add_argument("--workers", type=whole_number, default=os.cpu_count() or 1, metavar="N",
                     help="processes (default: one for each processor); each needs about 0.25 GB")
    add_max_pixels(new)
    return new


def check(data: Path, output: Path, levels: str, workers: int) -> None:
    """Raises `UsageError` for a call that cannot be meant."""
    if workers < 1:
        raise UsageError(f"--workers {workers}: expected at least 1")
    if not data.is_dir() or not ddsm.recognise(data):
        raise UsageError(f"--data {data}: expected a folder with cases of DDSM (A-0002-1.ics, ...) at any depth")
    if output.resolve().is_relative_to(data.resolve()):
        raise UsageError(f"--output {output} is inside {data}; choose a folder elsewhere")
    if output.exists() and not output.is_dir():
        raise UsageError(f"--output {output}: is a file, expected a folder")
    if (output / RECORD).is_file():
        if not _is_same_conversion(output / RECORD, levels):
            raise UsageError(f"--output {output} holds a conversion with other --levels or of another version; choose "
                             "another folder")
    elif output.exists() and any(output.iterdir()):
        raise UsageError(f"--output {output}: expected a new or an empty folder, or that of a conversion to continue")


def _is_same_conversion(earlier: Path, levels: str) -> bool:
    try:
        record = read_record(ConversionRecord, earlier)
    except Failure:
        return False
    return (record.format, record.levels) == (FORMAT, levels)


def announce(films: list[Film], output: Path) -> None:
    coded = sum(film.image.stat().st_size for film in films)
    place = next(folder for folder in (output, *output.resolve().parents) if folder.exists())
    say(f"{len(films)} views to convert. PNG files take about 1.4 times the room of .LJPEG files: "
        f"{1.4 * coded / 1e9:.1f} GB in all; {shutil.disk_usage(place).free / 1e9:.1f} GB are free in {place}")


def convert_all(films: list[Film], output: Path, levels: str, workers: int, max_pixels: int) -> dict[str, str]:
    """Converts what is missing; name of a film that cannot be decoded -> why."""
    for unfinished in output.glob(f"*/.*{PARTIAL}"):
        unfinished.unlink()
    missing = [film for film in films if not up_to_date(film, output, levels)]
    faults = {}
    with bar(len(films) if missing else 0, "Converting", "view", initial=len(films) - len(missing)) as shown:
        results = in_processes(partial(convert, output=output, levels=levels, max_pixels=max_pixels), missing, workers)
        for film, fault in zip(missing, results, strict=True):
            if fault:
                faults[film.name] = fault
            shown.update()
    return faults


def report(converted: list[Film], left_out: list[LeftOut], output: Path) -> None:
    """The summary; `Failure` where images were absent or damaged, since another copy would mend that."""
    labels = Counter(film.label for film in converted)
    print(f"Converted: {len(converted)} views of {len({film.case.patient for film in converted})} women ("
          + ", ".join(f"{labels[label]} {label}" for label in ("cancer", "normal", "benign")) + f") in {output}")
    reasons = Counter(view.reason for view in left_out)
    for reason, count in reasons.most_common():
        print(f"  left out: {count} ({reason})")
    bad = [view for view in left_out if view.reason in (ABSENT, DAMAGED)]
    if bad:
        kinds = f"{reasons[ABSENT]} .LJPEG files are absent and {reasons[DAMAGED]} damaged or not to be read"
        raise Failure(f"{kinds}, the first {bad[0].detail or bad[0].image}. {output / RECORD} lists them "
                      "all. The other views can be used; when these files are in their places, give the same command")


if __name__ == "__main__":
    run_command(main, "stopped; the same command goes on from here")
