"""What a network was trained on, in its checkpoint."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def trained_on(data: Mapping[str, Any]) -> dict[str, Any]:
    """From the record of a run's data, for its checkpoints: the set's name, and the fingerprint of all that training
    sees.

    The same for every run on these data with this split, on whatever day: the same training gives the same bytes.
    """
    return {"data": data["name"], "fingerprint": data["fingerprint"]}
