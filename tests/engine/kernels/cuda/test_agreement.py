"""Every launcher against its kernel's definition, in every order of threads and with every access to memory checked.

cases/<file>.py says with what: `cases(rng)` yields kernels of engine.kernels with their arguments in float64.
"""
import numpy as np
import pytest

import engine.kernels
from engine.kernels.cuda import on_cpu
from engine.kernels.cuda.arrays import CudaArray, EmulatedArray, emulated
from engine.kernels.cuda.on_cpu import emulating
from engine.kernels.cuda.signatures import files, signatures

DTYPES = ["float32", "float64"]
MODES = [{"order": order, "checked": checked} for checked in (False, True)
         for order in ("ascending", "descending", "shuffled")]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: f"{mode['order']}{' checked' * mode['checked']}")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("file", files())
def test_a_launcher_agrees_with_the_definition(file, dtype, mode, agree):
    with emulating(**mode):
        agree(file, dtype)


def strided(array):
    """The same numbers, two apart along the last axis and from the end to the beginning."""
    spread = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    spread[..., ::-2] = array
    return spread[..., ::-2]


@pytest.mark.parametrize("file", files())
def test_a_launcher_takes_every_layout(file, agree):
    agree(file, "float32", strided)


@pytest.mark.parametrize("file", files())
def test_the_cases_launch_every_instance(file, monkeypatch, call_all):
    launched, run = set(), on_cpu.run
    monkeypatch.setattr(on_cpu, "run", lambda signature, *rest: (launched.add(signature.name), run(signature, *rest)))
    call_all(file)
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
