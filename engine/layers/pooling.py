"""Pooling: max, average and global average."""
from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace, device

from engine.arrays import Array
from engine.graph import Graph, Value
from engine.kernels import max_pool, max_pool_gradient, windows
from engine.layer import Grads, Layer, Run
from engine.layers.padding import places
from engine.layers.shapes import Pair, expect_input, pair
from engine.preconditions import expect_gradient


class _Pool(Layer):
    """A window of `size` placed every `stride` pixels (default: side by side), only where it fits whole."""

    def __init__(self, size: int | Pair = 2, stride: int | Pair | None = None) -> None:
        super().__init__()
        self.size = pair(size)
        self.stride = self.size if stride is None else pair(stride)

    def summary(self) -> str:
        rows, columns = self.stride
        return f"{self.size[0]}x{self.size[1]}" + (f", stride {rows}x{columns}" if self.stride != self.size else "")

    def _onnx(self, operator: str, graph: Graph, x: Value) -> Value:
        rows_columns = places((1, *x.shape), self.size, self.stride)
        return graph.add(operator, [x], (*rows_columns, x.shape[-1]), kernel_shape=self.size, strides=self.stride)

    def _require_room(self, x: Array) -> None:
        expect_input(x, "N", "H", "W", "C")
        if min(places(x.shape, self.size, self.stride)) < 1:
            raise ValueError(f"the image is {x.shape[1]}x{x.shape[2]} and the window {self.size[0]}x{self.size[1]}: it "
                             "fits nowhere. Use a larger image, a smaller window, or fewer poolings before this one")


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

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        self._require_room(x)
        y, place = max_pool(x, self.size, self.stride, run.record)
        return y, (place, x.shape) if run.record else None  # a byte for each output, not x

    def backward(self, dy: Array, saved: Any) -> tuple[Array, Grads]:
        place, shape = saved
        expect_gradient(dy, place.shape)
        return max_pool_gradient(dy, place, shape, self.size, self.stride), {}

    def piece(self, x: Array, y: Array) -> Array | None:
        return max_pool(x, self.size, self.stride)[1]

    def onnx(self, graph: Graph, x: Value) -> Value:
        return self._onnx("MaxPool", graph, x)


class AveragePool(_Pool):
    """y[n,i,j,c] = 1/K sum over u,v of x[n, s i + u, s j + v, c], K pixels in a window.

    Every pixel moves the mean by 1/K of its own change, so dx is dy / K in every pixel of the window; a pixel where
    windows overlap (stride < size) gets a share from each of them, and one in no window gets 0.
    x: (N, H, W, C); y: (N, OH, OW, C).
    """

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        self._require_room(x)
        y = sum(x[index] for index in windows(x.shape, self.size, self.stride))
        return y / (self.size[0] * self.size[1]), x.shape

    def backward(self, dy: Array, saved: Any) -> tuple[Array, Grads]:
        expect_gradient(dy, (saved[0], *places(saved, self.size, self.stride), saved[3]))
        dx = array_namespace(dy).zeros(saved, dtype=dy.dtype, device=device(dy))
        share = dy / (self.size[0] * self.size[1])
        for index in windows(saved, self.size, self.stride):
            dx[index] = dx[index] + share
        return dx, {}

    def onnx(self, graph: Graph, x: Value) -> Value:
        return self._onnx("AveragePool", graph, x)


class GlobalAveragePool(Layer):
    """y[n,c] = mean over i,j of x[n,i,j,c];   dx = dy / (H W). x: (N, H, W, C); y: (N, C)."""

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        expect_input(x, "N", "H", "W", "C")
        return array_namespace(x).mean(x, axis=(1, 2)), x.shape

    def backward(self, dy: Array, saved: Any) -> tuple[Array, Grads]:
        n, height, width, channels = saved
        expect_gradient(dy, (n, channels))
        xp = array_namespace(dy)
        return xp.broadcast_to(dy[:, None, None, :] / (height * width), saved), {}

    def onnx(self, graph: Graph, x: Value) -> Value:
        mean = graph.add("GlobalAveragePool", [x], (1, 1, x.shape[-1]))
        return graph.add("Flatten", [mean], x.shape[-1:], axis=1)
