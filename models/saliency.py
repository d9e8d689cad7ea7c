"""Which pixels a class's answer depends on: the gradient of its logit with respect to the input."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from array_api_compat import array_namespace, device

from engine.arrays import Array
from engine.layer import Layer, Run


def saliency(network: Layer, x: Array, classes: Sequence[int]) -> Array:
    """dz_c/dx in the shape of x, (N, ...): for each of the N samples the gradient of the logit z of its class c.

    network: y (N, labels), the logits. classes: N indices of labels. The passes are those of inference (moving
    averages, no dropout), so that samples do not influence one another: the gradient of the sum of the N logits, whose
    upstream gradient is one-hot, holds each sample's own. Of the logit, not the probability: a sigmoid that is sure of
    its answer is flat, and would hide what made it sure.
    """
    logits, saved = network.forward(x, Run(train=False, record=True))
    xp = array_namespace(logits)
    one_hot = np.eye(logits.shape[1])[np.asarray(classes)]
    return network.backward(xp.asarray(one_hot, dtype=logits.dtype, device=device(logits)), saved)[0]
