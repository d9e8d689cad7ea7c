"""How the learning rate falls."""
from __future__ import annotations


def exponential_decay(initial: float, rate: float, step: float, steps_per_epoch: int) -> float:
    """initial rate^(step / steps_per_epoch): (3.17), falling a little with every step, not once an epoch."""
    return initial * rate ** (step / steps_per_epoch)
