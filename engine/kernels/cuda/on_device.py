"""Kernels on the GPU, through CuPy: a file is compiled once for a process and device, and kept on disk by CuPy."""
from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from engine.kernels.cuda.signatures import FOLDER, Signature, signatures, text_of

OPTIONS = ("--std=c++17",)
WITHOUT_ASKING = 48 << 10  # bytes of dynamic shared memory


def source(text: str, file: str) -> str:
    """What NVRTC compiles: what every kernel file may use, then the file, each under its own line numbers."""
    texts = {name: (FOLDER / name).read_text("utf-8").replace("#pragma once\n", "\n")
             for name in ("prelude.cuh", "common.cuh")}
    return "".join(f'#line 1 "{name}"\n{each}' for name, each in (texts | {f"{file}.cu": text}).items())


@cache
def _module(file: str) -> Any:
    import cupy
    return cupy.RawModule(code=source(text_of(file), file), options=OPTIONS, name_expressions=list(signatures(file)))


def run(signature: Signature, grid: tuple[int, int, int], block: tuple[int, int, int], arguments: Sequence[Any],
        shared_bytes: int) -> None:
    """Enqueue a kernel on CuPy's current stream."""
    function = _module(signature.file).get_function(signature.instance)
    if shared_bytes > WITHOUT_ASKING:
        function.max_dynamic_shared_size_bytes = shared_bytes
    function(grid, block, tuple(map(_as_passed, arguments)), shared_mem=shared_bytes)


def _as_passed(argument: Any) -> Any:
    """What CuPy takes: a null pointer for None, for a list of arrays an array of their addresses, on the device."""
    if isinstance(argument, list):
        import cupy
        return cupy.asarray(np.array([each.data.ptr for each in argument], np.uint64))
    return np.uintp(0) if argument is None else argument
