"""An exported network, computed by onnxruntime, beside the engine's own answer."""
from __future__ import annotations

from typing import Any

import numpy as np

from engine.arrays import Array, to_numpy
from engine.layer import Layer, Run
from engine.onnx.extra import library


def run(model: Any, x: np.ndarray) -> list[np.ndarray]:
    """The outputs that onnxruntime computes for x: (N, ...) float32, on the CPU.

    Raises ImportError where the library is not installed.
    """
    session = library("onnxruntime").InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})


def computed(network: Layer, x: Array) -> list[np.ndarray]:
    """The outputs of the engine, in inference: one, or the two of a Fork."""
    y, _ = network.forward(x, Run(train=False, record=False))
    return [to_numpy(each) for each in (y if isinstance(y, tuple) else (y,))]


def largest_difference(model: Any, network: Layer, x: np.ndarray) -> float:
    """Between the outputs of both for x: (N, ...) float32, as a part of the largest; NaN where one is not finite."""
    ours, theirs = computed(network, x), run(model, x)
    if [y.shape for y in ours] != [y.shape for y in theirs]:
        raise ValueError(f"the engine's outputs are {[y.shape for y in ours]}, those of the file "
                         f"{[y.shape for y in theirs]}")
    difference = float(np.max([np.abs(t - o).max() for t, o in zip(theirs, ours, strict=True)]))
    largest = float(np.max([np.abs(y).max() for y in ours]))
    return difference / largest if largest else difference
