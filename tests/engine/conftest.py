"""What several tests of the engine share."""
import numpy as np
import pytest

from engine.gradient_check import Loss, check, check_complex, check_elements, distinct
from engine.gradient_check.case import scatter
from engine.layer import Run


@pytest.fixture
def failures():
    """failures(checked, layer, shape, run): the rows that did not pass, by parameter, at a point away from kinks."""
    def failing(checked, layer, shape, run=None):
        rng = np.random.default_rng(3)
        scatter(layer, rng)
        low = 0.1 if isinstance(layer, Loss) else -1
        x = distinct(rng, *shape, low=low)
        return {result.parameter: result for result in checked(layer, x, run or Run(), rng) if not result.passed}
    return failing


@pytest.fixture
def assert_caught(failures):
    """Every check finds the rows of the wrong layer and no others, without taking it for a kink; the right one passes.

    rows: by parameter; exact_rows: those that the complex step, which sees smaller errors, finds besides.
    """
    def caught(wrong, right, shape, rows, run=None, least=1e-4, exact_rows=frozenset()):
        for checked in (check, check_elements, check_complex):
            found = failures(checked, wrong, shape, run)
            assert found.keys() == (rows | exact_rows if checked is check_complex else rows), (checked, found)
            assert not any(result.kink for result in found.values()), found
            assert checked is check_complex or all(result.error > least for result in found.values()), found
            assert not failures(checked, right, shape, run), checked
    return caught
