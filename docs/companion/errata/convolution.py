"""Erratum 8: what a convolution is applied to, over what its gradient sums, and which way its kernel lies."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from scipy.signal import convolve2d, correlate2d

from companion.errata.erratum import Erratum, Form, Outcome
from engine.kernels import correlate
from engine.layer import Run
from engine.layers import Dense, Sigmoid

Sigma = Callable[[np.ndarray], np.ndarray]


def sigma_once_more(W: np.ndarray, o: np.ndarray, sigma: Sigma) -> np.ndarray:
    return convolve2d(sigma(o), W, mode="valid")


def output_as_it_is(W: np.ndarray, o: np.ndarray, sigma: Sigma) -> np.ndarray:
    return convolve2d(o, W, mode="valid")


def is_a_dense_layer(form: Form, rng: Generator) -> Outcome:
    """A kernel as large as the image has one place on it: one neuron that sees every pixel."""
    sigma, W = Sigmoid().value, rng.normal(size=(4, 4))
    o = sigma(rng.normal(size=(4, 4)))  # an output of the layer before
    neuron = Dense(16, 1, rng=rng, dtype="float64")
    neuron.params["W"] = W[::-1, ::-1].reshape(16, 1)  # a convolution's kernel is counted backwards
    wanted = float(neuron.forward(o.reshape(1, 16), Run(record=False))[0].item())
    found = float(form(W, o, sigma).item())
    return Outcome(abs(found - wanted), 1e-12, f"the neuron's activation is {wanted:.6f}, this one {found:.6f}")


def over_the_kernel(g: np.ndarray, W: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return _summed(g, W, shape, places=W.shape)


def over_the_outputs(g: np.ndarray, W: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return _summed(g, W, shape, places=g.shape)


def _summed(g: np.ndarray, W: np.ndarray, shape: tuple[int, int], places: tuple[int, ...]) -> np.ndarray:
    """(3.41): at every x, y of `shape` the sum over u, v of g[u, v] W[u - x, v - y], u and v in range(places)."""
    gradient = np.zeros(shape)
    for x, y in np.ndindex(shape):
        for u, v in np.ndindex(places):
            if 0 <= u - x < W.shape[0] and 0 <= v - y < W.shape[1]:
                gradient[x, y] += g[u, v] * W[u - x, v - y]
    return gradient


def is_the_gradient(form: Form, rng: Generator) -> Outcome:
    """A 5x5 image, a 3x3 kernel, the 7x7 outputs that (3.37) gives, and a random gradient g at them."""
    o, W, g = rng.normal(size=(5, 5)), rng.normal(size=(3, 3)), rng.normal(size=(7, 7))
    gradient, numeric, h = form(g, W, o.shape), np.zeros_like(o), 1e-3
    for index in np.ndindex(o.shape):
        step = np.zeros_like(o)
        step[index] = h
        numeric[index] = np.vdot(g, convolve2d(o + step, W) - convolve2d(o - step, W)) / (2 * h)
    wrong = ~np.isclose(gradient, numeric, rtol=1e-6, atol=1e-9)
    error = float(np.linalg.norm(gradient - numeric) / np.linalg.norm(numeric))
    return Outcome(error, 1e-6, f"relative error {error:.1g}; {int(wrong.sum())} of the {wrong.size} pixels have a "
                   "wrong gradient")


def backwards_kernel(x: np.ndarray, W: np.ndarray) -> np.ndarray:
    return convolve2d(x, W, mode="valid")


def forwards_kernel(x: np.ndarray, W: np.ndarray) -> np.ndarray:
    return correlate2d(x, W, mode="valid")


def is_the_layer_of_the_code(form: Form, rng: Generator) -> Outcome:
    """Against the sum of x[i + u, j + v] W[u, v], on a 6x6 image."""
    x, W = rng.normal(size=(6, 6)), rng.normal(size=(3, 3))
    wanted = correlate(x[None, :, :, None], W[:, :, None, None], None, (1, 1), ((0, 0), (0, 0)))[0, :, :, 0]
    error, rotated = (float(np.abs(form(x, kernel) - wanted).max()) for kernel in (W, W[::-1, ::-1]))
    return Outcome(error, 1e-12, f"off by up to {error:.2g}; with the kernel rotated by 180 degrees by {rotated:.2g}")


ERRATA = (
    Erratum(8, "(3.37)", r"$a^h = W^h \circledast \sigma(o^{h-1}) + b^h$", r"$a^h = W^h \circledast o^{h-1} + b^h$: "
            r"$o^{h-1} = \sigma(a^{h-1})$ is an output already",
            "With a kernel as large as the image a convolution is a neuron: it must give line 3 of Algorithm 1, "
            "$a = W \\cdot o + b$.", sigma_once_more, output_as_it_is, is_a_dense_layer, part="a"),
    Erratum(8, "(3.38) to (3.41)", r"$\sum_{u=0}^{M-1} \sum_{v=0}^{N-1}$: the sums run over the $M \times N$ kernel",
            r"$\sum_u \sum_v$ over all positions $u, v$ of the outputs $o^{h+1}$",
            "The gradient with respect to the image must agree with central differences to 1e-6.",
            over_the_kernel, over_the_outputs, is_the_gradient, part="b"),
    Erratum(8, "(3.37) against A.3.3", r"$\sum_{i,j} w_{i,j}\, o_{x-i,y-j}$, a convolution, for what is "
            "`tf.nn.conv2d` in the code", r"$\sum_{i,j} w_{i,j}\, o_{x+i,y+j}$, a cross-correlation. The kernel is "
            "learned, so that both are the same layer with a rotated kernel",
            "On the same kernel the formula must give what the layer of the code computes.",
            backwards_kernel, forwards_kernel, is_the_layer_of_the_code, part="c"),
)
