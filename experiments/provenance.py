"""What a network was trained on, in its checkpoint."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def trained_on(record: Mapping[str, Any], detector: str | None = None) -> dict[str, Any]:
    """From the config.json of a run, for its checkpoints: the command, and the data with the fingerprint of all that
    training sees; of a decomposition the digest of its detectors, of a retraining that of its decomposition, of a
    detector its name.

    The same for every run on these data with this split, on whatever day: the same training gives the same bytes.
    """
    data = record["data"]
    said = {"experiment": record["experiment"], "data": data["name"], "fingerprint": data["fingerprint"],
            "detector": detector, "detectors": record.get("detectors", {}).get("digest"),
            "decomposition": record.get("decomposition", {}).get("digest")}
    return {name: value for name, value in said.items() if value is not None}
