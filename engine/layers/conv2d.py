"""Two-dimensional convolution, and why its gradient is one with the kernel rotated by 180 degrees."""
from __future__ import annotations

from math import prod
from typing import Any

from array_api_compat import array_namespace

from engine.arrays import Array, empty
from engine.graph import Graph, Value, corners
from engine.initializers import Generator, constant, xavier_normal
from engine.kernels import channel_sums, correlate, correlate_kernel_gradient, gradients_together
from engine.layer import Grads, Layer, Run
from engine.layers.activations import Activation, expect_activation
from engine.layers.padding import Padding, places, zeros_around
from engine.layers.shapes import Pair, expect_input, pair
from engine.preconditions import expect_gradient


class Conv2D(Layer):
    """o = sigma(a),   a = X * W + b                                                                            (3.37)

    Forward. X is x: (N, H, W, C) with the zeros around it that the padding asks for; kernel W: (KH, KW, C, K); b: (K,);
    a, o: (N, OH, OW, K). For image n, output row i and column j, output channel k, with stride s (one for rows and one
    for columns, which may differ; both are called s)

        a[n,i,j,k] = b[k] + sum over u,v,c of X[n, s i + u, s j + v, c] W[u,v,c,k]

    The kernel lies on the image with its corner at row s i, column s j; what lies on each other is multiplied and added
    up. That is a cross-correlation, written X * W here and below, as in TensorFlow (A.3.3). (3.37) has x[i - u, j - v],
    a convolution: the same layer with the kernel rotated by 180 degrees. Since the kernel is learned, nothing else
    changes. (Errata: (3.37) applies sigma to o, which is an output already.)

    Backward. L is the loss, and dz stands for its gradient dL/dz with respect to an array z: one number for each of
    z's. Given is do (the argument dy). Since sigma works number by number, da = do . sigma'(a). By the chain rule (3.8)
    a number z of W, b or X has the gradient

        dz = sum over n,i,j,k of da[n,i,j,k] times the derivative of a[n,i,j,k] with respect to z               (3.38)

    over all outputs (errata: (3.38) to (3.41) let the sum run over the kernel's places). The derivative is 0 wherever z
    does not occur (3.39), (3.40); so one question is left: in which outputs does z occur, and times what?

    The bias b[k] occurs in every output of channel k, times 1:

        db[k] = sum over n,i,j of da[n,i,j,k]

    The weight W[u,v,c,k] occurs in every output of channel k, times the pixel that it lies on:

        dW[u,v,c,k] = sum over n,i,j of X[n, s i + u, s j + v, c] da[n,i,j,k]                                   (3.42)

    that is X correlated with da, which slides over the image as a kernel of OH x OW numbers, s pixels apart.

    The pixel X[n,p,q,c] occurs wherever some weight lay on it. In one dimension, with three weights and stride 1:

        a[0] = X[0] W[0] + X[1] W[1] + X[2] W[2]
        a[1] =             X[1] W[0] + X[2] W[1] + X[3] W[2]
        a[2] =                         X[2] W[0] + X[3] W[1] + X[4] W[2]

    X[2] stands in a column of its own, and its gradient is da[0] W[2] + da[1] W[1] + da[2] W[0]: as the outputs go
    forwards, the weights go backwards. In general W[u,v,c,k] lies on X[n,p,q,c] in the output i, j with s i + u = p and
    s j + v = q, so that

        dX[n,p,q,c] = sum over u,v,k of da[n, (p - u) / s, (q - v) / s, k] W[u,v,c,k]

    where da counts as 0 outside its rows and columns and at places that are not whole. To have those zeros at hand, let
    D be da with s - 1 rows and columns of zeros between its own, and KH - 1 rows and KW - 1 columns around them:

        D[n, s i + KH - 1, s j + KW - 1, k] = da[n,i,j,k],   all else 0

    and count the kernel backwards, u' = KH - 1 - u and v' = KW - 1 - v. Then row p - u of the sum is row p + u' of D:

        dX[n,p,q,c] = sum over u',v',k of D[n, p + u', q + v', k] W[KH-1-u', KW-1-v', c, k]
        dX = D * rot180(W), with the channels c and k exchanged                                                 (3.41)

    a correlation again, with the kernel rotated by 180 degrees. dx is dX without the zeros that were put around x.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int | Pair = 3, stride: int | Pair = 1,
                 padding: str = "SAME", activation: Activation | None = None, bias: float = 0.0, *,
                 rng: Generator, dtype: str = "float32") -> None:
        super().__init__()
        if padding not in ("SAME", "VALID"):
            raise ValueError(f"padding is {padding!r}; expected 'SAME' (an output a stride) or 'VALID' (no zeros)")
        expect_activation(activation)
        self.kernel_size, self.stride = pair(kernel_size), pair(stride)
        self.padding, self.activation = padding, activation
        kernel = xavier_normal(rng, (*self.kernel_size, in_channels, out_channels), dtype)
        self.params = {"W": kernel, "b": constant(bias, out_channels, dtype)}

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        W, b = self.params["W"], self.params["b"]
        expect_input(x, "N", "H", "W", W.shape[2])
        padding = zeros_around(x.shape, self.kernel_size, self.stride, self.padding)
        o = correlate(x, W, b, self.stride, padding, self.activation.value if self.activation else None)
        return o, (x, o if self.activation else None) if run.record else None

    def backward(self, dy: Array, saved: Any, *, wants_dx: bool = True) -> tuple[Array, Grads]:
        W, (x, o) = self.params["W"], saved
        padding = zeros_around(x.shape, self.kernel_size, self.stride, self.padding)
        expect_gradient(dy, (x.shape[0], *places(x.shape, self.kernel_size, self.stride, padding), W.shape[3]))
        da, db = self.activation.gradients(dy, o) if self.activation else (dy, channel_sums(dy))
        dx, dW = (wants_dx and gradients_together(x, da, W, self.stride, padding)) or (
            input_gradient(da, W, x.shape, self.stride, padding) if wants_dx else None,         # (3.41)
            correlate_kernel_gradient(x, da, self.kernel_size, self.stride, padding))           # (3.42)
        return dx, {"W": dW, "b": db}

    def last_gradients(self, dy: Array, saved: Any) -> Grads:
        return self.backward(dy, saved, wants_dx=False)[1]

    def summary(self) -> str:
        inputs, outputs = self.params["W"].shape[2:]
        return described(inputs, outputs, self.kernel_size, self.stride, self.padding, self.activation)

    def piece(self, x: Array, y: Array) -> Array | None:
        return self.activation.piece(x, y) if self.activation else None

    def onnx(self, graph: Graph, x: Value) -> Value:
        W, shape = self.params["W"], (1, *x.shape)
        padding = zeros_around(shape, self.kernel_size, self.stride, self.padding)
        kernel = graph.constant("W", array_namespace(W).permute_dims(W, (3, 2, 0, 1)))
        a = graph.add("Conv", [x, kernel, graph.constant("b", self.params["b"])],
                      (*places(shape, self.kernel_size, self.stride, padding), W.shape[3]),
                      kernel_shape=self.kernel_size, strides=self.stride, pads=corners(padding))
        return self.activation.onnx(graph, a) if self.activation else a

    def multiplications(self, x: tuple[int, ...], y: tuple[int, ...]) -> int:
        return prod(y[:-1]) * self.params["W"].size


def described(inputs: int, outputs: int, size: Pair, stride: Pair, padding: str, activation: Activation | None) -> str:
    """What the one line of a convolution says: "1, 8, 3x3, stride 2x2, VALID, ReLU()", without what is usual."""
    return ", ".join([f"{inputs}, {outputs}, {size[0]}x{size[1]}"]
                     + ([f"stride {stride[0]}x{stride[1]}"] if stride != (1, 1) else [])
                     + ([padding] if padding != "SAME" else []) + ([repr(activation)] if activation else []))


def rotate(kernel: Array) -> Array:
    """rot180(W), in and out exchanged: (KH, KW, C, K) -> (KH, KW, K, C)."""
    xp = array_namespace(kernel)
    return xp.permute_dims(xp.flip(kernel, axis=(0, 1)), (0, 1, 3, 2))


def dilate(da: Array, stride: Pair) -> Array:
    """da (N, OH, OW, K) with stride - 1 zeros between its rows and columns: (N, s (OH - 1) + 1, s (OW - 1) + 1, K)."""
    if stride == (1, 1):
        return da
    n, height, width, channels = da.shape
    dilated = empty((n, stride[0] * (height - 1) + 1, stride[1] * (width - 1) + 1, channels), da)
    dilated[...] = 0
    dilated[:, ::stride[0], ::stride[1], :] = da
    return dilated


def input_gradient(da: Array, kernel: Array, shape: tuple[int, ...], stride: Pair, padding: Padding) -> Array:
    """(3.41): da (N, OH, OW, K), zeros put between and around, correlated with the rotated kernel; dx: `shape`.

    Around: KH - 1 and KW - 1 zeros, less the padding of x, whose gradient nobody asks for.
    """
    da = dilate(da, stride)
    full = []
    for size, dilated, reach, (before, _) in zip(shape[1:3], da.shape[1:3], kernel.shape[:2], padding, strict=True):
        first = reach - 1 - before
        full.append((first, size + reach - 1 - dilated - first))  # pixels that no kernel place met are given zeros too
    return correlate(da, rotate(kernel), None, (1, 1), (full[0], full[1]))
