"""Errata 1 to 4: the network as one formula, the sign of descent, Algorithm 2's products, Adam's second moment."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from companion.errata.erratum import Erratum, Form, Outcome
from engine.combinators import Chain
from engine.layer import Run
from engine.layers import Activation, Dense, Sigmoid
from engine.losses import least_squares
from engine.optimizers import Adam
from engine.training import train


def sigma_at_the_end(sigma: Activation, gamma: Activation | None, rng: Generator) -> Chain:
    return Chain(Dense(1, 8, sigma, rng=rng), Dense(8, 1, sigma, rng=rng))


def gamma_at_the_end(sigma: Activation, gamma: Activation | None, rng: Generator) -> Chain:
    return Chain(Dense(1, 8, sigma, rng=rng), Dense(8, 1, gamma, rng=rng))


def fits_a_line(form: Form, rng: Generator) -> Outcome:
    """Targets from -2 to 2, sigma the sigmoid, gamma the identity."""
    x = rng.uniform(-1, 1, (64, 1)).astype("float32")
    y = 2 * x
    network = form(Sigmoid(), None, rng)
    for _ in train(network, least_squares, Adam(network.parameters()), [(x, y)] * 400, 0.05, seed=0):
        pass
    answers, _ = network.forward(x, Run(train=False, record=False))
    left = float(np.mean((answers - y) ** 2) / np.var(y))
    return Outcome(left, 0.05, f"targets from {y.min():.2f} to {y.max():.2f}, answers from {answers.min():.2f} to "
                   f"{answers.max():.2f}: {100 * left:.1f} % of the targets' variance is left")


def climb(theta: np.ndarray, rate: float, gradients: np.ndarray) -> np.ndarray:
    return theta + rate * gradients.mean(axis=0)


def descend(theta: np.ndarray, rate: float, gradients: np.ndarray) -> np.ndarray:
    return theta - rate * gradients.mean(axis=0)


def lowers_the_loss(form: Form, rng: Generator) -> Outcome:
    """Linear regression, 30 steps with the mean gradient of 50 samples."""
    x, wanted = rng.normal(size=(50, 3)), rng.normal(size=3)
    theta, losses = np.zeros(3), []
    for _ in range(31):
        differences = x @ theta - x @ wanted
        losses.append(float(np.mean(differences ** 2) / 2))
        theta = form(theta, 0.1, x * differences[:, None])  # a row of gradients for every sample
    return Outcome(losses[-1] / losses[0], 1.0, f"in 30 steps the loss goes from {losses[0]:.3g} to {losses[-1]:.3g}")


def element_wise(G: np.ndarray, W: np.ndarray, o: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return G * o, G * W


def outer_and_matrix_product(G: np.ndarray, W: np.ndarray, o: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return G @ o.T, W.T @ G


def agrees_with_differences(form: Form, rng: Generator) -> Outcome:
    """Layers of 1, 3 and 3 neurons on 1, 3 and 4 numbers; columns as in Algorithm 2."""
    worst, found = 0.0, []
    for outputs, inputs in ((1, 1), (3, 3), (3, 4)):
        W, o, G = (rng.normal(size=shape) for shape in ((outputs, inputs), (inputs, 1), (outputs, 1)))
        error, text = _judge(form, W, o, G)
        worst = max(worst, error)
        found.append(f"{outputs} neuron{'s' if outputs > 1 else ''} on {inputs}: {text}")
    return Outcome(worst, 1e-6, "; ".join(found))


def _judge(form: Form, W: np.ndarray, o: np.ndarray, G: np.ndarray) -> tuple[float, str]:
    """The larger relative error of the two gradients, infinite where a shape is not that of its array."""
    try:
        gradients = form(G, W, o)
    except ValueError:
        return np.inf, f"the shapes {G.shape} and {o.shape} do not fit each other"
    errors = []
    for gradient, array in zip(gradients, (W, o), strict=True):
        if gradient.shape != array.shape:
            return np.inf, f"a gradient of shape {gradient.shape} for {array.shape} numbers"
        numeric = _differences(array, lambda: float(np.vdot(G, W @ o)))
        errors.append(float(np.linalg.norm(gradient - numeric) / np.linalg.norm(numeric)))
    return max(errors), f"relative error {max(errors):.0e}"


def _differences(array: np.ndarray, loss: Callable[[], float], h: float = 1e-3) -> np.ndarray:
    """The central difference of loss() for every entry of the array, which is moved in place and comes back."""
    numeric = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        here = array[index]
        array[index] = here + h
        above = loss()
        array[index] = here - h
        numeric[index] = (above - loss()) / (2 * h)
        array[index] = here
    return numeric


def two_minus(m2: float, beta2: float, G: float) -> float:
    return beta2 * m2 + (2 - beta2) * G * G


def one_minus(m2: float, beta2: float, G: float) -> float:
    return beta2 * m2 + (1 - beta2) * G * G


def is_an_average(form: Form, rng: Generator) -> Outcome:
    """Over 2000 steps with one and the same gradient."""
    G, beta2, m2, ratios = float(rng.uniform(0.5, 2)), 0.999, 0.0, []
    for t in range(1, 2001):
        m2 = form(m2, beta2, G)
        ratios.append(m2 / (1 - beta2 ** t) / G ** 2)
    return Outcome(float(np.abs(np.array(ratios) - 1).max()), 1e-9,
                   f"in the end the corrected second moment is {ratios[-1]:.6g} times $G^2$, so that a step has "
                   f"{1 / np.sqrt(ratios[-1]):.3g} times the length λ")


ERRATA = (
    Erratum(1, "(3.7)", r"$\hat y = \sigma(W_H \cdot \sigma(\dots) + b_H)$",
            r"$\hat y = \gamma(W_H \cdot \sigma(\dots) + b_H)$: (3.3) names the last layer's function γ",
            "With γ the identity and σ the sigmoid a network must be able to learn targets beyond 0 and 1: after "
            "training on a line no more than 5 % of their variance may be left.",
            sigma_at_the_end, gamma_at_the_end, fits_a_line),
    Erratum(2, "(3.13), (3.14)", r"$\theta^{(t+1)} = \theta^{(t)} + \lambda \nabla l$",
            r"$\theta^{(t+1)} = \theta^{(t)} - \lambda \nabla l$, as (3.15) has it",
            "Gradient descent must end with a smaller loss than it began with.", climb, descend, lowers_the_loss),
    Erratum(3, "Algorithm 2, lines 5 and 6", r"$\nabla_{W_h} l = G \circ o_{h-1}$, $\quad G \leftarrow G \circ W_h$",
            r"$\nabla_{W_h} l = G\, o_{h-1}^T$, $\quad G \leftarrow W_h^T G$",
            "Both gradients of $\\langle G, W_h o_{h-1} \\rangle$ must agree with central differences to 1e-6.",
            element_wise, outer_and_matrix_product, agrees_with_differences),
    Erratum(4, "Algorithm 3, line 5", r"$m_2^{(t)} = \beta_2 m_2^{(t-1)} + (2 - \beta_2)\, G \circ G$",
            r"$m_2^{(t)} = \beta_2 m_2^{(t-1)} + (1 - \beta_2)\, G \circ G$",
            "The corrected second moment of gradients that are all the same, $G$, must be $G^2$: line 7 divides by the "
            "sum of the weights.", two_minus, one_minus, is_an_average),
)
