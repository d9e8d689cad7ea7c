"""Adam on NumPy arrays, however they lie."""
import importlib
import pkgutil

import numpy as np
import pytest

import engine.kernels


def find_kernels():
    """Every singledispatch function in the package, exported or not, by name."""
    modules = [importlib.import_module(module.name)
               for module in pkgutil.walk_packages(engine.kernels.__path__, "engine.kernels.")]
    return {name: value for module in (engine.kernels, *modules) for name, value in vars(module).items()
            if hasattr(value, "registry") and hasattr(value, "dispatch")}


KERNELS = find_kernels()
HELD = {"flat": lambda whole: np.ascontiguousarray(whole[:, :5]),
        "turned": lambda whole: np.asfortranarray(whole[:, :5]),
        "every other": lambda whole: whole[:, ::2], "backwards": lambda whole: whole[::-1, 4::-1]}


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("held", HELD)
def test_adam_writes_to_the_arrays_it_was_given_however_one_of_them_lies(held, place):
    """A view that is written through is no flat array; nothing beside it is touched."""
    rng = np.random.default_rng(6)
    wholes = [rng.random((6, 10)) for _ in range(4)]
    arrays = [HELD[held if at == place else "flat"](whole) for at, whole in enumerate(wholes)]
    right, beside = [np.array(array, order="C") for array in arrays], wholes[place][:, 5:].copy()
    KERNELS["adam_update"].dispatch(object)(*right, 3, 1e-3, 0.9, 0.999, 1e-8)
    KERNELS["adam_update"](*arrays, 3, 1e-3, 0.9, 0.999, 1e-8)
    for array, expected in zip(arrays, right, strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-13)
    if held == "backwards":
        np.testing.assert_array_equal(wholes[place][:, 5:], beside)


def test_adam_computes_in_the_parameters_digits_whatever_the_gradients_are():
    rng = np.random.default_rng(7)
    theta, m1, m2 = rng.random((3, 50))
    right = [np.array(array) for array in (theta, m1, m2)]
    gradient = rng.random(50).astype("float32")
    KERNELS["adam_update"].dispatch(object)(right[0], gradient, *right[1:], 3, 1.0, 0.9, 0.999, 1e-8)
    KERNELS["adam_update"](theta, gradient, m1, m2, 3, 1.0, 0.9, 0.999, 1e-8)
    np.testing.assert_allclose(theta, right[0], rtol=0, atol=1e-8)  # the gradient's own squares are float32


def test_adam_of_all_parameters_is_adam_of_each():
    rng = np.random.default_rng(8)
    lists = [[rng.random(shape) for shape in ((3, 4), (5,), (2, 2, 2))] for _ in range(4)]
    right = [[np.array(array) for array in arrays] for arrays in lists]
    for arrays in zip(*right, strict=True):
        KERNELS["adam_update"](*arrays, 3, 1e-3, 0.9, 0.999, 1e-8)
    KERNELS["adam_update_all"](*lists, 3, 1e-3, 0.9, 0.999, 1e-8)
    for arrays, expected in zip(lists, right, strict=True):
        assert [array.tobytes() for array in arrays] == [array.tobytes() for array in expected]


def test_adam_of_no_parameters_does_nothing():
    KERNELS["adam_update_all"]([], [], [], [], 1, 1e-3, 0.9, 0.999, 1e-8)
