"""The gradient checks of layers and losses on arrays that stand in for a GPU's, in float64."""
from dataclasses import replace

import pytest

from engine.combinators import Chain
from engine.gradient_cases import cases
from engine.gradient_check import Loss
from engine.gradient_check.suite import examine
from engine.kernels.cuda import on_cpu
from engine.kernels.cuda.arrays import emulated
from engine.layer import Layer

LAUNCHES = {
    "BatchNorm": {"normalization.moments<double>", "normalization.gradient_sums<double>",
                  "normalization.combine<double>"},
    "PooledNorm": {"pooling.max_pool<double, 2>", "pooling.max_pool<double, 0>", "pooling.max_pool_gradient<double>"},
    "MaxPool": {"pooling.max_pool<double, 2>", "pooling.max_pool<double, 0>", "pooling.max_pool_gradient<double>"},
    "Upsample": {"resampling.upsample<double>", "resampling.upsample_gradient<double>"},
    "ReLU": {"activations.relu<double>", "activations.relu_gradient<double>"},
    "Dropout": {"random.uniform"},
    "Skip": {"joining.concatenate<double>", "joining.add<double>", "random.uniform"},
    "Merge": {"joining.concatenate<double>", "pooling.max_pool_gradient<double>"},
    "dice": {"losses.overlap_sums<double>", "losses.sigmoids<double>"},
    "sensitivity_specificity": {"losses.error_sums<double>", "losses.sigmoids<double>"},
    "binary_cross_entropy": {"losses.logistic_loss<double>"},
    "weighted_binary_cross_entropy": {"losses.logistic_loss<double>"},
    "softmax_cross_entropy_with_logits": {"losses.softmax_loss<double>"},
}


class Moved(Layer):
    """y = x. At both ends of a chain it moves what the checks make: x, and dy."""

    def forward(self, x, run):
        return emulated(x), None

    def backward(self, dy, saved):
        return emulated(dy), {}


@pytest.mark.parametrize("kind", LAUNCHES)
def test_a_layer_passes_the_gradient_checks(kind, monkeypatch):
    launched, run = set(), on_cpu.run
    monkeypatch.setattr(on_cpu, "run", lambda signature, *rest: (launched.add(signature.name), run(signature, *rest)))
    for case in cases():
        if case.kind != kind:
            continue
        case.layer.convert(emulated)
        if isinstance(case.layer, Loss):
            case.layer.target = emulated(case.layer.target)
        for result in examine(replace(case, layer=Chain(Moved(), case.layer, Moved()))):
            assert result.passed, result
    assert LAUNCHES[kind] <= launched
