"""What the synthetic mammograms are drawn with. Lengths are fractions of the image's height, levels about 0 to 1."""
from dataclasses import dataclass, field

import numpy as np
from scipy import fft, ndimage, special

WIDTH = 0.8  # of the image, in heights


@dataclass
class Canvas:
    """The grid of an image, (H, W): y (H, 1) and x (1, W) of the pixels' centres; chest wall at x = 0, nipple to the
    right. film is the source of everything random in this image.
    """

    height: int
    film: np.random.Generator
    y: np.ndarray = field(init=False)
    x: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.y = ((np.arange(self.height) + 0.5) / self.height).astype(np.float32)[:, None]
        self.x = ((np.arange(round(WIDTH * self.height)) + 0.5) / self.height).astype(np.float32)[None, :]

    @property
    def shape(self) -> tuple[int, int]:
        return self.y.size, self.x.size

    def blur(self, levels: np.ndarray, sigma: float) -> np.ndarray:
        return ndimage.gaussian_filter(levels, sigma * self.height, truncate=3)


@dataclass(frozen=True, slots=True)
class Outline:
    """A half ellipse: centre (y, 0), half axes along y and x."""

    y: float
    along_wall: float
    depth: float

    def radius(self, y: np.ndarray | float, x: np.ndarray | float) -> np.ndarray:
        """0 in the centre, 1 on the skin."""
        return np.hypot((np.asarray(y) - self.y) / self.along_wall, np.asarray(x) / self.depth)

    def place(self, film: np.random.Generator, margin: float) -> tuple[float, float]:
        """A random (y, x) whose distance to skin and chest wall is about `margin` or more."""
        angle, reach = film.uniform(-0.5, 0.5) * np.pi, np.sqrt(film.random())
        y = self.y + reach * np.sin(angle) * (self.along_wall - margin) * 0.95
        x = margin + reach * np.cos(angle) * max(self.depth - 2.2 * margin, 0)
        return float(y), float(x)


def breast(canvas: Canvas, size: float, oblique: bool) -> tuple[Outline, np.ndarray, np.ndarray]:
    """The outline; the thickness, 0 outside and near 1 inside; and the pectoral muscle's brightness (oblique view)."""
    film = canvas.film
    outline = Outline(y=film.uniform(0.47, 0.53) + 0.04 * oblique, along_wall=size * film.uniform(0.4, 0.46),
                      depth=size * film.uniform(0.6, 0.72))
    radius = outline.radius(canvas.y, canvas.x)
    if oblique:  # the breast reaches up towards the axilla
        upper = outline.y - canvas.y
        tail = np.hypot(0.55 * upper / outline.along_wall, canvas.x / (outline.depth * (1 - upper.clip(0))))
        radius = np.where(upper > 0, np.minimum(radius, tail), radius)
    depth = np.clip(1 - radius, 0, None)
    thickness = depth / (depth + 0.05)
    pectoral: np.ndarray = np.zeros(canvas.shape, dtype=np.float32)
    if oblique:
        edge = film.uniform(0.2, 0.35) - canvas.x - film.uniform(0.5, 0.7) * canvas.y
        pectoral = film.uniform(0.2, 0.4) * _step(edge, 0.008)
    return outline, thickness, pectoral


def tissue(canvas: Canvas, outline: Outline, density: float) -> np.ndarray:
    """Fibroglandular tissue: noise whose amplitude falls as frequency^-1.5, as in mammograms, denser in the middle."""
    frequency = np.hypot(fft.fftfreq(canvas.shape[0])[:, None], fft.rfftfreq(canvas.shape[1])[None, :])
    frequency[0, 0] = np.inf
    amplitude = (np.maximum(frequency, 2 / canvas.height) ** -1.5).astype(np.float32)
    white = canvas.film.standard_normal(canvas.shape, dtype=np.float32)
    noise = fft.irfft2(amplitude * fft.rfft2(white), s=canvas.shape)
    noise /= noise.std()
    middle = np.exp(-2 * outline.radius(canvas.y, canvas.x - 0.4 * outline.depth) ** 2)
    return density * middle * np.clip(0.6 + 0.2 * noise, 0, None) + 0.04 * noise


def soft_areas(canvas: Canvas, outline: Outline) -> np.ndarray:
    """Bright areas without an edge, wider than masses."""
    levels = np.zeros(canvas.shape, dtype=np.float32)
    for _ in range(canvas.film.integers(2, 5)):
        y, x = outline.place(canvas.film, 0.08)
        rows, columns = canvas.film.uniform(0.08, 0.16, size=2)
        levels += canvas.film.uniform(0.1, 0.25) * np.exp(-((canvas.y - y) / rows) ** 2) * np.exp(
            -((canvas.x - x) / columns) ** 2)
    return levels


def vessels(canvas: Canvas, outline: Outline) -> np.ndarray:
    """Bent lines from the chest wall or from anywhere, some of which cross."""
    lines = np.zeros(canvas.shape, dtype=np.float32)
    steps = np.linspace(0, 1, 2 * canvas.height)[:, None]
    for _ in range(canvas.film.integers(2, 6)):
        start, bend, end = (np.array(outline.place(canvas.film, 0.03)) for _ in range(3))
        points = (1 - steps) ** 2 * start + 2 * steps * (1 - steps) * bend + steps**2 * end
        rows, columns = (points * canvas.height).astype(int).T
        np.maximum.at(lines, (rows.clip(0, canvas.shape[0] - 1), columns.clip(0, canvas.shape[1] - 1)),
                      canvas.film.uniform(0.4, 1))
    width = canvas.film.uniform(0.003, 0.005)
    return 0.2 * canvas.blur(lines, width) * np.sqrt(2 * np.pi) * width * canvas.height


def mass(canvas: Canvas, outline: Outline, radius: float) -> np.ndarray:
    """(H, W) in [0, 1]: a smooth round mass with a clear edge, 1 inside."""
    levels, window, y, x = _window(canvas, outline, radius, reach=1.5 * radius)
    border = radius * (1 + _waves(canvas.film, np.arctan2(y, x), orders=(2, 3), amplitude=0.08))
    levels[window] = _step(border - np.hypot(y, x), 0.004)
    return levels


def spiculated_mass(canvas: Canvas, outline: Outline, radius: float) -> np.ndarray:
    """(H, W) in [0, 1]: an irregular core of about 0.6 radius, and spicules in all directions that taper off."""
    levels, window, y, x = _window(canvas, outline, radius, reach=2 * radius)
    border = radius * (0.62 + _waves(canvas.film, np.arctan2(y, x), orders=(3, 5, 7), amplitude=0.12))
    drawn = _step(border - np.hypot(y, x), 0.006)
    count = int(canvas.film.integers(9, 15))
    directions = 2 * np.pi * (np.arange(count) + canvas.film.uniform(-0.3, 0.3, size=count)) / count
    lengths = radius * canvas.film.uniform(1.2, 1.9, size=count)
    for direction, length in zip(directions.astype(np.float32), lengths.astype(np.float32), strict=True):
        along, across = x * np.cos(direction) + y * np.sin(direction), y * np.cos(direction) - x * np.sin(direction)
        taper = np.clip(1 - along / length, 0, 1) * (along > 0)
        width = 0.004 + 0.012 * taper
        drawn = np.maximum(drawn, np.minimum(1, 3 * taper) * np.exp(-((across / width) ** 2)))
    levels[window] = drawn
    return levels


def _window(canvas: Canvas, outline: Outline, radius: float, reach: float
            ) -> tuple[np.ndarray, tuple[slice, slice], np.ndarray, np.ndarray]:
    """Zeros (H, W); the part within `reach` of a random place for a lesion; y and x there, relative to that place."""
    y, x = outline.place(canvas.film, radius)
    rows, columns = (slice(max(int((centre - reach) * canvas.height), 0), int((centre + reach) * canvas.height) + 1)
                     for centre in (y, x))
    return np.zeros(canvas.shape, dtype=np.float32), (rows, columns), canvas.y[rows] - y, canvas.x[:, columns] - x


def _waves(film: np.random.Generator, angle: np.ndarray, orders: tuple[int, ...], amplitude: float) -> np.ndarray:
    total = np.zeros_like(angle)
    for order in orders:
        total += amplitude * film.uniform(0.3, 1) * np.cos(order * angle + film.uniform(0, 2 * np.pi))
    return total


def _step(signed_distance: np.ndarray, softness: float) -> np.ndarray:
    """0 outside, 1 inside, 1/2 on the edge."""
    return special.expit(signed_distance / softness, dtype=np.float32)
