"""A file judged in a process of its own, so that whatever it does ends in one clear message."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from exercises.catalogue import exercise
from exercises.verdict import Verdict, from_json

CHECKOUT = Path(__file__).parents[1]  # where the child finds this project's packages, whatever lies in the folder here
SECONDS = 60.0
PRINTED = 100_000  # bytes: more than this is a flood
SHOWN = 2_000  # characters of it that are shown


def judged(name: str, file: Path, seed: int, seconds: float = SECONDS) -> tuple[Verdict, str]:
    """The verdict on a file, and the beginning of what it printed.

    An endless loop, a crash, an exit, a flood of output and too much memory are verdicts, too. Raises OSError where the
    file cannot be read.
    """
    try:
        file.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return Verdict(name, seed, f"{file.name} is no text in UTF-8: save it so in your editor"), ""
    if missing := [each for each in exercise(name).needs if not file.with_name(f"{each}.py").is_file()]:
        return Verdict(name, seed, f"it goes on with your {missing[0]}.py, which is not in the same folder"), ""
    with tempfile.TemporaryDirectory(prefix="exercises-") as folder:
        answer = Path(folder) / "verdict.json"
        environment = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")}
        child = subprocess.Popen(
            [sys.executable, "-m", "exercises.child", name, str(file.resolve()), file.name, str(seed), str(answer)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, cwd=CHECKOUT,
            start_new_session=True)
        printed = _Printed(child)
        problem = ""
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            problem = (f"it did not end within {seconds:g} seconds: is there a loop without an end, or one over every "
                       "pixel where an array operation would do?")
        finally:
            _end(child)
        text = printed.text()
        if printed.flood:
            problem = f"it printed more than {PRINTED} characters: take the print out of the loop"
        if not problem and child.returncode:
            problem = _ended(child.returncode, text)
        if not problem and not answer.exists():
            problem = "it ended the program before it was judged (sys.exit, os._exit or a signal): take that out"
        verdict = Verdict(name, seed, problem) if problem else from_json(json.loads(answer.read_text("utf-8")))
        return verdict, text


class _Printed:
    """What a child prints, read while it runs; a flood ends it."""

    def __init__(self, child: subprocess.Popen) -> None:
        self.child, self.parts, self.size, self.flood = child, [b""], 0, False
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        stream = self.child.stdout
        while stream and (part := os.read(stream.fileno(), 1 << 16)):
            self.size += len(part)
            if self.size > PRINTED:
                self.flood = True
                _end(self.child)
                return
            self.parts.append(part)

    def text(self) -> str:
        self.thread.join(5)
        text = b"".join(self.parts).decode("utf-8", "replace")
        return text if len(text) <= SHOWN else f"{text[:SHOWN]} ... and {len(text) - SHOWN} characters more"


def _end(child: subprocess.Popen) -> None:
    """End the child and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _ended(code: int, text: str) -> str:
    if code < 0:
        return f"it crashed: the process was ended by {signal.Signals(-code).name}"
    last = text.strip().splitlines()[-1][:200] if text.strip() else ""
    if "MemoryError" in last:
        return "it asks for more memory than there is for an exercise: the arrays here have a few hundred numbers"
    return f"it ended the program with exit code {code} before it was judged{f': {last}' if last else ''}"
