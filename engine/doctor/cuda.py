"""The way to a GPU: driver, GPUs, CuPy, NVRTC; and g++, which runs the CUDA kernels where there is none.

The driver is asked itself, through its library, so that it is known what is there before CuPy is installed.
"""
from __future__ import annotations

import ctypes
import os
import subprocess
from importlib import import_module
from typing import Any

from engine.doctor.computer import GIBIBYTE
from engine.doctor.finding import Absent, Broken, one_line
from engine.kernels.cuda.on_cpu import CompileError
from engine.kernels.cuda.on_cpu.build import compiler

LIBRARY = "libcuda.so.1"  # comes with the driver
NEWEST, OLDEST = 13, 12  # of CUDA, that there is a CuPy for
INSTALL = {13: 'pip install -e ".[cuda13]"', 12: 'pip install -e ".[cuda12]"'}
INSTALL_CUPY = f"{INSTALL[13]} for a driver of 580 or later, {INSTALL[12]} for one of 525 or later"
INSTALL_DRIVER = "with an NVIDIA GPU: install NVIDIA's driver, 580 or later, by the system's package manager"
MAJOR, MINOR = 75, 76  # attributes of a device: its compute capability


class Driver:
    """The functions of the driver's library that are used here. Raises Absent where there is no such library."""

    def __init__(self) -> None:
        try:
            self.library = ctypes.CDLL(LIBRARY)
        except OSError:
            raise Absent(f"not installed: there is no {LIBRARY}", INSTALL_DRIVER) from None

    def call(self, name: str, *arguments: Any) -> None:
        """Raises Broken with the driver's own word for the error."""
        if code := getattr(self.library, name)(*arguments):
            text = ctypes.c_char_p()
            self.library.cuGetErrorName(code, ctypes.byref(text))
            raise Broken(f"{name} answers {(text.value or b'an unknown error').decode()} ({code})",
                         "restart the machine if the driver was just installed or updated; nvidia-smi says more")

    def number(self, name: str, *arguments: Any) -> int:
        """What a function writes to its first argument, an int."""
        answer = ctypes.c_int()
        self.call(name, ctypes.byref(answer), *arguments)
        return answer.value

    def cuda(self) -> tuple[int, int]:
        """The newest CUDA that the driver is for."""
        version = self.number("cuDriverGetVersion")
        return version // 1000, version % 1000 // 10


def driver() -> tuple[str, dict[str, Any]]:
    """The newest CUDA that it is for. Raises Absent without one, Broken for one that no CuPy is for."""
    newest = Driver().cuda()
    shown = f"{newest[0]}.{newest[1]}"
    if newest[0] < OLDEST:
        raise Broken(f"it is for CUDA {shown} at most; CuPy is for {OLDEST} and {NEWEST}", INSTALL_DRIVER)
    return f"for CUDA {shown} or older", {"newest_cuda": shown}


def gpus() -> tuple[str, dict[str, Any]]:
    """Name, memory and compute capability of each."""
    try:
        there = Driver()
    except Absent:
        raise Absent("not without a driver") from None
    there.call("cuInit", 0)
    found = [_gpu(there, number) for number in range(there.number("cuDeviceGetCount"))]
    if not found:
        raise Absent("the driver finds none")
    return "; ".join(f"{each['name']}, {each['bytes'] / GIBIBYTE:.0f} GiB, compute capability {each['capability']}"
                     for each in found), {"gpus": found}


def _gpu(there: Driver, number: int) -> dict[str, Any]:
    name, size = ctypes.create_string_buffer(256), ctypes.c_size_t()
    device = there.number("cuDeviceGet", number)
    there.call("cuDeviceGetName", name, len(name), device)
    there.call("cuDeviceTotalMem_v2", ctypes.byref(size), device)
    major, minor = (there.number("cuDeviceGetAttribute", attribute, device) for attribute in (MAJOR, MINOR))
    return {"name": name.value.decode(errors="replace"), "bytes": size.value, "capability": f"{major}.{minor}"}


def load_cupy() -> Any:
    """CuPy. Raises Absent where it is not installed, Broken where it is and cannot be imported."""
    try:
        return import_module("cupy")
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "cupy":
            raise Absent("not installed", _which_cupy()) from None
        raise Broken(one_line(error), f"install it anew: {_which_cupy()}") from error


def _which_cupy() -> str:
    """How to install the one that fits the driver, if there is one."""
    try:
        return INSTALL[min(NEWEST, max(OLDEST, Driver().cuda()[0]))]
    except (Absent, Broken):
        return INSTALL_CUPY


def cupy() -> tuple[str, dict[str, Any]]:
    """The version, and for which CUDA it was made. Whether it finds a GPU is `usable_cupy`'s to say."""
    library = load_cupy()
    made_for = library.cuda.runtime.runtimeGetVersion() // 1000
    return f"{library.__version__}, for CUDA {made_for}", {"version": library.__version__, "cuda": made_for}


def nvrtc() -> tuple[str, dict[str, Any]]:
    """CUDA's compiler, as CuPy finds it."""
    try:
        library = load_cupy()
    except (Absent, Broken):
        raise Absent("not without CuPy") from None
    try:
        version = ".".join(map(str, library.cuda.nvrtc.getVersion()))
    except Exception as error:
        raise Broken(one_line(error), f"it comes with {_which_cupy()}") from error
    return version, {"version": version}


def usable_cupy() -> Any:
    """CuPy, on a GPU that answers. Raises Absent where there is no driver, GPU or CuPy, or where one does not work."""
    try:
        gpus()
        library = load_cupy()
    except (Absent, Broken):
        raise Absent("not without a GPU and CuPy that work") from None
    if not library.cuda.runtime.getDeviceCount():
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
        raise Absent(f"CuPy sees none of the GPUs: CUDA_VISIBLE_DEVICES is {hidden!r}")
    return library


def gcc() -> tuple[str, dict[str, Any]]:
    """The compiler that runs CUDA kernels on the CPU."""
    try:
        path = compiler()
    except CompileError:
        raise Absent("not installed; it runs the CUDA kernels on the CPU",
                     "apt-get install g++, or your system's package of that name") from None
    version = subprocess.run([path, "-dumpfullversion"], capture_output=True, text=True, check=True,
                             timeout=10).stdout.strip()
    return version, {"version": version}
