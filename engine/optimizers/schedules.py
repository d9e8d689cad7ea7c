"""How the learning rate falls."""
from __future__ import annotations

import math

RISE = 1 / 20  # of the steps, in which the rate of `cosine_decay` rises
LAST = 1 / 100  # of the rate, from the end on


def exponential_decay(initial: float, rate: float, step: float, steps_per_epoch: int) -> float:
    """initial rate^(step / steps_per_epoch): (3.17), falling a little with every step, not once an epoch."""
    return initial * rate ** (step / steps_per_epoch)


def cosine_decay(highest: float, step: float, steps: int) -> float:
    """A half wave of the cosine from `highest` down to a hundredth of it at step `steps`, and that from there on:

        highest (LAST + (1 - LAST) (1 + cos(pi step / steps)) / 2)

    times step / (RISE steps) in the first twentieth, where it rises. Long near the highest rate, where a short training
    learns most, and long near the lowest, where it comes to rest (Loshchilov and Hutter 2017, without restarts). The
    rise: Adam's first steps rest on moments of few gradients (Goyal et al. 2017 for SGD).
    """
    share = min(step / steps, 1.0)
    return highest * min(share / RISE, 1.0) * (LAST + (1 - LAST) * (1 + math.cos(math.pi * share)) / 2)
