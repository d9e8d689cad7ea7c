"""The fully connected layer of the multi-layer perceptron."""
from __future__ import annotations

from array_api_compat import array_namespace

from engine.initializers import constant, xavier_uniform
from engine.kernels import channel_sums, matrix_product
from engine.layer import Layer
from engine.layers.activations import Activation
from engine.layers.shapes import expect_shape


class Dense(Layer):
    """o = sigma(a),   a = x W + b                                                                       (3.3)-(3.7)

    x: (N, I), W: (I, O), b: (O,); a, o: (N, O). A sample is a row here: the thesis's W o with columns is the transpose.

    With da = do . sigma'(a) (Algorithm 2, line 3):

        dx = da W^T      a[n,o] meets x[n,i] through W[i,o]                              (line 6)
        dW = x^T da      W[i,o] meets a[n,o] through x[n,i], in every sample             (line 5)
        db = sum of da over n                                                            (line 4)

    Errata: Algorithm 2 prints both products as element-wise ones.
    """

    def __init__(self, in_features: int, out_features: int, activation: Activation | None = None, bias: float = 0.0, *,
                 rng, dtype: str = "float32") -> None:
        super().__init__()
        self.activation = activation
        W = xavier_uniform(rng, (in_features, out_features), dtype)
        self.params = {"W": W, "b": constant(bias, out_features, dtype)}

    def forward(self, x, run):
        expect_shape(x, "N", self.params["W"].shape[0])
        a = matrix_product(x, self.params["W"]) + self.params["b"]
        o = self.activation.value(a) if self.activation else a
        return o, (x, o if self.activation else None) if run.record else None

    def backward(self, dy, saved):
        x, o = saved
        xp = array_namespace(x)
        da, db = self.activation.gradients(dy, o) if self.activation else (dy, channel_sums(dy))
        dx = matrix_product(da, xp.matrix_transpose(self.params["W"]))
        dW = matrix_product(xp.matrix_transpose(x), da)
        return dx, {"W": dW, "b": db}

    def piece(self, x, y):
        return self.activation.piece(x, y) if self.activation else None
