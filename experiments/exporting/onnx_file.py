"""A trained network as an ONNX file, compared with the engine before it is written."""
from __future__ import annotations

from pathlib import Path

from engine.onnx import export, largest_difference
from experiments.exporting.description import describe
from experiments.exporting.network import OUTPUTS, TrainedNetwork
from experiments.system.errors import Failure, UsageError
from experiments.system.files import write_bytes

MOST = 1e-5  # of the largest output: that two orders of adding up differ by, in float32


def default_place(trained: TrainedNetwork) -> Path:
    """model.onnx beside a run's checkpoint; beside another file of a network, one of its name."""
    return trained.path.with_name("model.onnx") if trained.path.stem == "checkpoint" else \
        trained.path.with_suffix(".onnx")


def write_onnx(trained: TrainedNetwork, path: Path) -> float | None:
    """Write the file; the largest difference between onnxruntime's outputs and the engine's for a batch of drawn
    mammograms, as a part of the largest output. None where onnxruntime is not installed.

    Raises UsageError where onnx is not, and Failure, with nothing written, where the difference is above MOST or the
    file cannot be written.
    """
    network = trained.with_probabilities()
    try:
        model = export(network, trained.shape, OUTPUTS, describe(trained).texts())
    except ImportError as error:
        raise UsageError(str(error)) from error
    try:
        difference = largest_difference(model, network, trained.drawn_batch())
    except ImportError:
        difference = None
    if difference is not None and not difference <= MOST:
        raise Failure(f"onnxruntime's outputs and the engine's differ by {difference:.1e} of the largest; expected at "
                      f"most {MOST:g}. {path} was not written")
    write_bytes(path, model.SerializeToString(deterministic=True))
    return difference
