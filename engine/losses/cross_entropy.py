"""Cross entropies, of probabilities and (stable at any size) of logits."""
from __future__ import annotations

from array_api_compat import array_namespace, device

from engine.arrays import Array
from engine.kernels import logistic_loss, real, softmax_loss
from engine.losses.pair import pair_of_logits, pair_of_probabilities
from engine.reduction import WHOLE, Reduction

# Below this probability the logarithm is continued by its tangent: about the spacing of float32 numbers next to 1.
LEAST_PROBABILITY = 1e-7


def _log(p: Array) -> tuple[Array, Array]:
    """The logarithm and its derivative; below s = LEAST_PROBABILITY those of its tangent: ln s + (p - s) / s, 1 / s."""
    xp = array_namespace(p)
    s = xp.where(real(p) < LEAST_PROBABILITY, LEAST_PROBABILITY * xp.ones_like(p), p)
    return xp.log(s) + (p - s) / s, 1 / s


def weighted_binary_cross_entropy(prediction: Array, target: Array, omega: float, reduction: Reduction = WHOLE
                                  ) -> tuple[Array, Array]:
    """l = -1/N sum [omega y ln p + (1 - y) ln(1 - p)],     dl/dp = -(omega y / p - (1 - y) / (1 - p)) / N

    (section 3.1.7)

    prediction p in [0, 1], target y in [0, 1]: (N, ...); omega > 1 weights the class y = 1 up.

    ln is continued by its tangent below 1e-7, so that value and gradient are finite also at p = 0 and p = 1, belong
    to each other everywhere, and a wrong p = 0 is still pulled away from 0 (by omega y 1e7). Computed from float32
    probabilities near 1 the loss is as coarse as their spacing, 6e-8: prefer the form with logits.
    """
    _expect_weight(omega)
    xp, y = pair_of_probabilities(prediction, target)
    log_p, slope_p = _log(prediction)
    log_q, slope_q = _log(1 - prediction)
    samples = reduction.samples(prediction.shape[0])
    value, = reduction.sum(xp.sum(-omega * y * log_p - (1 - y) * log_q))
    return value / samples, ((1 - y) * slope_q - omega * y * slope_p) / samples


def binary_cross_entropy(prediction: Array, target: Array, reduction: Reduction = WHOLE) -> tuple[Array, Array]:
    """l = -1/N sum [y ln p + (1 - y) ln(1 - p)]: the weighted form with omega = 1."""
    return weighted_binary_cross_entropy(prediction, target, 1.0, reduction)


def weighted_binary_cross_entropy_with_logits(logits: Array, target: Array, omega: float, reduction: Reduction = WHOLE
                                              ) -> tuple[Array, Array]:
    """The same as a function of the logits z, p = sigmoid(z), with no logarithm of a rounded probability:

    l = 1/N sum [omega y ln(1 + exp(-z)) + (1 - y) ln(1 + exp(z))]
    dl/dz = ((1 - y) sigmoid(z) - omega y sigmoid(-z)) / N          for omega = 1: (p - y) / N

    logits, target: (N, ...).
    """
    _expect_weight(omega)
    _, y = pair_of_logits(logits, target)
    value, gradient = logistic_loss(logits, y, omega)
    samples, (value,) = reduction.samples(logits.shape[0]), reduction.sum(value)
    return value / samples, gradient / samples


def binary_cross_entropy_with_logits(logits: Array, target: Array, reduction: Reduction = WHOLE) -> tuple[Array, Array]:
    """The binary cross entropy of sigmoid(logits): the weighted form with omega = 1."""
    return weighted_binary_cross_entropy_with_logits(logits, target, 1.0, reduction)


def softmax_cross_entropy_with_logits(logits: Array, target: Array, reduction: Reduction = WHOLE
                                      ) -> tuple[Array, Array]:
    """l = -1/N sum_k y_k ln p_k,   p_k = exp(z_k) / sum_j exp(z_j)   along the last axis

    With ln p_k = z_k - ln sum_j exp(z_j) and d ln p_k / dz_j = [j = k] - p_j:

    dl/dz_j = (p_j sum_k y_k - y_j) / N              for targets that sum to 1: (p_j - y_j) / N

    logits: (N, ..., K); target: the same shape, or the numbers of the classes, 0 to K - 1, integers (N, ...): then y is
    1 at that class and 0 elsewhere. Raises ValueError for a number that no class has.
    """
    _, y = pair_of_logits(logits, _one_hot(logits, target))
    value, gradient = softmax_loss(logits, y)
    samples, (value,) = reduction.samples(logits.shape[0]), reduction.sum(value)
    return value / samples, gradient / samples


def _one_hot(logits: Array, target: Array) -> Array:
    """The target in the shape of the logits: as it is, or from numbers of classes."""
    xp, shape, classes = array_namespace(logits), tuple(target.shape), logits.shape[-1]
    if shape != tuple(logits.shape[:-1]) or 0 in logits.shape:
        return target
    if not array_namespace(target).isdtype(target.dtype, "integral"):
        raise ValueError(f"the prediction is {tuple(logits.shape)} and the target {shape} of {target.dtype}; expected "
                         "integers, the numbers of the classes, or a probability a class, in the prediction's shape")
    one_hot = xp.astype(target, xp.int64)[..., None] == xp.arange(classes, dtype=xp.int64, device=device(target))
    if not bool(xp.all(xp.any(one_hot, axis=-1))):
        raise ValueError(f"the classes lie between {int(xp.min(target))} and {int(xp.max(target))}; expected 0 to "
                         f"{classes - 1} for logits {tuple(logits.shape)}")
    return one_hot


def _expect_weight(omega: float) -> None:
    if not 0 < omega < float("inf"):
        raise ValueError(f"omega is {omega}; expected a number above 0, 1 for classes of one weight")
