"""What a network is made of, found by watching one pass through it: as rows, and drawn as a U."""
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from companion.figures import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION
from engine.combinators import Fork, Merge
from engine.layer import Layer, Run
from engine.observing import observe

COLORS = {"input": "#CCCCCC", "Conv2D": SKY, "PooledNorm": VERMILION, "BatchNorm": GREEN, "Upsample": ORANGE,
          "Merge": PURPLE}
NAMES = {"Conv2D": "convolution", "PooledNorm": "batch norm and pool", "BatchNorm": "batch norm",
         "Upsample": "upsample", "Merge": "merged channels"}


@dataclass(frozen=True)
class Row:
    """A layer that has none inside: its path and type, and the shapes of what went in and came out."""
    path: str
    kind: str
    x: tuple[int, ...]
    y: tuple[int, ...]


def rows(network: Layer, x: np.ndarray) -> list[Row]:
    """One row for every innermost layer, in the order in which a pass of inference goes through them."""
    found: list[Row] = []
    observe(network, lambda path, layer, x, y: found.append(Row(path, type(layer).__name__, x.shape, y.shape))
            ).forward(x, Run(train=False, record=False))
    return found


def all_layers(layer: Layer, path: str = "") -> dict[str, Layer]:
    """Every layer by path, those made of others among them."""
    return {path: layer} | {name: inner for child, below in layer.children.items()
                            for name, inner in all_layers(below, f"{path}.{child}".lstrip(".")).items()}


def shortcuts(network: Layer, found: list[Row]) -> list[tuple[int, int]]:
    """For every Fork: the row whose output goes around its layers, and the row behind the Merge that takes it in."""
    layers, pairs = all_layers(network), []
    for path in (path for path, layer in layers.items() if isinstance(layer, Fork)):
        inside = [place for place, row in enumerate(found) if row.path.startswith(f"{path}.")]
        level = path.rpartition(".")[0]
        merge = next(other for other, layer in layers.items() if isinstance(layer, Merge)
                     and other.startswith(level) and not other.startswith(f"{path}."))
        last = max(place for place, row in enumerate(found) if row.path.startswith(f"{merge}."))
        pairs.append((inside[0] - 1, last + 1))
    return pairs


def draw_u(axis: Axes, network: Layer, x: np.ndarray) -> None:
    """Every array as a box, labelled with its channels, at the height of its side; the shortcuts as arrows."""
    found = rows(network, x)
    boxes, middle = [("input", x.shape)], {}
    for place, row in enumerate(found):
        if row.x[3] != boxes[-1][1][3]:  # more channels than the row before gave: something was merged
            boxes.append(("Merge", row.x))
        middle[place] = len(boxes)
        boxes.append((row.kind, row.y))
    for place, (kind, shape) in enumerate(boxes):
        height = np.log2(shape[1])
        axis.bar(place, 0.6, width=0.86, bottom=height - 0.3, color=COLORS[kind], edgecolor=BLACK, linewidth=0.5)
        axis.text(place, height, shape[3], rotation=90, ha="center", va="center", fontsize=8)
    for start, end in shortcuts(network, found):
        left, right, top = middle[start], middle[end] - 1, np.log2(found[start].y[1]) + 0.3
        axis.plot([left, left, right], [top, top + 0.13, top + 0.13], color=BLUE, linewidth=1.5)
        axis.annotate("", (right, top - 0.02), (right, top + 0.15),
                      arrowprops={"arrowstyle": "->", "color": BLUE, "linewidth": 1.5})
    sides = sorted({shape[1] for _, shape in boxes})
    axis.set(xticks=[], yticks=np.log2(sides), yticklabels=[f"{side}×{side}" for side in sides], ylabel="pixels",
             xlabel="the way through the network →", xlim=(-1, len(boxes)),
             ylim=(np.log2(sides[0]) - 0.5, np.log2(sides[-1]) + 0.6))
    axis.legend(handles=[Patch(facecolor=COLORS[kind], edgecolor=BLACK, label=name) for kind, name in NAMES.items()],
                fontsize=8, loc="lower left")
