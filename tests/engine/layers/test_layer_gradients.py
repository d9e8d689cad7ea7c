"""The layers' gradients over random shapes, strides, paddings and memory layouts."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.combinators import Chain
from engine.gradient_check import check, check_subgradient
from engine.gradient_check.case import scatter, smooth_point
from engine.layer import Run
from engine.layers import (
    AveragePool,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    LeakyReLU,
    MaxPool,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
    TransposedConv2D,
    Upsample,
)

quick = settings(max_examples=25, deadline=None, derandomize=True, database=None)
small = st.integers(1, 3)
pairs = st.tuples(small, small)
seeds = st.integers(0, 2 ** 32)
layouts = st.sampled_from(["plain", "every second pixel", "channels first in memory", "backwards"])
activations = st.sampled_from([None, ReLU(), LeakyReLU(0.2), Sigmoid(), Tanh()])


def laid_out(x, layout):
    """The same numbers, otherwise in memory."""
    if layout == "every second pixel":
        wide = np.zeros((x.shape[0], 2 * x.shape[1], *x.shape[2:]))
        view = wide[:, ::2]
    elif layout == "channels first in memory":
        view = np.moveaxis(np.zeros((x.shape[0], x.shape[-1], *x.shape[1:-1])), 1, -1)
    elif layout == "backwards":
        view = np.zeros(x.shape)[:, ::-1]
    else:
        return x
    view[...] = x
    return view


def passes(layer, shape, seed, layout="plain", run=None):
    rng, run = np.random.default_rng(seed), run or Run(seed=(seed,))
    scatter(layer, rng)
    x = laid_out(smooth_point(layer, run, rng, *shape), layout)
    results = check(layer, x, run, rng)
    assert all(result.passed for result in results), [r.message for r in results if not r.passed]


def weights():
    return {"rng": np.random.default_rng(0), "dtype": "float64"}


@quick
@given(batch=small, height=st.integers(3, 7), width=st.integers(3, 7), channels=pairs, kernel=pairs, stride=pairs,
       padding=st.sampled_from(["SAME", "VALID"]), activation=activations, layout=layouts, seed=seeds)
def test_conv2d(batch, height, width, channels, kernel, stride, padding, activation, layout, seed):
    layer = Conv2D(*channels, kernel, stride, padding, activation, **weights())
    passes(layer, (batch, height, width, channels[0]), seed, layout)


@quick
@given(batch=small, height=small, width=small, channels=pairs, kernel=pairs, stride=pairs,
       padding=st.sampled_from(["SAME", "VALID"]), activation=activations, layout=layouts, seed=seeds)
def test_transposed_conv2d(batch, height, width, channels, kernel, stride, padding, activation, layout, seed):
    layer = TransposedConv2D(*channels, kernel, stride, padding, activation, **weights())
    passes(layer, (batch, height, width, channels[0]), seed, layout)


@quick
@given(kind=st.sampled_from([MaxPool, AveragePool]), batch=small, height=st.integers(3, 7), width=st.integers(3, 7),
       size=pairs, stride=pairs, layout=layouts, seed=seeds)
def test_pooling(kind, batch, height, width, size, stride, layout, seed):
    passes(kind(size, stride), (batch, height, width, 2), seed, layout)


@quick
@given(statistics=st.sampled_from(["batch", "moving"]), train=st.booleans(), images=st.booleans(),
       batch=st.integers(3, 6), channels=small, layout=layouts, seed=seeds)
def test_batch_norm(statistics, train, images, batch, channels, layout, seed):
    shape = (batch, 2, 3, channels) if images else (batch, channels)
    passes(BatchNorm(channels, statistics, dtype="float64"), shape, seed, layout, Run(train=train))


@quick
@given(features=pairs, batch=small, activation=activations, layout=layouts, seed=seeds)
def test_dense(features, batch, activation, layout, seed):
    passes(Dense(*features, activation, **weights()), (batch, features[0]), seed, layout)


@quick
@given(layer=st.sampled_from([Softmax(), Dropout(0.4), Dropout(1.0), Upsample(1), Upsample(3), ReLU()]),
       shape=st.tuples(small, small, small, small), layout=layouts, seed=seeds)
def test_layers_without_parameters(layer, shape, layout, seed):
    passes(layer, shape, seed, layout)


@quick
@given(levels=st.integers(1, 3), size=pairs, stride=pairs, seed=seeds)
def test_max_pool_answers_with_a_subgradient_at_ties(levels, size, stride, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, levels, (1, 4, 4, 2)).astype(float)
    result = check_subgradient(MaxPool(size, stride), x, Run(), rng, directions=3)
    assert result.passed, result.message


@pytest.mark.parametrize("layer", [ReLU(), LeakyReLU(0.2)])
def test_activations_answer_with_a_subgradient_at_their_kink(layer):
    x = np.array([[0.0, 1.0, -1.0, 0.0]])
    assert check_subgradient(layer, x, Run(), np.random.default_rng(0)).passed


def test_a_kink_of_relu_before_max_pool_is_seen():
    layer = Chain(ReLU(), MaxPool())
    x = np.full((1, 2, 2, 1), 0.5)
    row = check(layer, x, Run(), np.random.default_rng(0))[1]
    assert row.kink and "layer '1' (MaxPool)" in row.message
