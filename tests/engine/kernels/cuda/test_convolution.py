"""Convolutions on arrays that stand in for a GPU's: which kernel takes which shape, gradients, the same bits."""
from types import SimpleNamespace

import numpy as np
import pytest

from engine.gradient_check import check
from engine.gradient_check.case import layer_case
from engine.kernels import correlate, correlate_kernel_gradient, relu
from engine.kernels.cuda import on_cpu
from engine.kernels.cuda.arrays import emulated
from engine.kernels.cuda.convolution import gradient_rung_for, rung_for
from engine.kernels.cuda.convolution_parts import length_of_part
from engine.kernels.cuda.convolution_rungs import width
from engine.kernels.cuda.on_cpu import emulating
from engine.kernels.cuda.precision import use_precision
from engine.layer import Run
from engine.layers import Conv2D, ReLU


class OnEmulated(Conv2D):
    """A convolution that computes on arrays that stand in for a GPU's, between NumPy's."""

    def forward(self, x, run):
        y, saved = super().forward(emulated(x), run)
        return np.asarray(y), saved

    def backward(self, dy, saved):
        dx, gradients = super().backward(emulated(dy), saved)
        return np.asarray(dx), {name: np.asarray(gradient) for name, gradient in gradients.items()}


@pytest.fixture
def launched(monkeypatch):
    """The instances that were launched."""
    names, run = set(), on_cpu.run
    monkeypatch.setattr(on_cpu, "run", lambda signature, *rest: (names.add(signature.instance), run(signature, *rest)))
    return names


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("inputs", "outputs", "kernels"), [
    (1, 5, {"correlate_first<double, 1, true>", "correlate<double, false>", "gradient_registers<double, 1>"}),
    (3, 6, {"correlate_registers<double, 1, true>", "correlate<double, false>", "gradient_registers<double, 1>"}),
    (8, 12, {"correlate_registers<double, 4, true>", "correlate_registers<double, 4, false>",
             "gradient_registers<double, 4>"}),
    (57, 58, {"correlate_registers<double, 1, false>", "sum_of_parts<double, true>", "sum_of_parts<double, false>"}),
])
def test_gradients_pass_the_check(inputs, outputs, kernels, padding, launched):
    layer = OnEmulated(inputs, outputs, padding=padding, activation=ReLU(), rng=np.random.default_rng(6),
                       dtype="float64")
    layer.convert(emulated)
    case = layer_case("Conv2D on CUDA", f"{inputs}, {outputs}, {padding}", layer, 2, 5, 6, inputs)
    results = list(check(case.layer, case.x, Run(), np.random.default_rng(7)))
    assert {result.parameter for result in results} >= {"x", "W", "b"}
    assert all(result.passed for result in results), results
    assert kernels <= launched


@pytest.mark.parametrize(("kernel", "stride", "precision", "dtype", "name"), [
    ((3, 3, 64, 64), 1, "fp32", "float32", "registers"),
    ((3, 3, 64, 64), 1, "tf32", "float32", "tf32"),
    ((3, 3, 64, 64), 1, "tf32", "float64", "registers"),
    ((2, 2, 64, 32), 2, "tf32", "float32", "tf32"),
    ((3, 3, 6, 64), 1, "tf32", "float32", "registers"),
    ((3, 3, 64, 30), 1, "tf32", "float32", "registers"),
    ((3, 3, 1, 64), 1, "tf32", "float32", "first"),
    ((3, 3, 2, 64), 1, "fp32", "float32", "first"),
    ((3, 3, 2, 64), 2, "fp32", "float32", "registers"),
    ((5, 5, 1, 64), 1, "fp32", "float32", "registers"),
    ((3, 3, 64, 1), 1, "tf32", "float32", "plain"),
])
def test_shapes_and_precision_choose_the_kernel(kernel, stride, precision, dtype, name):
    x, kernel = (emulated(np.zeros(shape, dtype)) for shape in ((1, 4, 4, kernel[2]), kernel))
    with use_precision(precision):
        assert rung_for(x, kernel, (stride, stride)).__name__ == name


@pytest.mark.parametrize(("channels", "precision", "name"), [
    (8, "fp32", "registers"), (8, "tf32", "tf32"), (6, "tf32", "registers")])
def test_a_kernel_gradient_is_chosen_likewise(channels, precision, name):
    x, da = (emulated(np.zeros((1, 4, 4, each), "float32")) for each in (channels, 12))
    with use_precision(precision):
        assert gradient_rung_for(x, da).__name__ == name


@pytest.mark.parametrize(("channels", "begins", "numbers"), [(8, 4096, 4), (8, 4100, 1), (6, 4096, 1)])
def test_four_numbers_are_read_at_once_where_they_begin_at_16_bytes(channels, begins, numbers):
    array = SimpleNamespace(shape=(2, 2, channels), data=SimpleNamespace(ptr=begins))
    assert width(array) == numbers


@pytest.mark.parametrize(("length", "tiles"), [(819200, 9), (819200, 2000), (1, 1), (0, 3), (12800, 40), (511, 1),
                                                 (512, 1), (4608, 56)])
def test_parts_of_a_sum_are_few_long_and_of_whole_steps(length, tiles):
    each = length_of_part(length, tiles, 512)
    assert each % 32 == 0 and each >= min(max(length, 1), 256)
    assert -(-length // each) <= max(1, 512 // tiles)


@pytest.mark.parametrize(("length", "each", "parts"), [(288, 288, 1), (511, 512, 1), (512, 256, 2), (828, 288, 3)])
def test_parts_are_of_about_the_same_length(length, each, parts):
    assert length_of_part(length, 1, 512) == each and -(-length // each) == parts


# Stages of the VGG with 512 channels, 4608 places: tiles of 128 x 64 in float, of 64 x 64 in double, of 128 x 128 in
# TF32; as many parts as 132 multiprocessors of 3 (float) or 2 blocks have room for, of at least 256 places.
@pytest.mark.parametrize(("images", "side", "precision", "dtype", "tiles", "parts"), [
    (1, 4, "fp32", "float32", 8, 18),
    (1, 4, "fp32", "float64", 8, 18),
    (1, 4, "tf32", "float32", 4, 18),
    (50, 4, "fp32", "float32", 56, 7),
    (50, 4, "fp32", "float64", 104, 2),
    (50, 4, "tf32", "float32", 28, 9),
    (50, 8, "fp32", "float32", 200, 1),
    (50, 8, "tf32", "float32", 100, 2),
    (50, 16, "tf32", "float32", 400, 1),
])
def test_small_maps_are_computed_in_as_many_parts_as_fit_on_a_gpu(images, side, precision, dtype, tiles, parts,
                                                                monkeypatch):
    launched = []
    monkeypatch.setattr(on_cpu, "run", lambda signature, grid, *rest: launched.append((signature.instance, grid)))
    x, kernel = (emulated(np.zeros(shape, dtype)) for shape in ((images, side, side, 512), (3, 3, 512, 512)))
    with use_precision(precision):
        correlate(x, kernel, emulated(np.zeros(512, dtype)), (1, 1), ((1, 1), (1, 1)), relu)
    (product, grid), *rest = launched
    assert grid == (tiles, 1, parts)
    c_type = {"float32": "float", "float64": "double"}[dtype]
    assert [name for name, _ in rest] == [f"sum_of_parts<{c_type}, true>"] * (parts > 1)
    assert product.endswith("false>" if parts > 1 else "true>")


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", "float32"), ("fp32", "float64"), ("tf32", "float32")])
def test_a_convolution_in_parts_has_the_same_bits_in_every_order_of_blocks(precision, dtype, launched):
    rng, results = np.random.default_rng(8), set()
    x, kernel, bias = (emulated(rng.normal(size=shape).astype(dtype))
                       for shape in ((2, 4, 4, 60), (3, 3, 60, 72), (72,)))
    for order in ("ascending", "descending", "shuffled"):
        with emulating(order, seed=4), use_precision(precision):
            results.add(correlate(x, kernel, bias, (1, 1), ((1, 1), (1, 1)), relu).tobytes())
    assert len(results) == 1 and any(name.startswith("sum_of_parts") for name in launched)


@pytest.mark.parametrize("precision", ["fp32", "tf32"])
def test_a_kernel_gradient_has_the_same_bits_in_every_order_of_blocks(precision):
    rng, results = np.random.default_rng(8), set()
    x, da = (emulated(rng.normal(size=(3, 16, 16, 4)).astype("float32")) for _ in range(2))
    for order in ("ascending", "descending", "shuffled"):
        with emulating(order), use_precision(precision):
            results.add(correlate_kernel_gradient(x, da, (3, 3), (1, 1), ((1, 1), (1, 1))).tobytes())
    assert len(results) == 1
