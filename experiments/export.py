"""A trained network for other programs: an ONNX file, and a folder that is ready to be uploaded to a hub of models.

    python experiments/export.py runs/RUN
    python experiments/export.py runs/RUN --onnx classifier.onnx
    python experiments/export.py runs/ROI_RUN/P4-dice --hub P4-dice
    python experiments/export.py runs/DECOMPOSITION_RUN/detectors/P0.safetensors

RUN: a run's folder, or the checkpoint in it, of end2end.py, decomposition.py, retraining.py or of one of the ten
detectors of roi_detection.py. Without --onnx and --hub the ONNX file is RUN/model.onnx. Its metadata say what the input
must be, with which preprocessing, what the outputs mean and what the network was trained on. With onnxruntime installed
it is computed for drawn mammograms, and written only if its answer is the engine's.

The second channel of a decomposition is made by its five detectors, which are exported one by one from its folder. What
is exported is a research and teaching tool, not for diagnosis, wherever it goes.
"""
from __future__ import annotations

if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from experiments.system.command import before_imports

    before_imports()

import argparse
from pathlib import Path

from experiments.exporting.hub import require_new, write_hub
from experiments.exporting.network import load_network
from experiments.exporting.onnx_file import default_place, write_onnx
from experiments.system.command import run_command
from experiments.system.command_parser import CommandParser
from experiments.system.folders import folder_path


def main(argv: list[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    run(arguments.checkpoint, arguments.onnx, arguments.hub)


def run(checkpoint: Path, onnx: Path | None = None, hub: Path | None = None) -> None:
    """checkpoint: or the folder of its run. onnx, hub: the file and the folder to be made; neither: RUN/model.onnx."""
    trained = load_network(checkpoint)
    if hub is not None:
        require_new(hub)
    if onnx is not None or hub is None:
        path = onnx or default_place(trained)
        difference = write_onnx(trained, path)
        print("Not compared with the engine: onnxruntime is not installed" if difference is None else
              f"Largest difference between onnxruntime and the engine: {difference:.1e} of the largest output")
        print(f"ONNX file: {path}")
    if hub is not None:
        write_hub(trained, hub)
        print(f"Folder for a hub: {hub}")
    print("\n".join(trained.provenance.sentences))


def parser() -> argparse.ArgumentParser:
    new = CommandParser(__doc__)
    new.add_argument("checkpoint", metavar="RUN", type=Path, help="folder of a run, or its checkpoint.safetensors")
    new.add_argument("--onnx", metavar="FILE", type=Path,
                     help="write the network there (default without --hub: RUN/model.onnx)")
    new.add_argument("--hub", metavar="DIR", type=folder_path,
                     help="make this folder, new or empty, with model.safetensors, config.json and a model card")
    return new


if __name__ == "__main__":
    run_command(main)
