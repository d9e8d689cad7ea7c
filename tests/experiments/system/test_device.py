"""Where arrays live: a network is placed once, and tells what goes beside it."""
import array_api_strict as strict
import numpy as np
import pytest

from engine.layers import Dense
from experiments.system import device
from experiments.system.device import array_module, beside, placed
from experiments.system.errors import UsageError


def test_a_network_is_placed_and_what_goes_beside_it_is_of_its_kind(monkeypatch):
    network = Dense(3, 2, rng=np.random.default_rng(0))
    x = np.ones((4, 3), np.float32)
    assert beside(network, x) is x
    monkeypatch.setattr(device, "array_module", lambda name: {"other": strict}[name])
    assert placed(network, "other") is network
    assert all(type(array) is type(strict.asarray(0)) for array in (*network.parameters().values(), beside(network, x)))


def test_a_device_that_is_not_there_is_a_wrong_call():
    assert array_module("cpu") is np
    try:
        array_module("cuda").zeros(1)
    except UsageError as error:
        assert "--device cuda" in str(error)


def test_a_gpu_that_does_not_work_is_named(monkeypatch):
    class Runtime:
        @staticmethod
        def getDeviceCount():
            raise RuntimeError("no driver")

    class Cupy:
        class cuda:
            runtime = Runtime

    monkeypatch.setitem(__import__("sys").modules, "cupy", Cupy)
    with pytest.raises(UsageError, match=r"finds no GPU that works \(no driver\); --device cpu needs none"):
        array_module("cuda")
