"""What all figures share: colours that colour-blind readers tell apart (Okabe and Ito), and the way to a PNG file."""
import io

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

VERMILLION, GREEN, BLUE, PURPLE, GREY = "#D55E00", "#009E73", "#0072B2", "#CC79A7", "#666666"
DOTS_PER_INCH = 160


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that many inches, which needs no display."""
    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def tidy(axes: Axes) -> None:
    """A light grid behind the data, no frame above and to the right."""
    axes.grid(color="#DDDDDD", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def png(figure: Figure) -> bytes:
    """The figure as a PNG file, without the library's version in it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
