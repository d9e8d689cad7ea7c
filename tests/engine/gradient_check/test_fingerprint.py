"""Fingerprints: equal for equal contents."""
from abc import ABCMeta

import numpy as np

from engine.gradient_check.fingerprint import fingerprint, state_of
from engine.layers import BatchNorm, ReLU


def test_fingerprints_tell_contents_apart_and_nothing_else():
    def value():
        return {"a": [np.arange(3.0), ("b", 1)], "g": np.random.default_rng(1), "layer": BatchNorm(2)}

    base = fingerprint(value())
    assert fingerprint(value()) == base
    for change in (lambda v: v["a"].append(1), lambda v: v["a"][0].__setitem__(0, -0.0), lambda v: v["g"].random(),
                   lambda v: v["layer"].params.clear(), lambda v: setattr(v["layer"], "alpha", 0.5)):
        changed = value()
        change(changed)
        assert fingerprint(changed) != base


def test_fingerprints_tell_which_of_two_things_stands_where_and_not_the_order_of_a_set():
    one, two = [1], [2]
    assert fingerprint([one, two, one]) != fingerprint([one, two, two])
    assert list({0, 8}) != list({8, 0}) and fingerprint({0, 8}) == fingerprint({8, 0}) != fingerprint({0, 9})


def test_which_version_of_a_kernel_was_called_is_no_state_of_the_layer():
    """Registering an abstract class, as other libraries do when imported, empties what functools remembers."""
    layer = ReLU()
    before = state_of(layer)
    ABCMeta("Anything", (), {}).register(int)
    layer.value(np.ones(2))
    assert state_of(layer) == before
