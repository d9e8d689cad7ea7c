"""What the networks of the appendix return: probabilities, and the logits they come from."""
from __future__ import annotations

from engine.arrays import Array
from engine.layer import Layer, Run
from engine.layers import Sigmoid


def predict(network: Layer, x: Array) -> tuple[Array, Array]:
    """(probabilities, logits) of the network in inference: moving averages, no dropout, nothing kept."""
    logits, _ = network.forward(x, Run(train=False, record=False))
    return Sigmoid().value(logits), logits
