"""Conv2D and TransposedConv2D against scipy.signal, small cases by hand, and each other."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d, correlate2d

from engine.kernels import correlate, correlate_kernel_gradient, output_size
from engine.kernels.cpu import direct
from engine.layer import Run
from engine.layers import Conv2D, LeakyReLU, ReLU, Sigmoid, Tanh, TransposedConv2D
from engine.layers.conv2d import dilate, rotate
from engine.layers.padding import zeros_around

RNG = np.random.default_rng


def layer(kind, *arguments, seed=0, **named):
    """A layer in float64 whose bias is not zero."""
    rng = RNG(seed)
    made = kind(*arguments, rng=rng, dtype="float64", **named)
    made.params["b"][...] = rng.normal(size=made.params["b"].shape)
    return made


def by_scipy(x, W, b, stride, mode, operation=correlate2d):
    """Channel by channel: the plane of every output is a sum over the planes of the input."""
    images = [[sum(operation(image[:, :, c], W[:, :, c, o], mode) for c in range(W.shape[2])) + b[o]
               for o in range(W.shape[3])] for image in x]
    return np.transpose(images, (0, 2, 3, 1))[:, ::stride[0], ::stride[1]]


@pytest.mark.parametrize("size", [1, 3, 5, (3, 5), (5, 1)])
def test_same_is_scipys_correlation(size):
    x, conv = RNG(1).normal(size=(2, 9, 8, 3)), layer(Conv2D, 3, 4, size)
    y, _ = conv.forward(x, Run())
    np.testing.assert_allclose(y, by_scipy(x, **conv.params, stride=(1, 1), mode="same"), rtol=0, atol=1e-13)


@pytest.mark.parametrize("stride", [1, 2, 3, (2, 1), (1, 4)])
@pytest.mark.parametrize("size", [1, 2, 3, (2, 4)])
def test_valid_is_scipys_correlation_at_every_stride(size, stride):
    x, conv = RNG(2).normal(size=(2, 9, 8, 3)), layer(Conv2D, 3, 4, size, stride, "VALID")
    y, _ = conv.forward(x, Run())
    np.testing.assert_allclose(y, by_scipy(x, **conv.params, stride=conv.stride, mode="valid"), rtol=0, atol=1e-13)


@pytest.mark.parametrize("activation", [None, ReLU()])
def test_a_convolution_is_the_same_layer_with_a_rotated_kernel(activation):
    """(3.37) as printed flips the kernel; the layer, like TensorFlow, does not."""
    x, conv = RNG(3).normal(size=(1, 7, 7, 2)), layer(Conv2D, 2, 3, activation=activation)
    convolved = by_scipy(x, **conv.params, stride=(1, 1), mode="same", operation=convolve2d)
    assert not np.allclose(conv.forward(x, Run())[0], convolved)
    conv.params["W"] = conv.params["W"][::-1, ::-1]
    expected = convolved if activation is None else np.maximum(convolved, 0)
    np.testing.assert_allclose(conv.forward(x, Run())[0], expected, rtol=0, atol=1e-13)


def test_by_hand():
    conv = layer(Conv2D, 1, 1, 2, 1, "VALID")
    conv.params = {"W": np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(2, 2, 1, 1), "b": np.array([10.0])}
    x = np.array([[1.0, 0, 2], [0, 1, 0], [3, 0, 1]]).reshape(1, 3, 3, 1)
    y, saved = conv.forward(x, Run())
    np.testing.assert_array_equal(y[0, :, :, 0], [[15, 17], [21, 15]])
    dx, grads = conv.backward(np.array([[1.0, 0], [0, 2]]).reshape(1, 2, 2, 1), saved)
    np.testing.assert_array_equal(dx[0, :, :, 0], [[1, 2, 0], [3, 6, 4], [0, 6, 8]])
    np.testing.assert_array_equal(grads["W"][:, :, 0, 0], [[3, 0], [0, 3]])
    np.testing.assert_array_equal(grads["b"], [3])


def test_same_with_an_even_kernel_by_hand():
    """The odd zero comes last, as in TensorFlow: at the left edge the kernel lies on the image."""
    conv = layer(Conv2D, 1, 1, (1, 2))
    conv.params = {"W": np.array([1.0, 10]).reshape(1, 2, 1, 1), "b": np.zeros(1)}
    y, _ = conv.forward(np.array([1.0, 2, 3]).reshape(1, 1, 3, 1), Run())
    np.testing.assert_array_equal(y.ravel(), [21, 32, 3])


def test_backward_is_31_41_and_31_42_by_scipy():
    x, dy, conv = RNG(4).normal(size=(1, 6, 7, 1)), RNG(5).normal(size=(1, 4, 5, 1)), layer(Conv2D, 1, 1, 3, 1, "VALID")
    dx, grads = conv.backward(dy, conv.forward(x, Run())[1])
    W, image, da = conv.params["W"][:, :, 0, 0], x[0, :, :, 0], dy[0, :, :, 0]
    np.testing.assert_allclose(dx[0, :, :, 0], correlate2d(da, W[::-1, ::-1], "full"), rtol=0, atol=1e-13)  # (3.41)
    np.testing.assert_allclose(grads["W"][:, :, 0, 0], correlate2d(image, da, "valid"), rtol=0, atol=1e-13)  # (3.42)
    np.testing.assert_allclose(grads["b"], [da.sum()], rtol=1e-13)


def test_rotate_and_dilate():
    kernel = np.arange(12.0).reshape(2, 3, 1, 2)
    rotated = rotate(kernel)
    assert rotated.shape == (2, 3, 2, 1)
    assert rotated[0, 0, 1, 0] == kernel[1, 2, 0, 1]
    assert dilate(kernel, (1, 1)) is kernel  # nothing to put in between, nothing copied
    np.testing.assert_array_equal(dilate(np.array([1.0, 2, 3]).reshape(1, 1, 3, 1), (4, 2)).ravel(), [1, 0, 2, 0, 3])


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
def test_backward_is_the_derivation_of_the_docstring_sum_by_sum(stride, padding):
    """Every array of it by its own formula: X, a, db, dW, the zeros of D, dX, and dx without the zeros around x."""
    conv = layer(Conv2D, 2, 3, (2, 3), stride, padding)
    x, (W, b) = RNG(6).normal(size=(2, 5, 7, 2)), conv.params.values()
    (top, bottom), (left, right) = zeros_around(x.shape, (2, 3), stride, padding)
    X = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    o, saved = conv.forward(x, Run())
    (n, height, width, _), (s, t) = o.shape, stride
    da = RNG(7).normal(size=o.shape)
    D = np.zeros((n, X.shape[1] + 1, X.shape[2] + 2, 3))
    db, dW, dX = np.zeros(3), np.zeros_like(W), np.zeros_like(X)
    for i, j in np.ndindex(height, width):
        under = X[:, s * i:s * i + 2, t * j:t * j + 3]
        np.testing.assert_allclose(o[:, i, j], b + np.einsum("nuvc,uvck->nk", under, W), rtol=0, atol=1e-13)
        db += da[:, i, j].sum(0)
        dW += np.einsum("nuvc,nk->uvck", under, da[:, i, j])
        D[:, s * i + 1, t * j + 2] = da[:, i, j]
    for p, q in np.ndindex(*X.shape[1:3]):
        dX[:, p, q] = np.einsum("nuvk,uvck->nc", D[:, p:p + 2, q:q + 3], W[::-1, ::-1])
    dx, grads = conv.backward(da, saved)
    np.testing.assert_allclose(dx, dX[:, top:top + 5, left:left + 7], rtol=0, atol=1e-13)
    np.testing.assert_allclose(grads["W"], dW, rtol=0, atol=1e-13)
    np.testing.assert_allclose(grads["b"], db, rtol=0, atol=1e-13)


geometries = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(1, 4),
                       st.integers(1, 4), st.integers(1, 4), st.sampled_from(["SAME", "VALID"]))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(geometries)
def test_the_transposed_convolution_is_the_adjoint(geometry):
    """<conv(x), y> = <x, transposed(y)>, x in the transposed one's output shape, both ways round in backward, too."""
    n, height, width, kernel_height, kernel_width, down, right, padding = geometry
    transposed = layer(TransposedConv2D, 3, 2, (kernel_height, kernel_width), (down, right), padding)
    conv = layer(Conv2D, 2, 3, (kernel_height, kernel_width), (down, right), padding)
    conv.params = {"W": transposed.params["W"], "b": np.zeros(3)}
    transposed.params["b"][...] = 0
    rng = RNG(6)
    y = rng.normal(size=(n, height, width, 3))
    up, saved_up = transposed.forward(y, Run())
    x = rng.normal(size=up.shape)
    down_again, saved_down = conv.forward(x, Run())
    assert down_again.shape == y.shape
    np.testing.assert_allclose(np.vdot(down_again, y), np.vdot(x, up), rtol=1e-10, atol=1e-10)
    dx, grads = conv.backward(y, saved_down)
    np.testing.assert_allclose(dx, up, rtol=0, atol=1e-12)
    dy, grads_up = transposed.backward(x, saved_up)
    np.testing.assert_allclose(dy, down_again, rtol=0, atol=1e-12)
    np.testing.assert_allclose(grads_up["W"], grads["W"], rtol=0, atol=1e-10)


def test_a_transposed_convolution_by_hand():
    up = layer(TransposedConv2D, 1, 1, 2, 2)
    up.params = {"W": np.array([[1.0, 2], [3, 4]]).reshape(2, 2, 1, 1), "b": np.array([0.5])}
    y, _ = up.forward(np.array([1.0, 10]).reshape(1, 1, 2, 1), Run())
    np.testing.assert_array_equal(y[0, :, :, 0] - 0.5, [[1, 2, 10, 20], [3, 4, 30, 40]])


@pytest.mark.parametrize(("size", "stride", "padding", "expected"), [
    (2, 2, "SAME", (1, 8, 10, 4)), (3, 2, "SAME", (1, 8, 10, 4)), (3, 2, "VALID", (1, 9, 11, 4)),
    (1, 3, "VALID", (1, 12, 15, 4)), (5, 1, "VALID", (1, 8, 9, 4))])
def test_shapes_of_a_transposed_convolution(size, stride, padding, expected):
    up = layer(TransposedConv2D, 2, 4, size, stride, padding)
    x = RNG(7).normal(size=(1, 4, 5, 2))
    y, saved = up.forward(x, Run())
    assert y.shape == expected
    assert up.backward(y, saved)[0].shape == x.shape


sides, reaches, strides = (st.tuples(st.integers(1, most), st.integers(1, most)) for most in (60, 11, 7))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(sides, reaches, strides)
def test_same_padding_is_tensorflows(image, kernel, stride):
    """TensorFlow's rule as its documentation words it: by the remainder of the size and the stride."""
    zeros = zeros_around((1, *image, 1), kernel, stride, "SAME")
    for (before, after), size, reach, step in zip(zeros, image, kernel, stride, strict=True):
        total = max(reach - step, 0) if size % step == 0 else max(reach - size % step, 0)
        assert (before, after) == (total // 2, total - total // 2)
        assert (size + before + after - reach) // step + 1 == -(-size // step)


def test_same_padding_keeps_the_size_at_stride_1():
    for size in range(1, 7):
        assert layer(Conv2D, 2, 3, size).forward(np.zeros((1, 5, 6, 2)), Run())[0].shape == (1, 5, 6, 3)


def test_a_kernel_larger_than_the_image_is_refused_with_valid_padding():
    with pytest.raises(ValueError, match=r"the image is 4x9 and the kernel 5x3.*'VALID'.*fits nowhere.*larger image"):
        layer(Conv2D, 1, 1, (5, 3), 1, "VALID").forward(np.zeros((1, 4, 9, 1)), Run())
    assert layer(Conv2D, 1, 1, 5).forward(np.zeros((1, 2, 2, 1)), Run())[0].shape == (1, 2, 2, 1)


@pytest.mark.parametrize("kind", [Conv2D, TransposedConv2D])
def test_wrong_arguments_are_refused(kind):
    with pytest.raises(ValueError, match="padding is 'same'; expected 'SAME'"):
        layer(kind, 1, 1, padding="same")
    for wrong in (0, -1, (3, 0), (3,), (1, 2, 3), (3, 1.5)):
        with pytest.raises(ValueError, match="expected a whole number of at least 1 or two of them"):
            layer(kind, 1, 1, wrong)
        with pytest.raises(ValueError, match="expected a whole number of at least 1 or two of them"):
            layer(kind, 1, 1, 3, wrong)
    for shape in ((2, 5, 5, 1), (5, 5, 3), (2, 3)):
        with pytest.raises(ValueError, match=r"the input is \(.*\); the layer expects \(N, H, W, 3\)"):
            layer(kind, 3, 1).forward(np.zeros(shape), Run())


def test_the_bias_is_added_to_every_output_and_starts_as_told():
    assert (Conv2D(2, 3, bias=0.1, rng=RNG(0)).params["b"] == np.float32(0.1)).all()
    conv = layer(Conv2D, 2, 3)
    x = RNG(8).normal(size=(2, 4, 4, 2))
    y, _ = conv.forward(x, Run())
    b = conv.params["b"].copy()
    conv.params["b"][...] = 0
    np.testing.assert_allclose(y, conv.forward(x, Run())[0] + b, rtol=0, atol=1e-14)


@pytest.mark.parametrize("activation", [ReLU(), LeakyReLU(0.2), Sigmoid(), Tanh()], ids=lambda a: type(a).__name__)
@pytest.mark.parametrize("kind", [Conv2D, TransposedConv2D])
def test_a_fused_activation_gives_the_bits_of_a_separate_one(kind, activation):
    x = RNG(9).normal(size=(2, 6, 5, 3)).astype("float32")
    fused = kind(3, 4, activation=activation, bias=0.1, rng=RNG(10))
    plain = kind(3, 4, bias=0.1, rng=RNG(10))
    y, saved = fused.forward(x, Run())
    a, saved_a = plain.forward(x, Run())
    o, saved_o = activation.forward(a, Run())
    np.testing.assert_array_equal(y, o)
    dy = RNG(11).normal(size=y.shape).astype("float32")
    dx, grads = fused.backward(dy, saved)
    expected_dx, expected = plain.backward(activation.backward(dy, saved_o)[0], saved_a)
    np.testing.assert_array_equal(dx, expected_dx)
    for name in expected:
        np.testing.assert_array_equal(grads[name], expected[name])


@pytest.mark.parametrize("kind", [Conv2D, TransposedConv2D])
def test_only_the_input_and_with_an_activation_the_output_are_kept(kind):
    x = RNG(12).normal(size=(1, 4, 4, 2))
    kept = layer(kind, 2, 3).forward(x, Run())[1]
    assert kept[0] is x
    assert kept[1] is None
    y, kept = layer(kind, 2, 3, activation=ReLU()).forward(x, Run())
    assert kept[0] is x
    assert kept[1] is y
    assert layer(kind, 2, 3, activation=ReLU()).forward(x, Run(record=False))[1] is None


@pytest.mark.parametrize("constants", [{}, {"BLOCK_BYTES": 1, "LEAST_ROWS": 1}, {"BLOCK_BYTES": 1, "LEAST_ROWS": 30},
                                       {"BLOCK_BYTES": 1, "LEAST_ROWS": 1, "PARTS": 2}, {"OUTPUTS": 1}], ids=str)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7), st.sampled_from([1, 3, 16]), st.integers(1, 3),
       st.tuples(st.integers(1, 4), st.integers(1, 4)), st.tuples(st.integers(1, 3), st.integers(1, 3)),
       st.tuples(*[st.tuples(st.integers(0, 9), st.integers(0, 9))] * 2))
def test_directly_for_any_size_stride_padding_and_partition(constants, images, height, width, channels, outputs, size,
                                                            stride, padding):
    """Blocks that lie wholly in the zeros above or below an image, too."""
    rng, sides = RNG(13), (height, width)
    if any(side + sum(zeros) < reach for side, zeros, reach in zip(sides, padding, size, strict=True)):
        padding = ((4, 4), (4, 4))
    out = [output_size(*each) for each in zip(sides, size, stride, padding, strict=True)]
    x, kernel, bias = (rng.normal(size=each) for each in (
        (images, *sides, channels), (*size, channels, outputs), (outputs,)))
    da = rng.normal(size=(images, *out, outputs))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in constants.items():
            patch.setattr(direct, name, value)
        y = direct.correlate(x, kernel, bias, stride, padding, np.tanh)
        dW = direct.kernel_gradient(x, da, size, stride, padding)
    expected = correlate.dispatch(object)(x, kernel, bias, stride, padding, np.tanh)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-12)
    expected = correlate_kernel_gradient.dispatch(object)(x, da, size, stride, padding)
    np.testing.assert_allclose(dW, expected, rtol=0, atol=1e-11)
