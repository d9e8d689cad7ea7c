"""Where arrays live: a network is placed once, and tells what goes beside it; batches go there ahead of the steps."""
import sys
import threading
import types

import array_api_strict as strict
import numpy as np
import pytest

from engine.layers import Dense
from experiments.inputs.batches import prefetch
from experiments.system import device
from experiments.system.device import array_module, beside, placed, uploading, within_memory
from experiments.system.errors import Failure, UsageError


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

    monkeypatch.setitem(sys.modules, "cupy", Cupy)
    with pytest.raises(UsageError, match=r"finds no GPU that works \(no driver\); --device cpu needs none"):
        array_module("cuda")


def test_without_cupy_both_extras_are_named_with_the_drivers_that_they_need(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(UsageError, match=r"\[cuda13\]\".* 580 or later.*\[cuda12\]\".* 525 or later.*engine.doctor"):
        array_module("cuda")


@pytest.fixture
def cupy(monkeypatch):
    """A stand-in of CuPy that notes what is done, and by which thread."""
    noted = []

    def note(*what):
        noted.append((*what, threading.current_thread() is threading.main_thread()))

    class Noting:
        def __init__(self, name):
            self.name = name

        def __enter__(self):
            note("enter", self.name)

        def __exit__(self, *error):
            note("exit", self.name)

        def record(self):
            return f"event of {self.name}"

        def wait_event(self, event):
            note("wait", self.name, event)

        def synchronize(self):
            note("synchronize", self.name)

    array_type = type("ndarray", (np.ndarray,), {"__module__": "cupy", "device": Noting("device")})

    def make(non_blocking):
        return Noting("copying" if non_blocking else "blocking")

    make.null = Noting("null")

    def asarray(array):
        note("copy", array.tolist())
        return array.view(array_type)

    module = types.SimpleNamespace(
        ndarray=array_type, asarray=asarray, zeros=lambda size: None, noted=noted, cuda=types.SimpleNamespace(
            Stream=make, runtime=types.SimpleNamespace(getDeviceCount=lambda: 1)))
    monkeypatch.setitem(sys.modules, "cupy", module)
    return module


def test_batches_are_copied_to_a_gpu_in_the_background_on_a_stream_of_their_own(cupy):
    network = Dense(3, 2, rng=np.random.default_rng(0))
    network.convert(lambda array: array.view(cupy.ndarray))
    batches = uploading(network, lambda step: (np.array([step]), np.array([-step])))
    (_, (x, y)), = prefetch(batches, 7, 8)
    assert isinstance(x, cupy.ndarray) and isinstance(y, cupy.ndarray) and (x, y) == (7, -7)
    assert cupy.noted == [(*each, False) for each in (
        ("enter", "device"), ("enter", "copying"), ("wait", "copying", "event of null"), ("copy", [7]), ("copy", [-7]),
        ("synchronize", "copying"), ("exit", "copying"), ("exit", "device"))]


def test_batches_stay_where_they_are_for_numpy():
    images = np.ones((2, 3), np.float32), np.ones((2, 2), np.float32)
    uploaded = uploading(Dense(3, 2, rng=np.random.default_rng(0)), lambda step: images)(1)
    assert uploaded[0] is images[0] and uploaded[1] is images[1]


@pytest.mark.parametrize(("batch", "recompute", "message"), [
    (50, False, "--batch 50: 9 GB. --batch 25 may fit, needing about half; --recompute needs about half, too"),
    (50, True, "step with --batch 50: 9 GB. --batch 25 may fit, needing about half$"),
    (3, True, "step with --batch 3: 9 GB. A smaller --side needs less$"),
])
def test_out_of_memory_names_the_batch_that_may_fit(batch, recompute, message):
    def steps():
        yield 1
        raise MemoryError("9 GB")

    guarded = within_memory(steps(), batch, recompute)
    assert next(guarded) == 1
    with pytest.raises(Failure, match=message):
        next(guarded)


def test_out_of_memory_between_the_steps_is_not_that_of_a_step():
    def steps():
        yield 1

    with pytest.raises(MemoryError):
        for _ in within_memory(steps(), 4, False):
            raise MemoryError
