"""Pooling: max, average and global average."""
from __future__ import annotations

from array_api_compat import array_namespace, device

from engine.kernels import max_pool, max_pool_gradient, windows
from engine.layer import Layer
from engine.layers.conv2d import zeros_around
from engine.layers.shapes import Pair, expect_shape, pair


class _Pool(Layer):
    """A window of `size` placed every `stride` pixels (default: side by side), only where it fits whole."""

    def __init__(self, size: int | Pair = 2, stride: int | Pair | None = None) -> None:
        super().__init__()
        self.size = pair(size)
        self.stride = self.size if stride is None else pair(stride)

    def _require_room(self, x):
        expect_shape(x, "N", "H", "W", "C")
        zeros_around(x.shape, self.size, self.stride, "VALID")


class MaxPool(_Pool):
    """y[n,i,j,c] = max over u,v of x[n, s i + u, s j + v, c].

    Only the largest pixel of a window moves the output, so dx = dy where it sat and 0 elsewhere; where windows overlap,
    contributions add. Of equal pixels the first one counts: at such a tie the function has a kink, and any one of them
    is a valid subgradient, but not all at once. x: (N, H, W, C); y: (N, OH, OW, C).

    Raises ValueError for a window of more than 256 pixels: its place is kept in a byte.
    """

    def __init__(self, size: int | Pair = 2, stride: int | Pair | None = None) -> None:
        super().__init__(size, stride)
        if self.size[0] * self.size[1] > 256:
            raise ValueError(f"the window is {self.size[0]}x{self.size[1]}; expected at most 256 pixels, 16x16. "
                             "Use several poolings in a row")

    def forward(self, x, run):
        self._require_room(x)
        y, place = max_pool(x, self.size, self.stride, run.record)
        return y, (place, x.shape) if run.record else None  # a byte for each output, not x

    def backward(self, dy, saved):
        place, shape = saved
        return max_pool_gradient(dy, place, shape, self.size, self.stride), {}

    def piece(self, x, y):
        return max_pool(x, self.size, self.stride)[1]


class AveragePool(_Pool):
    """y[n,i,j,c] = 1/K sum over u,v of x[n, s i + u, s j + v, c], K pixels in a window;   dx = dy / K over the window.

    x: (N, H, W, C); y: (N, OH, OW, C).
    """

    def forward(self, x, run):
        self._require_room(x)
        y = sum(x[index] for index in windows(x.shape, self.size, self.stride))
        return y / (self.size[0] * self.size[1]), x.shape

    def backward(self, dy, saved):
        dx = array_namespace(dy).zeros(saved, dtype=dy.dtype, device=device(dy))
        share = dy / (self.size[0] * self.size[1])
        for index in windows(saved, self.size, self.stride):
            dx[index] = dx[index] + share
        return dx, {}


class GlobalAveragePool(Layer):
    """y[n,c] = mean over i,j of x[n,i,j,c];   dx = dy / (H W). x: (N, H, W, C); y: (N, C)."""

    def forward(self, x, run):
        return array_namespace(x).mean(x, axis=(1, 2)), x.shape

    def backward(self, dy, saved):
        _, height, width, _ = saved
        xp = array_namespace(dy)
        return xp.broadcast_to(dy[:, None, None, :] / (height * width), saved), {}
