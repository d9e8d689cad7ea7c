"""Mistakes planted in kernels that are right, each of which must be noticed, and how it is to be reported.

Those of the package's kernels stand in cases/<file>.py, below the cases that have to notice them; those of proving.cu,
which show what the emulator notices, here.
"""
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from engine.kernels.cuda import launch, signatures
from engine.kernels.cuda.on_cpu import KernelError, Program, build, emulating, program

PROVING = (Path(__file__).parent / "proving.cu").read_text("utf-8")
WRONG = "Not equal to tolerance"
# kernel, a text in proving.cu, what stands in its place, a pattern of the report (LINE: where the text stands)
IN_PROVING = [
    ("product",
     "        __syncthreads();  // the tiles are filled\n",
     "",
     r"race on shared tile_a\[0\]: .*"),
    ("product",
     "        __syncthreads();  // and read\n",
     "\n",
     r"race on shared tile_b\[\d+\]: .* writes, .* reads"),
    ("product",
     "i < rows && k + threadIdx.x < depth",
     "k + threadIdx.x < depth",
     r"outside of a: LINE reads a\[740\]"),
    ("product",
     "i < rows && j < columns) c[",
     "i <= rows && j < columns) c[",
     r"outside of c: LINE writes c\[360\].*\n.*outside of c: c\[360\] was written"),
    ("row_sums",
     "    __syncthreads();\n    if (threadIdx.x > 0)",
     "    __syncwarp();\n    if (threadIdx.x > 0)",
     r"race on shared of_warps\[1\]: .* writes, .* reads|race on shared of_warps\[1\]: .* reads, .* writes"),
    ("short_row_sums",
     "    __syncwarp();\n    for",
     "    for",
     r"race on shared numbers\[\d+\]"),
    ("short_row_sums",
     "lane < by",
     "lane <= by",
     "outside of an array's dimension: LINE has the index 32"),
    ("neighbours",
     "    __syncthreads();\n    if (i < count) y",
     "    if (i < count) y",
     r"race on shared tile\[\d+\]: .*"),
    ("neighbours",
     "    if (threadIdx.x == 0) tile[0] = i > 0 ? x[i - 1] : 0;\n",
     "",
     r"unwritten: .* shared tile\[0\]"),
    ("neighbours",
     "threadIdx.x + 1;",
     "threadIdx.x + 2;",
     r"unwritten: \S+ reads shared tile\[1\], which .*\n.* has the index 66"),
    ("histogram",
     "atomicAdd(&bins[x[i]], 1)",
     "bins[x[i]] += 1",
     r"race on bins\[\d\]: LINE reads, LINE writes"),
    ("tf32_product",
     "cp_async_wait<1>()",
     "cp_async_wait<2>()",
     r"unfinished: .* reads shared stage_[ab]\[\d+\], to which"),
    ("tf32_product",
     "        __syncthreads();  // this stage is there\n",
     "",
     "race on shared stage_[ab]"),
    ("tf32_product",
     "        __syncthreads();  // and may be filled again\n",
     "",
     "race on shared stage_[ab]"),
    ("tf32_product",
     "to_tf32(from_a[g + 8][t]), to_tf32(from_a[g][t + 4])",
     "to_tf32(from_a[g][t + 4]), to_tf32(from_a[g + 8][t])",
     WRONG),
    ("tf32_product",
     "&& warp == 1)",
     "&& warp == 1 && lane > 0)",
     "unwritten: .* reads shared stage_b"),
    ("squares",
     "reinterpret_cast<const float4*>(a)[i]",
     "reinterpret_cast<const float4*>(a + 1)[i]",
     "misaligned: LINE uses an address that is no multiple of 16"),
]


def plant(patch, folder, file, before, after, report):
    """Plants a mistake in the file, or else in common.cuh, until the patch ends; the pattern of what is reported."""
    text, common = signatures.text_of(file), build.COMMON.read_text("utf-8")
    if before in text or before not in common:
        text, report = mutated(text, before, after, report)
        patch.setattr(program, "text_of", lambda name: text if name == file else signatures.text_of(name))
        patch.setattr(launch, "signatures",
                      lambda name: signatures.parse(text, file) if name == file else signatures.signatures(name))
        return report
    common, report = mutated(common, before, after, report)
    (folder / "common.cuh").write_text(common, "utf-8")
    patch.setattr(build, "COMMON", folder / "common.cuh")
    patch.setattr(build, "_everything_else", build._everything_else.__wrapped__)
    patch.setattr(program, "program", lru_cache(Program))  # none of those that are compiled
    return report


def mutated(text, before, after, report):
    """The text with the mistake, and the pattern with the line where it stands."""
    assert text.count(before) == 1, f"{before!r} stands {text.count(before)} times in the file; expected once"
    line = text[:text.index(before)].count("\n") + 1
    return text.replace(before, after), report.replace("LINE", rf"\w+\.cu:{line}")


def test_every_file_has_mistakes_planted(planted):
    assert all(planted(file) for file in signatures.files())


@pytest.mark.parametrize("file", signatures.files())
def test_a_mistake_in_a_file_of_the_package_is_noticed(file, planted, agree, monkeypatch, tmp_path):
    for mistake in planted(file):
        with monkeypatch.context() as patch:
            report = plant(patch, tmp_path, file, *mistake)
            with pytest.raises((AssertionError, KernelError, TypeError), match=report), emulating(checked=True):
                for dtype in ("float64", "float32"):
                    agree(file, dtype)


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


@pytest.mark.parametrize(("kernel", "before", "after", "report"), IN_PROVING,
                         ids=[f"{kernel} {place}" for place, (kernel, *_) in enumerate(IN_PROVING)])
def test_a_mistake_is_reported_with_its_line(kernel, before, after, report):
    text, report = mutated(PROVING, before, after, report)
    with emulating(checked=True), pytest.raises((AssertionError, KernelError), match=report):
        run(Program(text, "proving", checked=True), kernel)


@pytest.mark.parametrize("kernel", dict.fromkeys(kernel for kernel, *_ in IN_PROVING))
def test_without_a_mistake_nothing_is_reported(kernel):
    with emulating(checked=True):
        run(program.program(PROVING, "proving", True), kernel)
