"""The emulator computes what kernels say, in every order of threads, and notices nothing in those that are right."""
from pathlib import Path

import numpy as np
import pytest

from engine.kernels.cuda.on_cpu import CompileError, KernelError, Program, build, emulating
from engine.kernels.cuda.on_cpu.program import program

PROVING = (Path(__file__).parent / "proving.cu").read_text("utf-8")
ORDERS = ["ascending", "descending", "shuffled"]
pytestmark = pytest.mark.parametrize("checked", [False, True], ids=["fast", "checked"])


@pytest.fixture(params=ORDERS)
def proving(request, checked):
    with emulating(request.param, seed=4, checked=checked):
        yield program(PROVING, "proving", checked)


def numbers(*shape, dtype="float32"):
    return np.random.default_rng(3).normal(size=shape).astype(dtype)


def call(text, checked, arguments, *, block=32, grid=1, shared_bytes=0, order="ascending"):
    """Run the one kernel of a text."""
    with emulating(order, checked=checked):
        made = Program(text, "text", checked)
        instance, = made.signatures
        made.run(instance, (grid, 1, 1), (block, 1, 1), arguments, shared_bytes)


@pytest.mark.parametrize(("c_type", "dtype", "tolerance"), [("float", "float32", 1e-5), ("double", "float64", 1e-13)])
def test_tiles_in_shared_memory(proving, c_type, dtype, tolerance):
    a, b, c = numbers(20, 37, dtype=dtype), numbers(37, 18, dtype=dtype), numbers(20, 18, dtype=dtype)
    proving.run(f"product<{c_type}>", (2, 2, 1), (16, 16, 1), (a, b, c, *np.int32([20, 37, 18])))
    np.testing.assert_allclose(c, a @ b, rtol=0, atol=tolerance)


def test_shuffles_and_dynamic_shared_memory(proving):
    x, sums = numbers(5, 100), numbers(5)
    proving.run("row_sums", (5, 1, 1), (96, 1, 1), (x, sums, np.int32(100)), 12)
    np.testing.assert_allclose(sums, x.sum(1), rtol=0, atol=1e-5)


def test_warps_synchronized(proving):
    x, sums = numbers(8, 32), numbers(8)
    proving.run("short_row_sums", (2, 1, 1), (128, 1, 1), (x, sums))
    np.testing.assert_allclose(sums, x.sum(1), rtol=0, atol=1e-5)


def test_a_tile_with_its_neighbours(proving):
    x, y = numbers(130), numbers(130)
    proving.run("neighbours", (3, 1, 1), (64, 1, 1), (x, y, np.int32(130)))
    np.testing.assert_allclose(y, np.convolve(x, [1, 1, 1], "same"), rtol=0, atol=1e-6)


def test_atomics_of_several_blocks(proving):
    x, bins = np.random.default_rng(5).integers(0, 8, 100).astype("int32"), np.zeros(8, "int32")
    proving.run("histogram", (4, 1, 1), (32, 1, 1), (x, bins, np.int32(100)))
    np.testing.assert_array_equal(bins, np.bincount(x, minlength=8))


def rounded_to_tf32(x):
    return ((x.view(np.uint32) + np.uint32(0x1000)) & np.uint32(0xFFFFE000)).view(np.float32).astype(np.float64)


def test_tensor_cores_fed_by_asynchronous_copies(proving):
    a, b, c = numbers(32, 40), numbers(40, 48), numbers(32, 48)
    proving.run("tf32_product", (3, 2, 1), (64, 1, 1), (a, b, c, *np.int32([40, 48])))
    np.testing.assert_allclose(c, rounded_to_tf32(a) @ rounded_to_tf32(b), rtol=0, atol=1e-5)
    assert np.abs(c - a.astype(float) @ b).max() > 1e-4  # in TF32, not in float32


def test_numbers_become_the_nearest_of_tf32(checked):
    text = "__global__ void k(const float* x, unsigned* y) { y[threadIdx.x] = to_tf32(x[threadIdx.x]); }" \
           "\nINSTANTIATE(k)  // registers: 16"
    x = np.array([1, 1 + 2**-11, 1 + 2**-11 - 2**-20, -1 - 2**-11, np.inf, -np.inf, np.nan], "float32")
    x = np.append(x, np.array([0xFFFFFFFF], "uint32").view("float32"))  # what memory is full of that nobody wrote
    y = np.zeros(8, "uint32")
    call(text, checked, (x, y), block=8)
    right = [1, 1 + 2**-10, 1, -1 - 2**-10, np.inf, -np.inf, np.nan, np.nan]
    np.testing.assert_array_equal(y.view("float32"), np.array(right, "float32"))


def test_four_numbers_at_a_time_and_in_place(proving):
    x = numbers(40)
    right = x * x
    proving.run("squares", (1, 1, 1), (32, 1, 1), (x, x, np.int32(10)))
    np.testing.assert_array_equal(x, right)


def test_shared_memory_starts_as_nan(checked):
    text = "__global__ void k(float* y) { SHARED(float, s, [4]); int i = threadIdx.x; y[i] = s[i]; s[i] = 1; }" \
           "\nINSTANTIATE(k)  // registers: 16"
    y = np.zeros(4, "float32")
    if checked:
        with pytest.raises(KernelError, match=r"unwritten: text.cu:1 reads shared s\[0\], which no thread wrote"):
            call(text, True, (y,), block=4)
    else:
        call(text, False, (y,), block=4, grid=2)  # the second block's, too
        assert np.isnan(y).all()


def test_a_barrier_that_some_threads_never_reach(checked):
    text = "__global__ void k(float* y) {\nif (threadIdx.x < 40) __syncthreads();\nelse __syncwarp();\n}" \
           "\nINSTANTIATE(k)  // registers: 16"
    with pytest.raises(KernelError, match="divergent barrier"):
        call(text, checked, (np.zeros(4, "float32"),), block=64)


def test_threads_that_have_ended_are_waited_for_no_more(checked):
    text = "__global__ void k(float* y) {\nif (threadIdx.x >= 40) return;\ny[threadIdx.x] = 1;\n__syncthreads();\n" \
           "if (threadIdx.x == 0) y[0] = y[39];\n}\nINSTANTIATE(k)  // registers: 16"
    y = np.zeros(40, "float32")
    call(text, checked, (y,), block=64)
    assert y.all()


def test_votes_and_shuffles_within_segments(checked):
    text = """__global__ void k(int* y) {
        int lane = threadIdx.x;
        y[lane] = __ballot_sync(~0u, lane % 3 == 0);
        y[32 + lane] = __shfl_down_sync(~0u, lane, 3, 16);
        y[64 + lane] = __shfl_up_sync(~0u, lane, 2, 8);
        y[96 + lane] = __shfl_sync(~0u, lane, 5, 16);
        y[128 + lane] = 10 * __any_sync(~0u, lane == 7) + __all_sync(~0u, lane < 31);
    }\nINSTANTIATE(k)  // registers: 32"""
    y, lanes = np.zeros((5, 32), "int32"), np.arange(32)
    call(text, checked, (y,), order="shuffled")
    np.testing.assert_array_equal(y[0].view("uint32"), sum(1 << int(lane) for lane in lanes if lane % 3 == 0))
    np.testing.assert_array_equal(y[1], np.where(lanes % 16 < 13, lanes + 3, lanes))
    np.testing.assert_array_equal(y[2], np.where(lanes % 8 >= 2, lanes - 2, lanes))
    np.testing.assert_array_equal(y[3], lanes // 16 * 16 + 5)
    np.testing.assert_array_equal(y[4], 10)


def test_a_local_array_of_its_own_is_a_threads(checked):
    text = "__global__ void k(float* y) {\nfloat v[8];\nfor (int i = 0; i < 8; i++) v[i] = i * threadIdx.x;\n" \
           "__syncthreads();\ny[threadIdx.x] = v[threadIdx.x % 8];\n}\nINSTANTIATE(k)  // registers: 32"
    y = np.zeros(32, "float32")
    call(text, checked, (y,))
    np.testing.assert_array_equal(y, np.arange(32) % 8 * np.arange(32))


@pytest.mark.parametrize(("body", "message"), [
    ("y[1l << 40] = 1;", "fault|outside of all arrays: text.cu:2 writes"),
    ("y[0] = 100 / int(threadIdx.x - blockIdx.x);", "division by zero: text.cu:2|a division by zero"),
    ("float v[20000];\nfor (int i = 0; i < 20000; i++) v[i] = y[i % 4];\n__syncthreads();\ny[0] = v[int(y[1])];",
     "a stack of more than 60 KB"),
])
def test_a_fault_ends_the_launch_and_not_the_process(body, message, checked):
    text = f"__global__ void k(float* y) {{\n{body}\n}}\nINSTANTIATE(k)  // registers: 16"
    for _ in range(2):
        with pytest.raises(KernelError, match=message):
            call(text, checked, (np.zeros(4, "float32"),), block=1)


def test_more_static_shared_memory_than_there_is(checked):
    text = "__global__ void k(float* y) { SHARED(float, s, [12289]); y[0] = s[0]; }\nINSTANTIATE(k)  // registers: 16"
    with pytest.raises(KernelError, match="more than 48 KB"):
        call(text, checked, (np.zeros(1, "float32"),), block=1)


def test_what_gcc_does_not_take_is_told_with_its_line(checked):
    with pytest.raises(CompileError, match=r"text.cu:2:.*error: .*undeclared"):
        call("__global__ void k(float* y) {\nundeclared(y);\n}\nINSTANTIATE(k)  // registers: 16", checked, ())


def test_without_gcc_it_says_what_to_do(checked, monkeypatch):
    monkeypatch.setattr(build.shutil, "which", lambda name: None)
    with pytest.raises(CompileError, match=r"no g\+\+ found.*install it"):
        build.library("new text", "text", checked)


def test_on_other_processors_fibers_switch_by_ucontext(checked, monkeypatch):
    monkeypatch.setattr(build, "FLAGS", [*build.FLAGS, "-DUCONTEXT"])
    a, b, c = numbers(20, 37), numbers(37, 18), numbers(20, 18)
    with emulating("shuffled", checked=checked):
        Program(PROVING, "proving", checked).run("product<float>", (2, 2, 1), (16, 16, 1),
                                                 (a, b, c, *np.int32([20, 37, 18])))
    np.testing.assert_allclose(c, a @ b, rtol=0, atol=1e-5)


def test_a_library_is_compiled_once(checked, monkeypatch):
    first = build.library(PROVING, "proving", checked)
    monkeypatch.setattr(build, "compiler", lambda: "/nonexistent")
    assert build.library(PROVING, "proving", checked) == first


def test_arrays_that_overlap_are_refused(checked):
    x = numbers(44)
    with pytest.raises(ValueError, match="o and a overlap; expected one array twice"):
        program(PROVING, "proving", checked).run("squares", (1, 1, 1), (32, 1, 1), (x[:40], x[4:], np.int32(10)))


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="this system does not show a process's mappings")
def test_a_program_that_is_gone_keeps_no_stacks(checked):
    """A stack is two mappings, and a system lets a process have some 65000."""
    counted = []
    for number in range(4):
        o = np.zeros(512, "float32")
        call(f"__global__ void k(float* o) {{ __syncthreads(); o[threadIdx.x] = {number}; }}\n"
             "INSTANTIATE(k)  // registers: 16", checked, (o,), block=512)
        counted.append(len(Path("/proc/self/maps").read_text().splitlines()))
        assert (o == number).all()
    assert counted[-1] - counted[0] < 200
