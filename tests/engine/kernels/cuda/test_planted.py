"""Mistakes planted in kernels that are right, each of which must be noticed, and how it is to be reported.

For the package's files every way in which a test could notice is tried: their cases in all orders of threads, in both
builds. For proving.cu its kernels are run once, checked: the reports, with their lines, are what is tested there.
"""
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from engine.kernels.cuda import launch, signatures
from engine.kernels.cuda.on_cpu import KernelError, Program, emulating, program

PROVING = (Path(__file__).parent / "proving.cu").read_text("utf-8")


@dataclass(frozen=True)
class Planted:
    """A text in a kernel file, what stands in its place, and a pattern of the report. LINE in it: where the text stands.

    name: the file's, or of proving.cu the kernel's.
    """
    name: str
    before: str
    after: str
    report: str


WRONG = "Not equal to tolerance"
IN_PACKAGE = [
    Planted("activations", "a[i] < 0 ? 0 : a[i]", "fmax(a[i], T(0))", WRONG),  # loses NaN
    Planted("activations", "if (i < count) o[i]", "if (i <= count) o[i]", r"outside of a: LINE reads a\[2\]"),
    Planted("activations", "if (i < count) da[i]", "if (i + 1 < count) da[i]", WRONG),
    Planted("activations", "blockIdx.x * (long long)blockDim.x + threadIdx.x;\n    if (i < count) o[i]",
            "threadIdx.x;\n    if (i < count) o[i]", r"race on o\[\d+\]: .* writes, .* writes .* of block 1, .* of block 0"),
    Planted("activations", "relu(const T* __restrict__ a", "relu(const float* __restrict__ a",
            "given an array of float64 for a; expected float32"),
    Planted("resampling", "(row / factor) * width", "(row / factor) * count", "outside of all arrays|outside of x: LINE"),
    Planted("resampling", "pixel % (width * factor)", "pixel % width", WRONG),
    Planted("convolution", "down < 0 || ", "", r"outside of x: \S+ reads x\[-\d+\]"),
    Planted("convolution", "right >= width", "right > width", r"outside of x: \S+ reads x\[420\]"),
    Planted("convolution", "(n * height + down)", "(n * out_height + down)", WRONG),
    Planted("convolution", "bias ? bias[o] : T(0)", "bias[o]", "outside of all arrays: LINE reads"),
    Planted("convolution", "RELU && sum < 0", "sum < 0", WRONG),
]
IN_PROVING = [
    Planted("product", "        __syncthreads();  // the tiles are filled\n", "", r"race on shared tile_a\[0\]: .*"),
    Planted("product", "        __syncthreads();  // and read\n", "\n", r"race on shared tile_b\[\d+\]: .* writes, .* reads"),
    Planted("product", "i < rows && k + threadIdx.x < depth", "k + threadIdx.x < depth", r"outside of a: LINE reads a\[740\]"),
    Planted("product", "i < rows && j < columns) c[", "i <= rows && j < columns) c[",
            r"outside of c: LINE writes c\[360\].*\n.*outside of c: c\[360\] was written"),
    Planted("row_sums", "    __syncthreads();\n    if (threadIdx.x > 0)", "    __syncwarp();\n    if (threadIdx.x > 0)",
            r"race on shared of_warps\[1\]: .* writes, .* reads|race on shared of_warps\[1\]: .* reads, .* writes"),
    Planted("short_row_sums", "    __syncwarp();\n    for", "    for", r"race on shared numbers\[\d+\]"),
    Planted("short_row_sums", "lane < by", "lane <= by", "outside of an array's dimension: LINE has the index 32"),
    Planted("neighbours", "    __syncthreads();\n    if (i < count) y", "    if (i < count) y", r"race on shared tile\[\d+\]: .*"),
    Planted("neighbours", "    if (threadIdx.x == 0) tile[0] = i > 0 ? x[i - 1] : 0;\n", "", r"unwritten: .* shared tile\[0\]"),
    Planted("neighbours", "threadIdx.x + 1;", "threadIdx.x + 2;", r"unwritten: \S+ reads shared tile\[1\], which .*\n.* has the index 66"),
    Planted("histogram", "atomicAdd(&bins[x[i]], 1)", "bins[x[i]] += 1", r"race on bins\[\d\]: LINE reads, LINE writes"),
    Planted("tf32_product", "cp_async_wait<1>()", "cp_async_wait<2>()", r"unfinished: .* reads shared stage_[ab]\[\d+\], to which"),
    Planted("tf32_product", "        __syncthreads();  // this stage is there\n", "", r"race on shared stage_[ab]"),
    Planted("tf32_product", "        __syncthreads();  // and may be filled again\n", "", r"race on shared stage_[ab]"),
    Planted("tf32_product", "to_tf32(from_a[g + 8][t]), to_tf32(from_a[g][t + 4])",
            "to_tf32(from_a[g][t + 4]), to_tf32(from_a[g + 8][t])", WRONG),
    Planted("tf32_product", "&& warp == 1)", "&& warp == 1 && lane > 0)", "unwritten: .* reads shared stage_b"),
    Planted("squares", "reinterpret_cast<const float4*>(a)[i]", "reinterpret_cast<const float4*>(a + 1)[i]", "misaligned: LINE uses an address that is no multiple of 16"),
]


def id_of(planted):
    return f"{planted.name}: {planted.after.strip()[:40] or 'without ' + planted.before.strip()[:30]}"


def mutated(text, planted):
    """The text with the mistake, and the pattern with the line where it stands."""
    assert text.count(planted.before) == 1, f"{planted.before!r} stands {text.count(planted.before)} times in the file"
    line = text[:text.index(planted.before)].count("\n") + 1
    return text.replace(planted.before, planted.after), planted.report.replace("LINE", rf"\w+\.cu:{line}")


@pytest.mark.parametrize("planted", IN_PACKAGE, ids=id_of)
def test_a_mistake_in_the_package_is_noticed(planted, agree, monkeypatch):
    text, report = mutated(signatures.text_of(planted.name), planted)
    monkeypatch.setattr(program, "text_of", lambda file: text)
    monkeypatch.setattr(launch, "signatures", lambda file: signatures.parse(text, file))
    with pytest.raises((AssertionError, KernelError, TypeError), match=report), emulating("shuffled", checked=True):
        for dtype in ("float64", "float32"):
            agree(planted.name, dtype)


def run(made, kernel):
    """One launch of a kernel of proving.cu, held to what it shall compute."""
    def numbers(*shape):
        return np.random.default_rng(3).normal(size=shape).astype("float32")

    if kernel == "product":
        a, b, y = numbers(20, 37), numbers(37, 18), numbers(20, 18)
        made.run("product<float>", (2, 2, 1), (16, 16, 1), (a, b, y, *np.int32([20, 37, 18])))
        right = a @ b
    elif kernel == "row_sums":
        x, y = numbers(5, 100), numbers(5)
        made.run(kernel, (5, 1, 1), (96, 1, 1), (x, y, np.int32(100)), 12)
        right = x.sum(1)
    elif kernel == "short_row_sums":
        x, y = numbers(8, 32), numbers(8)
        made.run(kernel, (2, 1, 1), (128, 1, 1), (x, y))
        right = x.sum(1)
    elif kernel == "neighbours":
        x, y = numbers(130), numbers(130)
        made.run(kernel, (3, 1, 1), (64, 1, 1), (x, y, np.int32(130)))
        right = np.convolve(x, [1, 1, 1], "same")
    elif kernel == "histogram":
        x, y = np.arange(100, dtype="int32") % 8, np.zeros(8, "int32")
        made.run(kernel, (4, 1, 1), (32, 1, 1), (x, y, np.int32(100)))
        right = np.bincount(x)
    elif kernel == "tf32_product":
        a, b, y = numbers(32, 40), numbers(40, 48), numbers(32, 48)
        made.run(kernel, (3, 2, 1), (64, 1, 1), (a, b, y, *np.int32([40, 48])))
        right = a @ b
    else:
        x, y = numbers(40), numbers(40)
        made.run(kernel, (1, 1, 1), (32, 1, 1), (x, y, np.int32(10)))
        right = x * x
    np.testing.assert_allclose(y, right, rtol=0, atol=0.05 if kernel == "tf32_product" else 1e-5)


@pytest.mark.parametrize("planted", IN_PROVING, ids=id_of)
def test_a_mistake_is_reported_with_its_line(planted):
    text, report = mutated(PROVING, planted)
    with emulating(checked=True), pytest.raises((AssertionError, KernelError), match=report):
        run(Program(text, "proving", checked=True), planted.name)


@pytest.mark.parametrize("kernel", sorted({planted.name for planted in IN_PROVING}))
def test_without_a_mistake_nothing_is_reported(kernel):
    with emulating(checked=True):
        run(program.program(PROVING, "proving", True), kernel)
