"""Where a window lies on an image: the zeros around the image, and the number of places."""
from __future__ import annotations

from engine.kernels import output_size
from engine.kernels.convolution import Pair

Padding = tuple[Pair, Pair]  # rows (top, bottom), columns (left, right)
NONE: Padding = ((0, 0), (0, 0))


def places(shape: tuple[int, ...], window: Pair, stride: Pair, padding: Padding = NONE) -> Pair:
    """Rows and columns of places that a window takes on an image (N, H, W, C). 0 or less: it fits nowhere."""
    rows, columns = (output_size(*sizes) for sizes in zip(shape[1:3], window, stride, padding, strict=True))
    return rows, columns


def zeros_around(shape: tuple[int, ...], kernel_size: Pair, stride: Pair, padding: str) -> Padding:
    """Rows and columns of zeros before and after x: ((top, bottom), (left, right)).

    "VALID": none. "SAME": so many that there are ceil(size / stride) outputs, the odd one at the end, as in TensorFlow.
    Raises ValueError where the kernel is larger than the image.
    """
    if padding == "SAME":
        rows, columns = (_same(*sizes) for sizes in zip(shape[1:3], kernel_size, stride, strict=True))
        return rows, columns
    if min(places(shape, kernel_size, stride)) < 1:
        raise ValueError(f"the image is {shape[1]}x{shape[2]} and the kernel {kernel_size[0]}x{kernel_size[1]}: with "
                         f"padding={padding!r} the kernel fits nowhere. Use 'SAME', a larger image or a smaller kernel")
    return NONE


def _same(size: int, kernel: int, stride: int) -> Pair:
    total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return total // 2, total - total // 2
