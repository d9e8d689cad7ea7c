"""CUDA kernels on the CPU, as the pages run them: one rung of the ladder at a time, and with a mistake planted."""
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

from engine.kernels.cuda import convolution
from engine.kernels.cuda.arrays import emulated
from engine.kernels.cuda.on_cpu import CompileError, program
from engine.kernels.cuda.on_cpu.build import compiler
from engine.kernels.cuda.signatures import text_of
from engine.layer import Run
from engine.layers import Conv2D


def has_compiler() -> bool:
    """Whether the kernels can run here; where not, says so in the page."""
    try:
        compiler()
    except CompileError as reason:
        print(f"not run here: {reason}")
        return False
    return True


class OnEmulated(Conv2D):
    """A convolution whose kernels are CUDA's, run on the CPU, between NumPy's arrays; all by one rung if it is given.

    Its parameters are emulated arrays: `network.convert(emulated)` before the first pass.
    """

    rung: Any = None

    def forward(self, x: np.ndarray, run: Run) -> tuple[np.ndarray, Any]:
        with patch.object(convolution, "rung_for", lambda *shapes: self.rung) if self.rung else _nothing():
            y, saved = super().forward(emulated(x), run)
        return np.asarray(y), saved

    def backward(self, dy: np.ndarray, saved: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        dx, grads = super().backward(emulated(dy), saved)
        return np.asarray(dx), {name: np.asarray(g) for name, g in grads.items()}


@contextmanager
def planted(file: str, before: str, after: str) -> Iterator[None]:
    """Inside, the kernel file has one text in the place of another, which must stand there once."""
    text = text_of(file)
    assert text.count(before) == 1, f"{before!r} stands {text.count(before)} times in {file}.cu"
    broken = text.replace(before, after)
    with patch.object(program, "text_of", lambda name: broken if name == file else text_of(name)):
        yield


@contextmanager
def _nothing() -> Iterator[None]:
    yield
