"""A trained network as a folder that is ready to be uploaded, by hand, to a hub of models."""
from __future__ import annotations

from pathlib import Path

from safetensors.numpy import save

from engine.checkpoint import to_numpy
from experiments.exporting.description import describe
from experiments.exporting.model_card import model_card
from experiments.exporting.network import TrainedNetwork
from experiments.system.errors import UsageError
from experiments.system.files import as_json, plain, write_bytes, write_text


def require_new(folder: Path) -> None:
    """Raises UsageError where the folder holds something, or is none."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"--hub {folder}: expected a new or an empty folder, so that nothing is overwritten")


def write_hub(trained: TrainedNetwork, folder: Path) -> None:
    """model.safetensors, parameters and moving averages by their paths; config.json, the description and the settings
    of the training; README.md, the model card. Raises Failure where they cannot be written."""
    network, said = trained.network, describe(trained)
    arrays = {path: to_numpy(array) for path, array in (network.parameters() | network.moving_averages()).items()}
    write_bytes(folder / "model.safetensors", save(arrays, {"format": "np"}))
    write_text(folder / "config.json", as_json({**plain(said), "configuration": trained.checkpoint.configuration},
                                               indent=2) + "\n")
    write_text(folder / "README.md", model_card(trained, said))
