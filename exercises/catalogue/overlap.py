"""What the exercises on the losses of masks share."""
from __future__ import annotations

import numpy as np

from exercises.exercise import Arrays, Setup
from exercises.tasks.layer import IMAGES

NAMES = {"prediction": IMAGES, "target": IMAGES, "gradient": IMAGES}


def draw(setup: Setup, rng: np.random.Generator) -> Arrays:
    """A prediction inside (0, 1), and a mask whose share of lesion is setup["lesion"]; None: any numbers."""
    prediction = rng.uniform(0.05, 0.95, setup["shape"])
    if setup["lesion"] is None:
        return {"prediction": prediction, "target": rng.random(setup["shape"])}
    pixels = np.zeros(prediction.size)
    pixels[:round(setup["lesion"] * pixels.size)] = 1
    return {"prediction": prediction, "target": rng.permutation(pixels).reshape(setup["shape"])}


def setups(rng: np.random.Generator, **values: float) -> list[Setup]:
    """Masks as they come: a small lesion, half of the image, none, nothing else; and one that was interpolated."""
    height, width = (int(size) for size in rng.permutation([4, 5]))
    return [Setup(name, {"shape": (2, height, width, 1), "lesion": lesion, **values}) for name, lesion in (
        ("a small lesion", 0.1), ("half lesion", 0.5), ("no lesion", 0.0), ("nothing but lesion", 1.0),
        ("an interpolated mask", None))]
