"""The cases of every kernel file, and what it is to agree with the definition, for all tests of this folder."""
import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest

from engine.kernels.cuda.arrays import EmulatedArray, emulated

CASES = Path(__file__).parent / "cases"
DTYPES = {"float32": 2e-5, "float64": 4e-14}
MORE_DIGITS = {"float32": "float64", "float64": "longdouble"}
# the arguments that a kernel overwrites: its results
WRITES = {"adam_update": (0, 2, 3), "adam_update_all": (0, 2, 3)}


def pytest_collection_modifyitems(items):
    if shutil.which("g++"):
        return
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and "compiles_by_nvrtc" not in item.name:
            item.add_marker(pytest.mark.skip(reason="needs g++, which runs CUDA kernels on the CPU"))


def cases_module(file):
    spec = importlib.util.spec_from_file_location(f"cases_{file}", CASES / f"{file}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cases(file):
    return list(cases_module(file).cases(np.random.default_rng(1)))


def converted(arguments, dtype, convert=np.array):
    """All arrays among the arguments, and in lists among them."""
    return [convert(each.astype(dtype) if each.dtype.kind == "f" else each) if isinstance(each, np.ndarray)
            else converted(each, dtype, convert) if isinstance(each, list) else each for each in arguments]


def arrays_of(arguments):
    """The arrays among the arguments, a list's for each."""
    return [[each for each in (argument if isinstance(argument, list) else [argument]) if isinstance(each, np.ndarray)]
            for argument in arguments]


def results_of(kernel, function, arguments):
    results = function(*arguments)
    if kernel.__name__ in WRITES:
        return [each for place in WRITES[kernel.__name__] for each in arrays_of(arguments)[place]]
    return [each for each in (results if isinstance(results, tuple) else (results,)) if each is not None]


def expect_agreement(kernel, arguments, dtype, layout=np.array):
    definition = kernel.dispatch(object)
    exact = results_of(kernel, definition, converted(arguments, MORE_DIGITS[dtype]))
    given = converted(arguments, dtype, lambda array: emulated(layout(array)))
    before = [[np.array(each) for each in arrays] for arrays in arrays_of(given)]
    results = results_of(kernel, kernel, given)
    for place, (arrays, kept) in enumerate(zip(arrays_of(given), before, strict=True)):
        for array, same in zip(arrays, kept, strict=True):
            if place not in WRITES.get(kernel.__name__, ()):
                np.testing.assert_array_equal(np.asarray(array), same)
    for result, right in zip(results, exact, strict=True):
        assert isinstance(result, EmulatedArray)
        own = dtype if right.dtype == MORE_DIGITS[dtype] else right.dtype
        assert (result.shape, result.dtype) == (right.shape, own)
        finite = np.abs(right[np.isfinite(right)]).max(initial=1)
        np.testing.assert_allclose(np.asarray(result), right, rtol=0, atol=DTYPES[dtype] * float(finite))


@pytest.fixture
def agree():
    """Runs a file's cases: agree(file, dtype, layout) raises AssertionError or KernelError."""
    def run(file, dtype, layout=np.array):
        for kernel, arguments in cases(file):
            expect_agreement(kernel, arguments, dtype, layout)

    return run


@pytest.fixture
def call_all():
    """Calls the kernels of a file's cases and looks at no result: call_all(file)."""
    def run(file):
        for dtype in DTYPES:
            for kernel, arguments in cases(file):
                kernel(*converted(arguments, dtype, emulated))

    return run


@pytest.fixture
def planted():
    """The mistakes planted in a file: planted(file), triples of the text before and after, and of a pattern."""
    return lambda file: cases_module(file).PLANTED
