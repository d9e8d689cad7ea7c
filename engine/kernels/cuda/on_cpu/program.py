"""A compiled kernel file, and a launch of one of its kernels on the CPU."""
from __future__ import annotations

import ctypes
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from engine.kernels.cuda.on_cpu.build import CompileError, library
from engine.kernels.cuda.on_cpu.findings import Finding, KernelError, messages
from engine.kernels.cuda.signatures import Signature, parse, text_of

RED_ZONE, ALIGNMENT = 4096, 256  # bytes; as in memory.h, and as cudaMalloc gives them
Order = Literal["ascending", "descending", "shuffled"]
ORDERS: tuple[Order, ...] = ("ascending", "descending", "shuffled")
Three = tuple[int, int, int]


@dataclass(frozen=True)
class Emulation:
    """In which order blocks and threads run, whether every access is checked; how often each kernel was launched."""
    order: Order = "ascending"
    seed: int = 0
    checked: bool = False
    launched: Counter[str] = field(default_factory=Counter)


ASCENDING = Emulation()
_emulation: ContextVar[Emulation] = ContextVar("emulation", default=ASCENDING)


@contextmanager
def emulating(order: Order = "ascending", seed: int = 0, checked: bool = False) -> Iterator[Counter[str]]:
    """How kernels run in this context; given is how often each was launched. seed: of the order "shuffled"."""
    emulation = Emulation(order, seed, checked)
    before = _emulation.set(emulation)
    try:
        yield emulation.launched
    finally:
        _emulation.reset(before)


class _Array(ctypes.Structure):
    """As in memory.h."""
    _fields_ = (("data", ctypes.c_void_p), ("bytes", ctypes.c_size_t), ("cell", ctypes.c_uint),
                ("writable", ctypes.c_int))


class Program:
    """A kernel file's text, compiled. Raises CompileError, also where it and g++ read a signature differently."""

    def __init__(self, text: str, file: str, checked: bool) -> None:
        self.signatures = parse(text, file)
        self.path = library(text, file, checked)
        self.library = ctypes.CDLL(str(self.path))
        self.library.emulator_kernels.restype = self.library.emulator_run.restype = ctypes.c_char_p
        self.lock = threading.Lock()  # of the library's variables
        compiled = dict(line.split("\t") for line in self.library.emulator_kernels().decode().splitlines())
        for instance, signature in self.signatures.items():
            parameters = "".join(f"{parameter.mangled} " for parameter in signature.parameters)
            if compiled.get(instance) != parameters:
                raise CompileError(f"{signature.name} has the parameters {compiled.get(instance)} for g++; expected "
                                   f"{parameters}: write them as the other kernels do")

    def __del__(self) -> None:
        """The threads' stacks go with the program; its library stays loaded, as Python never unloads one."""
        if hasattr(self, "library"):
            self.library.emulator_release()

    def run(self, instance: str, grid: Three, block: Three, arguments: Sequence[Any], shared_bytes: int = 0) -> None:
        """Run one kernel to its end. Raises KernelError."""
        signature, emulation = self.signatures[instance], _emulation.get()
        padded = _Padded(signature, arguments)
        with self.lock:
            stopped = self.library.emulator_run(
                instance.encode(), (ctypes.c_uint * 3)(*grid), (ctypes.c_uint * 3)(*block),
                padded.parameters, len(padded.parameters), padded.arrays, len(padded.arrays),
                ctypes.c_size_t(shared_bytes), ORDERS.index(emulation.order), ctypes.c_uint(emulation.seed)).decode()
            found = ctypes.POINTER(Finding)()
            count = self.library.emulator_findings(ctypes.byref(found))
            noticed = messages(self.path, found[:count], padded.names)
        noticed += padded.overwritten() + [stopped] * bool(stopped)
        if noticed:
            raise KernelError("\n  ".join([f"{signature.name}, threads {emulation.order}:", *noticed]))
        padded.copy_back()


class _Padded:
    """The arguments as the library takes them: copies of the arrays with red zones, full of NaN, on both sides."""

    def __init__(self, signature: Signature, arguments: Sequence[Any]) -> None:
        self.buffers: dict[tuple[int, int], tuple[str, np.ndarray, np.ndarray, bool]] = {}
        values = [0 if argument is None
                  else self._pad_table(parameter.name, argument, parameter.is_const) if parameter.is_table
                  else self._pad(parameter.name, np.asarray(argument), parameter.is_const) if parameter.is_pointer
                  else int.from_bytes(argument.tobytes(), "little")
                  for parameter, argument in zip(signature.parameters, arguments, strict=True)]
        self.parameters = (ctypes.c_uint64 * len(values))(*values)
        self.names = [name for name, *_ in self.buffers.values()]
        self.arrays = (_Array * len(self.buffers))(*(
            _Array(raw.ctypes.data + RED_ZONE, array.nbytes, min(4, array.itemsize), not const)
            for _, array, raw, const in self.buffers.values()))

    def _pad(self, name: str, array: np.ndarray, const: bool) -> int:
        key = (array.ctypes.data, array.nbytes)
        for place, (other, there, _, _) in self.buffers.items():
            if place != key and np.may_share_memory(array, there):
                raise ValueError(f"{name} and {other} overlap; expected one array twice, or two arrays")
        if key in self.buffers:
            name, array, raw, other_const = self.buffers[key]
            const = const and other_const
        else:
            space = np.full(array.nbytes + 2 * RED_ZONE + ALIGNMENT, 0xFF, np.uint8)
            raw = space[-space.ctypes.data % ALIGNMENT:][:array.nbytes + 2 * RED_ZONE]
            raw[RED_ZONE:RED_ZONE + array.nbytes] = array.reshape(-1).view(np.uint8)
        self.buffers[key] = name, array, raw, const
        return raw.ctypes.data + RED_ZONE

    def _pad_table(self, name: str, arrays: Sequence[Any], const: bool) -> int:
        """A list of arrays: what is passed is an array of where they are."""
        addresses = [self._pad(f"{name}[{place}]", np.asarray(array), const) for place, array in enumerate(arrays)]
        return self._pad(name, np.array(addresses, np.uint64), True)

    def overwritten(self) -> list[str]:
        """A line for every array beside which something was written."""
        found = []
        for name, array, raw, _ in self.buffers.values():
            zones = np.r_[0:RED_ZONE, RED_ZONE + array.nbytes:len(raw)]
            if (places := zones[raw[zones] != 0xFF]).size:
                found.append(f"outside of {name}: {name}[{(places[0] - RED_ZONE) // array.itemsize}] was written")
        return found

    def copy_back(self) -> None:
        for _, array, raw, const in self.buffers.values():
            if not const:
                array.reshape(-1).view(np.uint8)[...] = raw[RED_ZONE:RED_ZONE + array.nbytes]


@lru_cache(maxsize=64)  # each keeps stacks, of which a process may not have any number
def program(text: str, file: str, checked: bool) -> Program:
    """The compiled text; kept for the process."""
    return Program(text, file, checked)


def run(signature: Signature, grid: Three, block: Three, arguments: Sequence[Any], shared_bytes: int) -> None:
    """Run a kernel of the package's files, as `emulating` says."""
    emulation = _emulation.get()
    emulation.launched[signature.name] += 1
    compiled = program(text_of(signature.file), signature.file, emulation.checked)
    compiled.run(signature.instance, grid, block, arguments, shared_bytes)
