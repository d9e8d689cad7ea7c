"""Convolutions of few pixels: the definition's results for any shape, layout and number of threads."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels import correlate, correlate_kernel_gradient, output_size
from engine.kernels.cpu import direct, few_pixels, use_threads, winograd
from engine.layers.conv2d import rotate

SAME = ((1, 1), (1, 1))


@pytest.mark.parametrize("job", [few_pixels.JOB, 2])
@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7), st.sampled_from([1, 3, 16]), st.integers(1, 5),
       st.tuples(st.integers(1, 4), st.integers(1, 4)), st.tuples(st.integers(1, 3), st.integers(1, 3)),
       st.tuples(*[st.tuples(st.integers(0, 9), st.integers(0, 9))] * 2), st.booleans())
def test_any_size_stride_padding_and_partition(job, images, height, width, channels, outputs, size, stride, padding,
                                               rotated):
    rng, sides = np.random.default_rng(1), (height, width)
    if any(side + sum(zeros) < reach for side, zeros, reach in zip(sides, padding, size, strict=True)):
        padding = ((4, 4), (4, 4))
    out = [output_size(*each) for each in zip(sides, size, stride, padding, strict=True)]
    x, bias, da = (rng.normal(size=each) for each in ((images, *sides, channels), (outputs,), (images, *out, outputs)))
    kernel = rotate(rng.normal(size=(*size, outputs, channels))) if rotated else rng.normal(
        size=(*size, channels, outputs))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(few_pixels, "JOB", job)
        y = few_pixels.correlate(x, kernel, bias, stride, padding, np.tanh)
        plain = few_pixels.correlate(x, kernel, None, stride, padding)
        dW = few_pixels.kernel_gradient(x, da, size, stride, padding)
    definition = correlate.dispatch(object)
    np.testing.assert_allclose(y, definition(x, kernel, bias, stride, padding, np.tanh), rtol=0, atol=1e-12)
    np.testing.assert_allclose(plain, definition(x, kernel, None, stride, padding), rtol=0, atol=1e-11)
    expected = correlate_kernel_gradient.dispatch(object)(x, da, size, stride, padding)
    np.testing.assert_allclose(dW, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_the_bits_do_not_depend_on_the_number_of_threads(dtype, threads_restored):
    rng = np.random.default_rng(2)
    x, da, kernel = (rng.normal(size=shape).astype(dtype) for shape in ((1, 8, 8, 300), (1, 8, 8, 600),
                                                                       (3, 3, 300, 600)))
    bits = set()
    for count in (1, 2, 5):
        use_threads(count)
        bits.add((few_pixels.correlate(x, kernel, None, (1, 1), SAME).tobytes(),
                  few_pixels.correlate(da, rotate(kernel), None, (1, 1), SAME).tobytes(),
                  few_pixels.kernel_gradient(x, da, (3, 3), (1, 1), SAME).tobytes()))
    assert len(bits) == 1


def test_float32_results_are_as_precise_as_those_of_one_product():
    rng = np.random.default_rng(3)
    x, kernel = rng.normal(size=(1, 8, 8, 256)), rng.normal(size=(3, 3, 256, 64))
    right = correlate.dispatch(object)(x, kernel, None, (1, 1), SAME)
    single = x.astype("float32"), kernel.astype("float32"), None, (1, 1), SAME
    ours, direct_way = (np.abs(each.correlate(*single) - right).max() for each in (few_pixels, direct))
    assert ours < 2 * direct_way < 1e-4 * np.abs(right).max()


def test_a_rotated_kernel_is_not_copied():
    kernel = np.zeros((3, 3, 5, 7), "float32")
    assert np.shares_memory(rotate(kernel).reshape(-1, 7, 5), kernel)


@pytest.mark.parametrize(("shape", "outputs", "fits"), [
    ((1, 8, 8, 512), 512, True), ((2, 8, 8, 512), 512, True), ((4, 8, 8, 1024), 1024, True), ((1, 4, 4, 64), 3, True),
    ((1, 8, 8, 32), 512, False),
    ((8, 8, 8, 512), 512, False), ((1, 64, 64, 64), 64, False), ((0, 8, 8, 64), 64, False),
])
def test_the_shapes_decide(shape, outputs, fits):
    assert few_pixels.fit(shape, (3, 3, shape[3], outputs), (1, 1), SAME) == fits


def test_the_kernels_ask_for_it(monkeypatch):
    asked = []
    for name in ("correlate", "kernel_gradient"):
        function = getattr(few_pixels, name)
        monkeypatch.setattr(few_pixels, name, lambda *given, name=name, function=function: (
            asked.append(name), function(*given))[1])
        monkeypatch.setattr(winograd, name, None)
        monkeypatch.setattr(direct, name, None)
    x, kernel = np.ones((1, 8, 8, 512), "float32"), np.ones((3, 3, 512, 128), "float32")
    y = correlate(x, kernel, None, (1, 1), SAME)
    correlate_kernel_gradient(x, y, (3, 3), (1, 1), SAME)
    assert asked == ["correlate", "kernel_gradient"]
