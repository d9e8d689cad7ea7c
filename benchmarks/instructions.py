"""Which of the processor's vector instructions the libraries may use: the same for every engine that is compared."""
from __future__ import annotations

import argparse
import os
import sys

# What each library reads when it is loaded, and the value that keeps it to AVX2: NumPy's products; PyTorch's and
# TensorFlow's convolutions (oneDNN, under its two names); PyTorch's own loops.
AVX2 = {"OPENBLAS_CORETYPE": "Haswell", "ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2",
        "ATEN_CPU_CAPABILITY": "avx2"}


def add_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--instructions", choices=("all", "avx2"), default="all",
                        help="all: each library chooses for itself, whatever environment variables say; avx2: none may "
                             "use more than AVX2, as on a processor without AVX-512 (default: all)")


def apply() -> None:
    """Start this program anew, with the same arguments, unless the environment already says what the flag asks for.

    The libraries look once, when they are loaded; NumPy is by the time that a program runs.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--instructions", default="all")
    asked = AVX2 if parser.parse_known_args()[0].instructions == "avx2" else {}
    wanted = {name: value for name, value in os.environ.items() if name not in AVX2} | asked
    if wanted != dict(os.environ):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], wanted)
