"""An exported network, computed by onnxruntime, beside the engine's own answer."""
from __future__ import annotations

from typing import Any

import numpy as np

from engine.arrays import to_numpy
from engine.layer import Layer, Run
from engine.onnx.extra import library


def run(model: Any, x: np.ndarray, threads: int = 0) -> np.ndarray:
    """y of onnxruntime for x: (N, ...) float32, on the CPU; threads: 0 for as many as there are processors.

    Raises ImportError where the library is not installed.
    """
    onnxruntime = library("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(["y"], {"x": x})[0]


def largest_difference(model: Any, network: Layer, x: np.ndarray) -> float:
    """Of all outputs for x: (N, ...) float32, as a part of the largest one's size; NaN where one is not finite."""
    ours = to_numpy(network.forward(x, Run(train=False, record=False))[0])
    theirs = run(model, x)
    if ours.shape != theirs.shape:
        raise ValueError(f"the engine's output is {ours.shape}, that of the file {theirs.shape}")
    difference, largest = float(np.abs(theirs - ours).max()), float(np.abs(ours).max())
    return difference / largest if largest else difference
