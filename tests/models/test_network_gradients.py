"""The gradients of the whole networks, through batch norm, dropout and losses, in training and inference."""
import pytest

from engine.gradient_check.suite import examine
from models.gradient_cases import cases

CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_every_parameter_of_the_network_has_the_right_gradient(case):
    results = examine(case)
    assert all(result.passed for result in results), [r.message for r in results if not r.passed]
    assert {result.parameter for result in results} == {"(purity)", "x", *case.layer.parameters(),
                                                    *case.layer.moving_averages()}


def test_each_network_is_checked_in_training_and_in_inference():
    assert {(case.kind, case.run.train) for case in CASES} == {(kind, train) for kind in ("mlp", "vgg", "unet")
                                                              for train in (True, False)}
