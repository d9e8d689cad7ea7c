"""Every launcher against its kernel's definition, in every order of threads and with every access to memory checked.

cases/<file>.py says with what: `cases(rng)` yields kernels of engine.kernels with their arguments in float64.
"""
import importlib.util
from pathlib import Path

import numpy as np
import pytest

import engine.kernels
from engine.kernels.cuda import on_cpu
from engine.kernels.cuda.arrays import CudaArray, EmulatedArray, emulated
from engine.kernels.cuda.on_cpu import emulating
from engine.kernels.cuda.signatures import files, signatures

CASES = Path(__file__).parent / "cases"
DTYPES = {"float32": 2e-5, "float64": 4e-14}
MORE_DIGITS = {"float32": "float64", "float64": "longdouble"}
WRITES = {"adam_update": (0, 2, 3)}  # the arguments that a kernel overwrites: its results
MODES = [dict(order=order, checked=checked) for checked in (False, True)
         for order in ("ascending", "descending", "shuffled")]


def cases(file):
    spec = importlib.util.spec_from_file_location(f"cases_{file}", CASES / f"{file}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return list(module.cases(np.random.default_rng(1)))


def converted(arguments, dtype, convert=np.array):
    return [convert(each.astype(dtype) if each.dtype.kind == "f" else each) if isinstance(each, np.ndarray) else each
            for each in arguments]


def results_of(kernel, function, arguments):
    results = function(*arguments)
    if kernel.__name__ in WRITES:
        return [arguments[place] for place in WRITES[kernel.__name__]]
    return [each for each in (results if isinstance(results, tuple) else (results,)) if each is not None]


def expect_agreement(kernel, arguments, dtype, layout=np.array):
    definition = kernel.dispatch(object)
    exact = results_of(kernel, definition, converted(arguments, MORE_DIGITS[dtype]))
    given = converted(arguments, dtype, lambda array: emulated(layout(array)))
    before = [np.array(each) if isinstance(each, np.ndarray) else None for each in given]
    results = results_of(kernel, kernel, given)
    for place, (argument, kept) in enumerate(zip(given, before, strict=True)):
        if kept is not None and place not in WRITES.get(kernel.__name__, ()):
            np.testing.assert_array_equal(np.asarray(argument), kept)
    for result, right in zip(results, exact, strict=True):
        assert isinstance(result, EmulatedArray)
        assert (result.shape, result.dtype) == (right.shape, dtype if right.dtype.kind == "f" else right.dtype)
        finite = np.abs(right[np.isfinite(right)]).max(initial=1)
        np.testing.assert_allclose(np.asarray(result), right, rtol=0, atol=DTYPES[dtype] * float(finite))


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: f"{mode['order']}{' checked' * mode['checked']}")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("file", files())
def test_a_launcher_agrees_with_the_definition(file, dtype, mode):
    with emulating(**mode):
        for kernel, arguments in cases(file):
            expect_agreement(kernel, arguments, dtype)


def strided(array):
    """The same numbers, two apart along the last axis and from the end to the beginning."""
    spread = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    spread[..., ::-2] = array
    return spread[..., ::-2]


@pytest.mark.parametrize("file", files())
def test_a_launcher_takes_every_layout(file):
    for kernel, arguments in cases(file):
        expect_agreement(kernel, arguments, "float32", strided)


@pytest.mark.parametrize("file", files())
def test_the_cases_launch_every_instance(file, monkeypatch):
    launched, run = set(), on_cpu.run
    monkeypatch.setattr(on_cpu, "run", lambda signature, *rest: (launched.add(signature.name), run(signature, *rest)))
    for dtype in DTYPES:
        for kernel, arguments in cases(file):
            kernel(*converted(arguments, dtype, emulated))
    missing = {signature.name for signature in signatures(file).values()} - launched
    assert not missing, f"cases/{file}.py launches no {missing}"


KERNELS = {name: kernel for name, kernel in vars(engine.kernels).items() if hasattr(kernel, "registry")}


@pytest.mark.parametrize("name", KERNELS)
def test_numpys_versions_are_not_taken_for_arrays_on_a_gpu(name):
    kernel = KERNELS[name]
    assert kernel.dispatch(EmulatedArray) is kernel.registry[CudaArray] is not kernel.registry[np.ndarray]


@pytest.mark.parametrize("dtype", ["complex128", "complex64", "longdouble"])
def test_other_numbers_go_to_the_definition(dtype):
    x = np.random.default_rng(2).normal(size=(2, 3, 4, 2)).astype(dtype)
    for kernel, rest in ((engine.kernels.relu, ()), (engine.kernels.upsample, (2,))):
        result = kernel(emulated(x), *rest)
        assert isinstance(result, EmulatedArray) and result.dtype == dtype
        np.testing.assert_array_equal(np.asarray(result), kernel.dispatch(object)(x, *rest))
