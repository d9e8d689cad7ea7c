"""What a checked run noticed, in words."""
from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Sequence
from pathlib import Path

KINDS = ("race", "outside", "unwritten", "unfinished", "misaligned", "elsewhere", "barriers", "index",
         "overflow")  # as in memory.h


class KernelError(Exception):
    """A kernel did on the CPU what it must not do on a GPU. The message has a line for each kind and place."""


class Finding(ctypes.Structure):
    """As in memory.h."""
    _fields_ = (("kind", ctypes.c_int), ("argument", ctypes.c_int), ("cell", ctypes.c_longlong),
                ("count", ctypes.c_longlong), ("block", ctypes.c_uint), ("thread", ctypes.c_uint),
                ("other_thread", ctypes.c_uint), ("other_block", ctypes.c_uint), ("writes", ctypes.c_int),
                ("other_writes", ctypes.c_int), ("line", ctypes.c_longlong), ("other_line", ctypes.c_longlong),
                ("name", ctypes.c_char_p))


def messages(library: Path, findings: Sequence[Finding], names: Sequence[str]) -> list[str]:
    """A line for each finding. names: of the arrays that the kernel was given."""
    lines = _lines(library, {line for finding in findings for line in (finding.line, finding.other_line) if line >= 0})
    return [message for finding in findings if (message := _message(finding, names, lines))]


def _message(finding: Finding, names: Sequence[str], lines: dict[int, str]) -> str:
    line, other_line = lines.get(finding.line, "?"), lines.get(finding.other_line, "?")
    shared = finding.argument < 0
    array = f"shared {finding.name.decode()}" if shared else (names[finding.argument] if names else "")
    what, does = f"{array}[{finding.cell}]", "writes" if finding.writes else "reads"
    who = f"thread {finding.thread} of block {finding.block}"
    other = f"thread {finding.other_thread}" + (
        f" of block {finding.other_block}" if finding.other_block != finding.block else "")
    times = f" ({finding.count} times)" if finding.count > 1 else ""
    match KINDS[finding.kind]:
        case "race":
            return (f"race on {what}: {line} {does}, {other_line} {'writes' if finding.other_writes else 'reads'} "
                    f"with no barrier between: {who}, {other}{times}")
        case "outside":
            return f"outside of {array}: {line} {does} {what}: {who}{times}"
        case "unwritten":
            return f"unwritten: {line} reads {what}, which no thread wrote: {who}{times}"
        case "unfinished":
            return f"unfinished: {line} {does} {what}, to which cp.async of {other_line} is under way: {who}{times}"
        case "misaligned":
            return f"misaligned: {line} uses an address that is no multiple of {finding.cell}: {who}"
        case "elsewhere":
            return f"outside of all arrays: {line} {does}: {who}"
        case "index":
            return f"outside of an array's dimension: {line} has the index {finding.cell}: {who}"
        case "overflow":
            return f"overflow, or a division by zero, or a shift too far: {line}: {who}"
    if line == other_line:
        return ""  # one barrier, that the compiler wrote twice
    return f"divergent barrier: threads wait at {line} and at {other_line}: {who}, {other}"


def _lines(library: Path, addresses: set[int]) -> dict[int, str]:
    """The line of the kernel file for addresses in its library, "activations.cu:7", through inlined functions."""
    if not addresses:
        return {}
    ended = subprocess.run(["addr2line", "-a", "-i", "-e", str(library), *map(hex, sorted(addresses))],
                           capture_output=True, text=True, check=True)
    places: dict[int, list[str]] = {}
    for text in ended.stdout.splitlines():
        if text.startswith("0x"):
            frames = places.setdefault(int(text, 16), [])
        else:
            frames.append(Path(text.split(" (")[0]).name)
    return {address: next((frame for frame in frames if ".cu:" in frame), frames[0])
            for address, frames in places.items()}
