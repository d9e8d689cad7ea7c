"""Adam on NumPy arrays, however they lie."""
import importlib
import pkgutil

import numpy as np
import pytest

import engine.kernels
from engine.kernels.cpu import adam, use_threads


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


@pytest.mark.parametrize("size", [0, 1, adam.FEW - 1, adam.FEW, adam.BLOCK, 2 * adam.BLOCK + 5])
def test_adam_of_few_numbers_and_of_several_blocks_is_the_definitions(size, threads_restored):
    rng, bits = np.random.default_rng(9), set()
    given = [rng.random(size, dtype="float32") for _ in range(4)]
    right = [array.astype(np.float64) for array in given]
    KERNELS["adam_update"].dispatch(object)(*right, 4, 1e-2, 0.9, 0.999, 1e-8)
    for count in (1, 2, 5):
        use_threads(count)
        arrays = [array.copy() for array in given]
        KERNELS["adam_update_all"](*([array, array[:3].copy()] for array in arrays), 4, 1e-2, 0.9, 0.999, 1e-8)
        bits.add(b"".join(array.tobytes() for array in arrays))
        for place in (0, 2, 3):
            np.testing.assert_allclose(arrays[place], right[place], rtol=5e-6, atol=1e-7)
        assert arrays[1].tobytes() == given[1].tobytes(), "gradients stay"
    assert len(bits) == 1


def test_a_step_of_adam_that_is_not_corrected_much_has_epsilon_where_the_definition_has_it():
    """epsilon counts where the gradients are as small as it: it must be that of the corrected moments."""
    given = [np.full(10, value) for value in (1.0, 1e-8, 0.0, 0.0)]
    right = [array.copy() for array in given]
    KERNELS["adam_update"].dispatch(object)(*right, 1, 1e-3, 0.9, 0.999, 1e-8)
    KERNELS["adam_update"](*given, 1, 1e-3, 0.9, 0.999, 1e-8)
    np.testing.assert_allclose(1 - given[0], 5e-4, rtol=1e-9)
    np.testing.assert_allclose(given[0], right[0], rtol=1e-13)
