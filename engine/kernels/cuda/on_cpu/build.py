"""Kernel files compiled by g++ into libraries that are kept by what they were made of."""
from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
COMMON = FOLDER.parent / "common.cuh"
FLAGS = ["-std=c++17", "-g1", "-fPIC", "-ffp-contract=off", "-fno-exceptions", "-fno-gnu-unique", f"-I{FOLDER}"]
FAST, CHECKED = ["-O2"], ["-O1", "-DCHECKED", "-fno-store-merging"]  # every access as it is written
HOOKS = ["-fsanitize=thread,alignment,bounds,signed-integer-overflow,integer-divide-by-zero,shift"]  # calls of our own
LIBRARIES = ["-nodefaultlibs", "-lstdc++", "-lm", "-lgcc_s", "-lgcc", "-lc"]  # all but that of -fsanitize
RUNTIME = '#include "emulator.cpp"\n#include "memory.cpp"\n'


class CompileError(Exception):
    """g++ is not there, or did not take a kernel file."""


def library(text: str, file: str, checked: bool) -> Path:
    """The shared library of a kernel file's text. Raises CompileError."""
    flags = [*FLAGS, *(CHECKED if checked else FAST)]
    runtime = _kept(RUNTIME, "runtime.cpp", [*flags, "-c"], [], ".o")
    own = [*(HOOKS if checked else []), "-Wall", "-Wno-unknown-pragmas", "-shared", "-include", "emulator.h",
           "-include", str(COMMON)]
    return _kept(text, f"{file}.cu", [*flags, *own], ["-x", "none", str(runtime), *LIBRARIES], ".so")


def _kept(text: str, name: str, flags: list[str], last: list[str], suffix: str) -> Path:
    key = hashlib.sha256("\0".join([text, name, *flags, *last, _everything_else()]).encode()).hexdigest()[:24]
    path = _folder() / f"{key}{suffix}"
    if path.exists():
        return path
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        (Path(folder) / name).write_text(text, "utf-8")
        ended = subprocess.run([compiler(), *flags, "-o", path.name, "-x", "c++", name, *last], cwd=folder, text=True,
                               capture_output=True)
        if ended.returncode:
            raise CompileError(f"g++ did not compile it:\n{ended.stderr}")
        os.replace(Path(folder) / path.name, path)  # whole, or not at all
    return path


def compiler() -> str:
    """Where g++ is. Raises CompileError, with what to do, where there is none."""
    found = shutil.which("g++")
    if not found:
        raise CompileError("no g++ found; CUDA kernels on the CPU are compiled by it: install it, for one by "
                           "'apt-get install g++'")
    return found


@cache
def _everything_else() -> str:
    version = subprocess.run([compiler(), "-dumpfullversion"], capture_output=True, text=True, check=True).stdout
    own = [path.read_text("utf-8") for path in sorted([*FOLDER.glob("*.h"), *FOLDER.glob("*.cpp"), COMMON])]
    return "\0".join([version, platform.machine(), *own])


def _folder() -> Path:
    """Where libraries are kept: the user's cache, or else the temporary folder."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for folder in (root / "mammography-from-scratch" / "cuda-on-cpu",
                   Path(tempfile.gettempdir()) / f"mammography-from-scratch-cuda-on-cpu-{os.getuid()}"):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid():
            return folder
    raise CompileError(f"neither {root} nor {tempfile.gettempdir()} can be written to; set XDG_CACHE_HOME to a folder "
                       "that can")
