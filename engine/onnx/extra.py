"""The two libraries of the extra "onnx"."""
from __future__ import annotations

from importlib import import_module
from typing import Any


def library(name: str) -> Any:
    """onnx or onnxruntime. Raises ImportError, naming the extra, where it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f'ONNX files need {name}; install it with: pip install -e ".[onnx]"') from error
