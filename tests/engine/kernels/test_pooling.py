"""Max-pooling: ties, NaN, complex numbers; its gradient combined with another array in one pass."""
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


def test_max_pool_takes_the_first_of_equal_pixels_and_lets_a_nan_through():
    x = np.array([[3.0, 3.0, np.nan, 1.0], [3.0, 2.0, 5.0, 0.0], [1.0, 2.0, 1.0, 9.0], [4.0, np.nan, 9.0, 9.0]])
    x = x.reshape(1, 4, 4, 1)
    for version in KERNELS["max_pool"].registry.values():
        y, place = version(x, (2, 2), (2, 2))
        np.testing.assert_array_equal(y[0, :, :, 0], [[3, np.nan], [np.nan, 9]])
        assert place[0, 0, 0, 0] == 0
        assert place[0, 1, 1, 0] == 1


def test_a_nan_passes_at_every_place_of_the_window():
    for place in range(4):
        x = np.arange(4.0)
        x[place] = np.nan
        for version in KERNELS["max_pool"].registry.values():
            assert np.isnan(version(x.reshape(1, 2, 2, 1), (2, 2), (2, 2))[0]).all()


def test_max_pool_compares_real_parts_only():
    """Of complex numbers NumPy's maximum would look at the imaginary parts where the real ones are equal."""
    x = np.array([[1 + 0j, 1 + 5j], [1 - 1j, 0 + 9j]]).reshape(1, 2, 2, 1)
    for version in KERNELS["max_pool"].registry.values():
        y, place = version(x, (2, 2), (2, 2))
        assert (y.item(), place.item()) == (1 + 0j, 0)


# one block, several images a block, several blocks an image; windows that do not tile x go by the definition
@pytest.mark.parametrize(("shape", "size"), [
    ((2, 6, 8, 3), (2, 2)), ((600, 4, 6, 40), (2, 2)), ((1, 96, 130, 90), (2, 2)), ((2, 9, 8, 3), (3, 4)),
    ((2, 3, 2, 5), (1, 1)), ((2, 7, 9, 3), (2, 2))])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_a_gradient_combined_where_it_is_spread_has_the_bits_of_the_two_steps(dtype, shape, size):
    """Zeros of both signs among the numbers."""
    rng = np.random.default_rng(0)
    place = rng.integers(0, size[0] * size[1], (shape[0], shape[1] // size[0], shape[2] // size[1], shape[3]))
    place = place.astype(np.uint8)
    dy, x, *vectors = (rng.normal(size=each).astype(dtype) for each in (place.shape, shape, *[shape[3:]] * 4))
    dy.flat[:2] = [0, -0.0]
    centre, _, _, shift = vectors
    x[..., -1], centre[-1], shift[-1] = 5, 5, -0.0
    g = KERNELS["max_pool_gradient"](dy, place, shape, size, size)
    right, result = KERNELS["combine"](g, x, *vectors), KERNELS["combine_pooled"](dy, x, *vectors, place, size)
    assert (result.dtype, result.tobytes()) == (right.dtype, right.tobytes())


@pytest.mark.parametrize("argument", range(6))
def test_arrays_of_several_dtypes_are_combined_as_in_the_two_steps(argument):
    """Complex-step differentiation moves one argument at a time."""
    rng = np.random.default_rng(1)
    shape, place = (2, 4, 6, 3), rng.integers(0, 4, (2, 2, 3, 3)).astype(np.uint8)
    arrays = [rng.normal(size=each) for each in (place.shape, shape, *[shape[3:]] * 4)]
    arrays[argument] = arrays[argument] + 1j
    dy, x, *vectors = arrays
    right = KERNELS["combine"](KERNELS["max_pool_gradient"](dy, place, shape, (2, 2), (2, 2)), x, *vectors)
    result = KERNELS["combine_pooled"](dy, x, *vectors, place, (2, 2))
    assert result.dtype == right.dtype == np.complex128
    np.testing.assert_array_equal(result, right)
