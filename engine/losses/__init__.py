"""The losses of section 3.1.7. Each answers with its value and its gradient at once:

    loss(prediction, target) -> value, gradient
    loss(prediction, target, reduction=...)         where the batch lies on several ranks

prediction  (N, ...), floating point, on any array library
target      the same shape, any dtype; from 0 to 1 where it means probabilities (all but least squares)
value       an array without axes
gradient    d value / d prediction, in the shape and dtype of the prediction
reduction   of the pass (engine.reduction): N and the sums are those of the whole batch, and so is the value, the same
            on every rank; the gradient is that of this rank's predictions. A loss of your own needs the argument only
            where it trains on several ranks

Least squares and the cross entropies are summed over the elements of a sample, as the section prints them, and averaged
over the N samples of the batch, as (3.14) does. Dice and sensitivity-specificity are ratios over the whole batch
(A.3.5).

All raise ValueError where prediction and target differ in shape (nothing is broadcast; softmax cross entropy also takes
the numbers of the classes), the batch is empty, the prediction is no array of floats, or probabilities leave [0, 1] by
more than rounding, 1e-6. NaN and infinities pass into the value. Where a loss branches it looks at the real part, so
that complex-step differentiation passes through.
"""
from engine.losses.cross_entropy import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    weighted_binary_cross_entropy,
    weighted_binary_cross_entropy_with_logits,
)
from engine.losses.least_squares import least_squares
from engine.losses.logits import from_logits
from engine.losses.overlap import dice, sensitivity_specificity
from engine.losses.pair import Loss

__all__ = ["Loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "dice", "from_logits", "least_squares",
           "sensitivity_specificity", "softmax_cross_entropy_with_logits", "weighted_binary_cross_entropy",
           "weighted_binary_cross_entropy_with_logits"]
