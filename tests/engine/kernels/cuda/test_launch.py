"""What a launch takes and refuses, what a kernel file has to say, and CuPy's arrays, which a stand-in of CuPy shows."""
import subprocess
import sys
import types
from functools import singledispatch

import numpy as np
import pytest

from engine.kernels import adam_update_all, correlate, relu
from engine.kernels.cuda import activations, adam, convolution, convolution_rungs, leave_to_definitions, on_device
from engine.kernels.cuda.arrays import CudaArray, EmulatedArray, empty, emulated
from engine.kernels.cuda.launch import launch
from engine.kernels.cuda.signatures import files, parse, signatures

RELU = "activations.relu<float>"
X = emulated(np.linspace(-1, 1, 10, dtype="float32"))


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"kernel": "activations.relu<half>"}, KeyError, "no kernel activations.relu<half>; activations.cu has relu"),
    ({"arguments": (X, X)}, TypeError, r"relu<float> was given 2 arguments; expected 3: a, o, count"),
    ({"arguments": (X, X.astype("float64"), 10)}, TypeError, "an array of float64 for o; expected float32"),
    ({"arguments": (X, X[::2], 5)}, ValueError, r"array of strides \(8,\) for o; .*contiguous\(array\)"),
    ({"arguments": (X, X, X)}, TypeError, "an array for count; expected one number, long long"),
    ({"arguments": (X, 3, 10)}, TypeError, "given 3 for o; expected an array of float32, or None"),
    ({"arguments": (X, X, 2.5)}, TypeError, "given 2.5 for count; expected a number that is long long"),
    ({"arguments": (X, X, 1 << 70)}, OverflowError, "too large"),
    ({"arguments": (X, np.asarray(X), 10)}, TypeError, "arrays of .*; expected arrays of CuPy alone, or"),
    ({"arguments": (np.asarray(X), np.asarray(X), 10)}, TypeError, "expected arrays of CuPy alone, or"),
    ({"block": 1025}, ValueError, r"a block of \(1025, 1, 1\) threads .*; expected 1 to 1024"),
    ({"block": (32, 0)}, ValueError, "expected 1 to 1024"),
    ({"grid": (1, 1 << 16)}, ValueError, r"a grid of \(1, 65536, 1\) blocks; expected at most"),
    ({"shared_bytes": 228 << 10}, ValueError, "at most 232448 bytes"),
])
def test_a_launch_that_does_not_fit_the_kernel_is_refused(change, error, message):
    fitting = {"kernel": RELU, "grid": 1, "block": 32, "arguments": (X, empty(X.shape, X), 10)}
    with pytest.raises(error, match=message):
        launch(**{**fitting, **change})


def test_a_launch_that_fits_runs():
    o = empty(X.shape, X)
    assert np.isnan(o).all()
    launch(RELU, (1, 1), (8, 2, 2), (X, o, 8))
    launch(RELU, 0, 32, (X, o, 10))
    assert not np.isnan(o[:8]).any() and np.isnan(o[8:]).all()


def test_every_file_lists_its_kernels():
    assert "activations" in files()
    assert all(signatures(file) for file in files())


@pytest.mark.parametrize(("text", "message"), [
    ("__global__ void k(int n) {}\nINSTANTIATE(k)", r"INSTANTIATE\(k\) lacks its ceiling"),
    ("__global__ void k(int n) {}\nINSTANTIATE(l)  // registers: 8", r"INSTANTIATE\(l\) names no kernel .* found: k"),
    ("__global__ void k(int n) {}\n", "no INSTANTIATE line for k"),
    ("template <typename T> __global__ void __launch_bounds__(32 * (2 + 2), 2) k(const T* x, size_t n) {}\n"
     "INSTANTIATE(k<float>)  // registers: 8", "parameter 'size_t n' is of a type that is not expected; expected one"),
    ("__global__ void k(float** x) {}\nINSTANTIATE(k)  // registers: 8", r"is no table .* expected float\* const\* x"),
])
def test_a_kernel_file_that_is_written_otherwise_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text, "file")


def test_a_signature_is_the_templates_with_its_types():
    text = """template <typename T, int N>  // a comment, with (parentheses)
    __global__ void k(const T* __restrict__ x, unsigned char *place, T scale, int n, bool b,
    const T* const* __restrict__ many) {}
    INSTANTIATE(k<double, 3>)  // registers: 8
    """.replace("    INST", "INST")
    signature, = parse(text, "file").values()
    assert (signature.name, signature.registers) == ("file.k<double, 3>", 8)
    assert [(each.name, each.mangled) for each in signature.parameters] == [
        ("x", "PKd"), ("place", "Ph"), ("scale", "d"), ("n", "i"), ("b", "b"), ("many", "PKPKd")]


class Recorded:
    """RawModule as it is called."""
    made = ()

    def __init__(self, **arguments):
        self.arguments, self.launched = arguments, []
        Recorded.made.append(self)

    def get_function(self, name):
        def function(grid, block, arguments, shared_mem):
            self.launched.append((name, grid, block, arguments, shared_mem))
            arguments[1][...] = 7

        assert name in self.arguments["name_expressions"]
        return function


@pytest.fixture
def cupys_array(monkeypatch):
    """The type of arrays of a module named cupy."""
    array_type = type("ndarray", (np.ndarray,), {"__module__": "cupy"})
    monkeypatch.setitem(sys.modules, "cupy", types.SimpleNamespace(RawModule=Recorded, ndarray=array_type))
    monkeypatch.setattr(Recorded, "made", [])
    for launcher in (activations, convolution_rungs):
        monkeypatch.setattr(launcher, "empty", lambda shape, like: np.empty(shape, like.dtype).view(array_type))
    for launcher in (activations, convolution):
        monkeypatch.setattr(launcher, "contiguous", lambda array: array)
    on_device._module.cache_clear()
    yield array_type
    on_device._module.cache_clear()


def test_the_first_array_of_cupys_that_reaches_a_kernel_is_launched(cupys_array, monkeypatch):
    x = np.ones((2, 3), "float32").view(cupys_array)
    assert isinstance(x, CudaArray) and not isinstance(x, EmulatedArray)
    for _ in range(2):
        assert (relu(x) == 7).all()
    module, = Recorded.made
    assert [launched[:3] for launched in module.launched] == [("relu<float>", (1, 1, 1), (256, 1, 1))] * 2
    count = module.launched[0][3][2]
    assert count == 6 and count.dtype == np.int64
    assert module.arguments["options"] == ("--std=c++17",)
    assert '#line 1 "activations.cu"\n' in module.arguments["code"]


def test_no_bias_is_a_null_pointer_for_cupy(cupys_array, monkeypatch):
    x, kernel = (np.ones(shape, "float32").view(cupys_array) for shape in ((1, 2, 2, 1), (1, 1, 1, 1)))
    monkeypatch.setattr(Recorded, "get_function", lambda self, name: lambda grid, block, arguments, shared_mem:
                        self.launched.append(arguments))
    correlate(x, kernel, None, (1, 1), ((0, 0), (0, 0)), relu)
    bias = Recorded.made[0].launched[0][2]
    assert bias == 0 and bias.dtype == np.uint64


def test_a_list_of_arrays_is_an_array_of_their_addresses_for_cupy(cupys_array, monkeypatch):
    monkeypatch.setattr(cupys_array, "data", property(lambda self: types.SimpleNamespace(ptr=self.ctypes.data)),
                        raising=False)
    monkeypatch.setattr(sys.modules["cupy"], "asarray", np.asarray, raising=False)
    monkeypatch.setattr(adam, "moved", lambda array, like: array.view(cupys_array))
    monkeypatch.setattr(adam, "contiguous", lambda array: array)
    lists = [[np.ones(size, "float32").view(cupys_array) for size in (3, 2000)] for _ in range(4)]
    monkeypatch.setattr(Recorded, "get_function", lambda self, name: lambda grid, block, arguments, shared_mem:
                        self.launched.append((grid, arguments)))
    adam_update_all(*lists, 1, 0.1, 0.9, 0.999, 1e-8)
    grid, (addresses, counts, ends, tensors, *_) = Recorded.made[0].launched[0]
    assert addresses.dtype == np.uint64
    assert addresses.tolist() == [array.ctypes.data for arrays in lists for array in arrays]
    assert (grid[0], counts.tolist(), ends.tolist(), tensors) == (3, [3, 2000], [1, 3], 2)


def test_a_kernel_without_a_launcher_runs_its_definition_for_cupy(cupys_array):
    doubled = singledispatch(lambda x: 2 * x)
    doubled.register(np.ndarray)(lambda x: None)
    leave_to_definitions([doubled])
    assert type(doubled(np.ones((2, 3), "float32").view(cupys_array))) is cupys_array and not Recorded.made


def test_importing_the_kernels_imports_neither_cupy_nor_a_compiler():
    names = {"cupy", "engine.kernels.cuda.on_cpu", "engine.kernels.cuda.on_device"}
    code = f"import sys, engine.kernels; print(*({names!r} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""


def test_what_numpy_computes_of_an_emulated_array_is_one():
    x = emulated(np.ones((2, 3), "float32"))
    for result in (x + 1, x[0], x.sum(axis=0), x.reshape(3, 2), np.where(x > 0, x, 0), np.concatenate([x, x]),
                   np.stack([x, x]), np.matmul(x, x.T), np.repeat(x, 2, axis=1), x.astype("float64")):
        assert isinstance(result, EmulatedArray)
    kept, none = emulated((np.ones(2), None))
    assert isinstance(kept, EmulatedArray) and none is None
