"""Two-dimensional convolution."""
from __future__ import annotations

from array_api_compat import array_namespace, device

from engine.initializers import constant, xavier_normal
from engine.kernels import channel_sums, correlate, correlate_kernel_gradient, output_size
from engine.layer import Array, Layer
from engine.layers.activations import Activation
from engine.layers.shapes import Pair, expect_shape, pair


class Conv2D(Layer):
    """o = sigma(a),   a = W * x + b                                                                            (3.37)

    x: (N, H, W, C), zeros around it; kernel W: (KH, KW, C, O); b: (O,); a, o: (N, OH, OW, O). With stride s

        a[n,i,j,o] = b[o] + sum over u,v,c of W[u,v,c,o] x[n, s i + u, s j + v, c]

    This is a cross-correlation, as in TensorFlow (A.3.3). (3.37) has x[i - u, j - v], a convolution: the same layer
    with the kernel rotated by 180 degrees. Since the kernel is learned, nothing else changes.

    Backward. Let da = dL/da = do . sigma'(a). The chain rule sums over all output positions n,i,j,o (errata: (3.38)
    sums over the kernel's).

    Gradient w.r.t. the input. x[n,p,q,c] meets W[u,v,c,o] in the output i, j with s i + u = p, s j + v = q, so

        dx[n,p,q,c] = sum over u,v,o of da[n, (p - u)/s, (q - v)/s, o] W[u,v,c,o]

    where a fraction that is not whole stands for nothing. Two things make this a correlation again. Put s - 1 zeros
    between the rows and columns of da: then p - u is always a place in it. And let the kernel run backwards,
    u' = KH - 1 - u:

        dx[n,p,q,c] = sum over u',v',o of da0[n, p - (KH-1) + u', q - (KW-1) + v', o] W[KH-1-u', KW-1-v', c, o]
        dx = da0 * rot180(W), in and out exchanged                                                              (3.41)

    with KH - 1 and KW - 1 zeros around da0 (less the padding of x): the "full" correlation.

    Gradient w.r.t. the kernel. W[u,v,c,o] meets x[n, s i + u, s j + v, c] in every output i, j:

        dW[u,v,c,o] = sum over n,i,j of x[n, s i + u, s j + v, c] da[n,i,j,o]                                    (3.42)

    x correlated with da. Gradient w.r.t. the bias, which meets every output once:

        db[o] = sum over n,i,j of da[n,i,j,o]
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int | Pair = 3, stride: int | Pair = 1,
                 padding: str = "SAME", activation: Activation | None = None, bias: float = 0.0, *, rng,
                 dtype: str = "float32") -> None:
        super().__init__()
        if padding not in ("SAME", "VALID"):
            raise ValueError(f"padding is {padding!r}; expected 'SAME' (an output a stride) or 'VALID' (no zeros)")
        self.kernel_size, self.stride = pair(kernel_size), pair(stride)
        self.padding, self.activation = padding, activation
        kernel = xavier_normal(rng, (*self.kernel_size, in_channels, out_channels), dtype)
        self.params = {"W": kernel, "b": constant(bias, out_channels, dtype)}

    def forward(self, x, run):
        W, b = self.params["W"], self.params["b"]
        expect_shape(x, "N", "H", "W", W.shape[2])
        padding = zeros_around(x.shape, self.kernel_size, self.stride, self.padding)
        o = correlate(x, W, b, self.stride, padding, self.activation.value if self.activation else None)
        return o, (x, o if self.activation else None) if run.record else None

    def backward(self, dy, saved):
        x, o = saved
        padding = zeros_around(x.shape, self.kernel_size, self.stride, self.padding)
        da, db = self.activation.gradients(dy, o) if self.activation else (dy, channel_sums(dy))
        dx = input_gradient(da, self.params["W"], x.shape, self.stride, padding)                # (3.41)
        dW = correlate_kernel_gradient(x, da, self.kernel_size, self.stride, padding)           # (3.42)
        return dx, {"W": dW, "b": db}

    def piece(self, x, y):
        return self.activation.piece(x, y) if self.activation else None


def rotate(kernel: Array) -> Array:
    """rot180(W), in and out exchanged: (KH, KW, C, O) -> (KH, KW, O, C)."""
    xp = array_namespace(kernel)
    return xp.permute_dims(xp.flip(kernel, axis=(0, 1)), (0, 1, 3, 2))


def dilate(da: Array, stride: Pair) -> Array:
    """da (N, OH, OW, O) with stride - 1 zeros between its rows and columns: (N, s (OH - 1) + 1, s (OW - 1) + 1, O)."""
    if stride == (1, 1):
        return da
    n, height, width, channels = da.shape
    xp = array_namespace(da)
    dilated = xp.zeros((n, stride[0] * (height - 1) + 1, stride[1] * (width - 1) + 1, channels), dtype=da.dtype,
                       device=device(da))
    dilated[:, ::stride[0], ::stride[1], :] = da
    return dilated


def input_gradient(da: Array, kernel: Array, shape: tuple[int, ...], stride: Pair, padding: tuple[Pair, Pair]) -> Array:
    """(3.41): da (N, OH, OW, O), zeros put between and around, correlated with the rotated kernel; dx: `shape`."""
    da = dilate(da, stride)
    full = []
    for size, dilated, reach, (before, _) in zip(shape[1:3], da.shape[1:3], kernel.shape[:2], padding, strict=True):
        first = reach - 1 - before
        full.append((first, size + reach - 1 - dilated - first))  # pixels that no kernel place met are given zeros too
    return correlate(da, rotate(kernel), None, (1, 1), (full[0], full[1]))


def zeros_around(shape: tuple[int, ...], kernel_size: Pair, stride: Pair, padding: str) -> tuple[Pair, Pair]:
    """Rows and columns of zeros before and after x: ((top, bottom), (left, right)).

    "VALID": none. "SAME": so many that there are ceil(size / stride) outputs, the odd one at the end, as in TensorFlow.
    Raises ValueError where the kernel is larger than the image.
    """
    rows, columns = ((0, 0), (0, 0)) if padding == "VALID" else (
        _same(*sizes) for sizes in zip(shape[1:3], kernel_size, stride, strict=True))
    if min(output_size(*sizes) for sizes in zip(shape[1:3], kernel_size, stride, (rows, columns), strict=True)) < 1:
        raise ValueError(f"the image is {shape[1]}x{shape[2]} and the kernel {kernel_size[0]}x{kernel_size[1]}: with "
                         f"padding={padding!r} the kernel fits nowhere. Use 'SAME', a larger image or a smaller kernel")
    return rows, columns


def _same(size: int, kernel: int, stride: int) -> Pair:
    total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return total // 2, total - total // 2
