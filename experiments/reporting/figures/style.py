"""What all figures share: colours that colour-blind readers tell apart (Okabe and Ito), and the way to a PNG file."""
import io
import textwrap

import numpy as np
from matplotlib import font_manager, patheffects
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from experiments.system.text import printable

VERMILLION, GREEN, BLUE, PURPLE, GREY = "#D55E00", "#009E73", "#0072B2", "#CC79A7", "#666666"
LIGHT_GREEN, LIGHT_BLUE = "#4BE3A8", "#56B4E9"  # for lines on dark pictures
DOTS_PER_INCH = 160


def new_figure(width: float, height: float, dots: int = DOTS_PER_INCH) -> Figure:
    """An empty figure of that many inches, which needs no display. dots: pixels of an inch."""
    figure = Figure(figsize=(width, height), dpi=dots, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def tidy(axes: Axes) -> None:
    """A light grid behind the data, no frame above and to the right."""
    axes.grid(color="#DDDDDD", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def whole_steps(axes: Axes) -> None:
    """Ticks of a horizontal axis that counts: whole numbers, also where the axis is short."""
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))


def show_image(axes: Axes, image: np.ndarray) -> None:
    """(H, W) grey levels from 0 (black) to 1 (white), without ticks."""
    axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])


def draw_border(axes: Axes, mask: np.ndarray, colour: str, line: str = "solid", width: float = 1.8) -> None:
    """The border of a (H, W) bool mask over an image of that size; nothing for an empty mask.

    The mask is padded, so that a region at the edge of the image has a closed border; a dark rim keeps the line visible
    on bright tissue.
    """
    if not mask.any():
        return
    places = [np.arange(-1, size + 1) for size in mask.shape]
    border = axes.contour(places[1], places[0], np.pad(mask, 1).astype(float), [0.5], colors=colour, linestyles=line,
                          linewidths=width)
    axes.set(xlim=(-0.5, mask.shape[1] - 0.5), ylim=(mask.shape[0] - 0.5, -0.5))
    border.set_clip_on(False)  # at the edge of the image half of the line lies outside
    border.set_path_effects([patheffects.withStroke(linewidth=width + 1.4, foreground="black", alpha=0.6)])


def add_texts(figure: Figure, title: str, note: str = "") -> None:
    """A title above a finished figure and a note in small print below, both of whatever characters, as text.

    File names stand in titles: a dollar sign must not begin a formula. A long title is shortened, a long note broken
    into lines. What the font lacks is drawn as "?".
    """
    letters = int(11 * figure.get_figwidth())  # of the title's size in a line
    if len(title) > letters:
        title = f"{title[:letters // 4]}…{title[1 - (letters - letters // 4):]}"
    figure.suptitle(_drawable(title), fontsize=10, parse_math=False)
    if note:
        lines = [line for each in note.splitlines() for line in textwrap.wrap(_drawable(each), int(1.25 * letters))]
        figure.supxlabel("\n".join(lines), fontsize=8, color=GREY, parse_math=False)


def _drawable(text: str) -> str:
    font = FT2Font(font_manager.findfont("DejaVu Sans"))  # that of every figure; it comes with matplotlib
    return "".join(each if each.isprintable() and font.get_char_index(ord(each)) else "?" for each in text)


def png(figure: Figure) -> bytes:
    """The figure as a PNG file, without the library's version in it.

    Texts are shown as they are: names of files stand in them, and "$" begins no formula there.
    """
    for text in figure.findobj(Text):
        text.set_parse_math(False)
        text.set_text(printable(text.get_text()))
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
