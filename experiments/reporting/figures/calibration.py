"""How often a case is cancer, over what the network said: reliability diagrams."""
from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.evaluation.calibration import Calibration
from experiments.evaluation.cancer import CancerMeasures
from experiments.reporting.figures.style import GREY, VERMILLION, new_figure, png, tidy
from experiments.reporting.tables import NAMES, interval, number

ROOM = 0.02  # beside the outputs 0 and 1


def calibration_figure(measured: Mapping[str, CancerMeasures]) -> bytes:
    """`calibration_panels` as a PNG file."""
    return png(calibration_panels(measured))


def calibration_panels(measured: Mapping[str, CancerMeasures]) -> Figure:
    """A panel for each set: the bins of its outputs with their intervals, and the diagonal of perfect calibration."""
    figure = new_figure(4.8 * len(measured), 5.2)
    for axes, (name, of) in zip(figure.subplots(1, len(measured), squeeze=False)[0], measured.items(), strict=True):
        _panel(axes, of.calibration)
        found = of.calibration
        brier = f"{number(found.brier, 3)}{interval(found.brier_ci, ' [{}, {}]')}"
        error = f"{number(found.error, 3)} ({number(found.by_chance, 3)} by chance)"
        axes.set_title(f"{NAMES.get(name, name)} ({of.units} {of.unit.plural})\nBrier score {brier}\n"
                       f"calibration error {error}", fontsize=10)
    return figure


def _panel(axes: Axes, found: Calibration) -> None:
    axes.plot([0, 1], [0, 1], ":", color=GREY, linewidth=1.2)
    for each in found.bins:
        if each.ci is not None:
            axes.plot([each.expected] * 2, each.ci, "-", color=VERMILLION, linewidth=1.2, alpha=0.7)
    axes.plot([each.expected for each in found.bins], [each.observed for each in found.bins], "o-", color=VERMILLION,
              linewidth=1.5, markersize=6)
    axes.set(xlim=(-ROOM, 1 + ROOM), ylim=(-ROOM, 1 + ROOM), aspect="equal", xlabel="mean output for cancer in the bin",
             ylabel="share with cancer")
    tidy(axes)
