"""Kernels, layers and networks on the strictest arrays there are: what runs there runs on any array library."""

import array_api_strict
import numpy as np
import pytest

from engine import layers
from engine.combinators import Chain, Fork, Merge, Recompute, Skip, SlicedRecompute, SlicedStage
from engine.kernels import (
    batch_moments,
    channel_sums,
    combine,
    combine_pooled,
    correlate,
    correlate_kernel_gradient,
    gradient_sums,
    matrix_product,
    max_pool,
    max_pool_gradient,
    scale_and_shift,
)
from engine.kernels.adam import adam_update
from engine.layer import Run, assign
from models.mlp import mlp
from models.predict import predict
from models.unet import unet
from models.vgg import vgg

RUNS = {"training": Run(), "inference": Run(train=False)}
IMAGE = (2, 6, 4, 3)


def numbers(seed, *shape, dtype="float32"):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def strict(value):
    return array_api_strict.asarray(value) if isinstance(value, np.ndarray) else value


def plain(value):
    assert isinstance(value, type(array_api_strict.asarray(0.0)))
    return np.asarray(value)


def build(rng, dtype):
    """Every layer, with an input shape."""
    named = {"rng": rng, "dtype": dtype}
    yield layers.Dense(5, 4, layers.Tanh(), **named), (3, 5)
    yield layers.Dense(5, 4, **named), (3, 5)
    for activation in (None, layers.ReLU(), layers.LeakyReLU(), layers.Sigmoid(), layers.Tanh()):
        yield layers.Conv2D(3, 4, 3, 1, "SAME", activation, 0.1, **named), IMAGE
        yield layers.TransposedConv2D(3, 4, 3, 2, "SAME", activation, 0.1, **named), IMAGE
    yield layers.Conv2D(3, 4, (2, 3), (2, 1), "VALID", **named), IMAGE
    yield layers.TransposedConv2D(3, 4, 2, 3, "VALID", **named), IMAGE
    for statistics in ("batch", "moving"):
        yield layers.BatchNorm(3, statistics, dtype=dtype), IMAGE
        yield layers.BatchNorm(5, statistics, dtype=dtype), (4, 5)
    for layer in (layers.Dropout(0.7), layers.ReLU(), layers.LeakyReLU(0.2), layers.Sigmoid(), layers.Tanh(),
                  layers.Softmax(), layers.MaxPool(2), layers.MaxPool((3, 2), 1), layers.AveragePool(2),
                  layers.AveragePool(3, 1), layers.GlobalAveragePool(), layers.Upsample(2), layers.Flatten()):
        yield layer, IMAGE
    yield Chain(layers.Conv2D(3, 3, **named), pool=layers.MaxPool(2)), IMAGE
    yield Skip(layers.Conv2D(3, 2, **named)), IMAGE
    yield Chain(Fork(layers.MaxPool(2)), Merge(layers.Upsample(2))), IMAGE
    yield SlicedRecompute(layers.Conv2D(3, 2, **named)), IMAGE
    for before in ([], [layers.Conv2D(3, 3, **named)]):
        norm = layers.PooledNorm(3, dtype=dtype)
        norm.params["c1"][...] = [1, -1, 0.5]
        yield SlicedStage(*before, norm) if before else norm, IMAGE
    yield Recompute(Chain(layers.BatchNorm(3, dtype=dtype), layers.Dropout(0.5))), IMAGE


def cases(dtype="float32"):
    return list(build(np.random.default_rng(1), dtype))


def name(case):
    return type(case[0]).__name__ if isinstance(case, tuple) else None


def compare(network, twin, x, run, tolerance):
    """network on NumPy and its strict twin agree: forward, backward and absorb."""
    twin.convert(strict)
    y, saved = network.forward(x, run)
    strict_y, strict_saved = twin.forward(strict(x), run)
    np.testing.assert_allclose(plain(strict_y), y, rtol=0, atol=tolerance)
    dy = numbers(3, *y.shape, dtype=y.dtype)
    dx, grads = network.backward(dy, saved)
    strict_dx, strict_grads = twin.backward(strict(dy), strict_saved)
    np.testing.assert_allclose(plain(strict_dx), dx, rtol=0, atol=tolerance * max(1, abs(dx).max()))
    assert strict_grads.keys() == grads.keys()
    for path, g in grads.items():
        np.testing.assert_allclose(plain(strict_grads[path]), g, rtol=0, atol=tolerance * max(1, abs(g).max()))
    network.absorb(grads)
    twin.absorb(strict_grads)
    for path, average in twin.moving_averages().items():
        np.testing.assert_allclose(plain(average), network.moving_averages()[path], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("place", range(len(cases())), ids=[f"{k} {name(case)}" for k, case in enumerate(cases())])
def test_the_complex_step_on_strict_arrays(place):
    """Strict arrays do not order complex numbers: whatever branches looks at real parts."""
    (layer, shape), (twin, _) = cases("float64")[place], cases("float64")[place]
    x, v = numbers(2, *shape, dtype="float64"), numbers(4, *shape, dtype="float64")
    y, saved = layer.forward(x, Run())
    dy = numbers(3, *y.shape, dtype="float64")
    exact = np.vdot(layer.backward(dy, saved)[0], v)
    for network in (layer, twin):
        network.convert(lambda array: array.astype("complex128"))
    twin.convert(strict)
    moved = x + 1e-200j * v
    for complex_y in (layer.forward(moved, Run())[0], plain(twin.forward(strict(moved), Run())[0])):
        np.testing.assert_allclose(np.vdot(dy, complex_y.imag / 1e-200), exact, rtol=1e-10, atol=1e-10)


def test_every_layer_has_a_case():
    assert {type(layer).__name__ for layer, _ in cases()} >= set(layers.__all__) - {"Activation"}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("place", range(len(cases())), ids=[f"{k} {name(case)}" for k, case in enumerate(cases())])
def test_a_layer_on_strict_arrays(place, run):
    (layer, shape), (twin, _) = cases()[place], cases()[place]
    compare(layer, twin, numbers(2, *shape), run, 2e-6)


NETWORKS = {
    "vgg": (lambda rng, dtype: vgg(32, 2, width=1 / 32, statistics="moving", bias=0.1, rng=rng, dtype=dtype),
            (2, 32, 32, 2)),
    "unet": (lambda rng, dtype: unet(1, 2, 2, rng=rng, dtype=dtype), (2, 8, 12, 1)),
    "mlp": (lambda rng, dtype: mlp((6, 5, 4, 3), rng=rng, dtype=dtype), (4, 6)),
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("network", NETWORKS)
def test_a_whole_network_on_strict_arrays(network, run):
    make, shape = NETWORKS[network]
    here, twin = (make(np.random.default_rng(4), "float64") for _ in range(2))
    compare(here, twin, numbers(5, *shape, dtype="float64"), run, 1e-9)


def test_predict_and_assign_on_strict_arrays():
    make, shape = NETWORKS["unet"]
    here, twin = make(np.random.default_rng(4), "float64"), make(np.random.default_rng(6), "float64")
    twin.convert(strict)
    assign(twin, here.parameters() | here.moving_averages())
    single = make(np.random.default_rng(6), "float32")
    single.convert(strict)
    assign(single, here.parameters() | here.moving_averages())  # float64 into float32, which strict arrays do not mix
    expected = here.parameters()["logits.W"].astype("float32")
    np.testing.assert_array_equal(plain(single.parameters()["logits.W"]), expected)
    x = numbers(7, *shape, dtype="float64")
    for result, expected in zip(predict(twin, strict(x)), predict(here, x), strict=True):
        np.testing.assert_allclose(plain(result), expected, rtol=0, atol=1e-12)


def kernel_calls():
    x, dy, vector = numbers(8, *IMAGE), numbers(9, *IMAGE), numbers(10, 3)
    kernel, padding = numbers(11, 3, 2, 3, 4), ((1, 1), (1, 0))
    da = numbers(12, 2, 3, 4, 4)
    place = np.random.default_rng(13).integers(0, 4, (2, 3, 2, 3)).astype(np.uint8)
    return {
        "correlate": (correlate, x, kernel, numbers(14, 4), (2, 1), padding, layers.ReLU().value),
        "correlate without bias": (correlate, x, kernel, None, (2, 1), padding),
        "correlate_kernel_gradient": (correlate_kernel_gradient, x, da, (3, 2), (2, 1), padding),
        "max_pool": (max_pool, x, (2, 2), (2, 2)),
        "max_pool_gradient": (max_pool_gradient, numbers(15, 2, 3, 2, 3), place, IMAGE, (2, 2), (2, 2)),
        "matrix_product": (matrix_product, numbers(16, 3, 4), numbers(17, 4, 5)),
        "channel_sums": (channel_sums, x),
        "batch_moments": (batch_moments, x),
        "scale_and_shift": (scale_and_shift, x, vector, vector, vector),
        "gradient_sums": (gradient_sums, dy, x, vector),
        "combine": (combine, dy, x, vector, vector, vector, vector),
        "combine_pooled": (combine_pooled, numbers(15, 2, 3, 2, 3), x, vector, vector, vector, vector, place, (2, 2)),
    }


@pytest.mark.parametrize("kernel", kernel_calls())
def test_a_kernels_definition_on_strict_arrays(kernel):
    function, *arguments = kernel_calls()[kernel]
    results, expected = function(*map(strict, arguments)), function(*arguments)
    if not isinstance(expected, tuple):
        results, expected = (results,), (expected,)
    for result, right in zip(results, expected, strict=True):
        assert plain(result).dtype == right.dtype
        np.testing.assert_allclose(plain(result), right, rtol=0, atol=1e-5)


def test_adams_definition_on_strict_arrays():
    arrays = [numbers(seed, 3, 4) for seed in range(3)] + [numbers(4, 3, 4) ** 2]
    theirs = [strict(array.copy()) for array in arrays]
    for four in (arrays, theirs):
        adam_update(*four, 2, 1e-3, 0.9, 0.999, 1e-8)
    for result, right in zip(theirs, arrays, strict=True):
        np.testing.assert_allclose(plain(result), right, rtol=1e-6)


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("place", range(len(cases())), ids=[f"{k} {name(case)}" for k, case in enumerate(cases())])
def test_dtypes_stay(place, dtype, run):
    layer, shape = cases(dtype)[place]
    y, saved = layer.forward(numbers(2, *shape, dtype=dtype), run)
    dx, grads = layer.backward(numbers(3, *y.shape, dtype=dtype), saved)
    assert {str(array.dtype) for array in (y, dx, *grads.values())} == {dtype}
    layer.absorb(grads)
    assert {str(array.dtype) for array in (layer.parameters() | layer.moving_averages()).values()} <= {dtype}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("network", NETWORKS)
def test_dtypes_stay_in_networks(network, dtype):
    make, shape = NETWORKS[network]
    made, x = make(np.random.default_rng(4), dtype), numbers(5, *shape, dtype=dtype)
    y, saved = made.forward(x, Run())
    dx, grads = made.backward(y, saved)
    assert {str(array.dtype) for array in (y, dx, *grads.values(), *predict(made, x))} == {dtype}
