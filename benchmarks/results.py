"""What was measured, as JSON and as a picture."""
from __future__ import annotations

import io
import json
from pathlib import Path
from statistics import median
from typing import Any

from engine.files import write_whole

# Okabe and Ito's colours, which the colour-blind can tell apart.
COLOURS = {"ours": "#0072B2", "direct": "#56B4E9", "winograd": "#009E73",
           "PyTorch": "#D55E00", "TensorFlow": "#CC79A7", "limit": "#999999"}

Bars = dict[str, list[float]]


def write_json(path: Path, result: Any) -> None:
    write_whole(path, (json.dumps(result, indent=1) + "\n").encode())


def draw_bars(path: Path, panels: dict[str, Bars], title: str, unit: str) -> None:
    """A panel for each title with a bar for each name: the median of its turns, with a line from least to most."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.5 + 4 * len(panels), 4), layout="constrained")
    for axes, (panel, bars) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        for place, (name, turns) in enumerate(bars.items()):
            middle = median(turns)
            axes.bar(place, middle, 0.7, color=COLOURS[name], capsize=4,
                     yerr=[[middle - min(turns)], [max(turns) - middle]] if len(turns) > 1 else None)
        axes.set_xticks(range(len(bars)), [f"{name}\n{median(turns):.3g}" for name, turns in bars.items()])
        axes.set_title(panel)
        axes.set_ylabel(unit)
    figure.suptitle(title)
    save(path, figure)


def save(path: Path, figure: Any) -> None:
    """The figure in the format that the file's name ends in; PNG if in none."""
    data = io.BytesIO()
    figure.savefig(data, format=path.suffix.lstrip(".") or "png", dpi=150)
    write_whole(path, data.getvalue())
