"""How the learning rate falls."""
import math
from itertools import pairwise

import pytest

from engine.optimizers import cosine_decay, exponential_decay


def test_decay_is_continuous():
    assert exponential_decay(5e-5, 0.75, 0, 5000) == 5e-5
    assert exponential_decay(5e-5, 0.75, 10000, 5000) == pytest.approx(5e-5 * 0.5625, rel=1e-15)
    assert exponential_decay(1.0, 0.75, 2500, 5000) == pytest.approx(math.sqrt(0.75), rel=1e-15)
    ratios = [exponential_decay(1, 0.75, t + 1, 100) / exponential_decay(1, 0.75, t, 100) for t in range(300)]
    assert max(ratios) - min(ratios) < 1e-14  # every step lowers it by the same factor: no staircase


def test_cosine_rises_for_a_twentieth_and_falls_to_a_hundredth_where_it_stays():
    rates = [cosine_decay(2e-3, step, 400) for step in range(1, 801)]
    assert rates[0] == pytest.approx(2e-3 / 20, rel=1e-4) and max(rates) == rates[19]  # of step 20
    assert rates[199] == pytest.approx(2e-3 * 1.01 / 2, rel=1e-12)  # half way
    assert rates[399] == pytest.approx(2e-5, rel=1e-12) and set(rates[400:]) == {rates[399]}
    assert all(before > after for before, after in pairwise(rates[19:400]))
