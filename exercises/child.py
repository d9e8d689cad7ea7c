"""The child process: judges one file and leaves the verdict in another. Started by process.py, not by hand."""
from __future__ import annotations

import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path

from exercises.catalogue import exercise
from exercises.judge import judge

MEMORY = 4 << 30  # address space: what code may ask for before it gets a MemoryError, not the machine's last page


def main(name: str, file: str, shown: str, seed: str, answer: str) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    needed = {each: Path(file).with_name(f"{each}.py").read_text("utf-8") for each in exercise(name).needs}
    verdict = judge(exercise(name), Path(file).read_text("utf-8"), int(seed), shown, needed)
    sys.stdout.flush()
    Path(answer).write_text(json.dumps(asdict(verdict)), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
