"""Adam."""
from __future__ import annotations

from math import inf, sqrt

from engine.arrays import Array
from engine.kernels import adam_update_all
from engine.optimizers.optimizer import Optimizer


class Adam(Optimizer):
    """Algorithm 3, corrected: moving averages m1 of G and m2 of G^2, each divided by the sum of its weights so far.

    m1 <- beta1 m1 + (1 - beta1) G
    m2 <- beta2 m2 + (1 - beta2) G^2                        printed is (2 - beta2)
    theta <- theta - lambda m1' / (sqrt(m2') + epsilon),    m1' = m1 / (1 - beta1^t),  m2' = m2 / (1 - beta2^t)

    The weights (1 - beta) beta^(t-s) of G(s) add up to 1 - beta^t, which is why the correction divides by it. With
    (2 - beta2) they would add up to about 1000 times that, and every step would be sqrt(1001) = 32 times too short.
    """

    remembers = ("m1", "m2")

    def __init__(self, parameters: dict[str, Array], beta1: float = 0.9, beta2: float = 0.999,
                 epsilon: float = 1e-8, *, weight_decay: float = 0.0, clip_norm: float | None = None) -> None:
        super().__init__(parameters, weight_decay=weight_decay, clip_norm=clip_norm)
        for name, beta in (("beta1", beta1), ("beta2", beta2)):
            if not 0 <= beta < 1:
                raise ValueError(f"{name} is {beta}; expected a number in [0, 1)")
        if not 0 < epsilon < inf:
            raise ValueError(f"epsilon is {epsilon}; expected a number above 0: a gradient of 0 is divided by it")
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def _update_all(self, gradients: list[Array], learning_rate: float) -> None:
        m1s, m2s = ([self.memory[name][path] for path in self.parameters] for name in self.remembers)
        adam_update_all(list(self.parameters.values()), gradients, m1s, m2s, self.steps, learning_rate, self.beta1,
                        self.beta2, self.epsilon)

    def _largest_change(self, norm: float, learning_rate: float) -> float:
        """m1' is a mean of the gradients so far, none above r = sqrt(the largest number / 2): G^2 would overflow m2.

        So the change is at most lambda r / epsilon. Also, by Cauchy and Schwarz,
            m1^2 = (sum of (1-beta1) beta1^k G)^2 <= (1-beta1)^2 sum of (beta1^2/beta2)^k  sum of beta2^k G^2,
        the last sum is m2 / (1-beta2), and the corrections add a factor of 1 / (1-beta1) at most: lambda times
        1 / sqrt((1-beta2)(1 - beta1^2/beta2)), 73 for the usual betas, where beta1^2 < beta2.
        """
        root = sqrt(self._largest / 2)
        if not norm < root:
            return inf
        rest = 1 - self.beta1**2 / self.beta2 if self.beta2 else 0.0
        ratio = 1 / sqrt((1 - self.beta2) * rest) if rest > 0 else inf
        return learning_rate * min(ratio, root / self.epsilon)
