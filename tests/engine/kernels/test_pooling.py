"""Max-pooling: ties, NaN, complex numbers."""
import importlib
import pkgutil

import numpy as np

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
