"""The multi-layer perceptron of 3.1.1."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.combinators import Chain
from engine.layers import Activation, Dense, ReLU


def mlp(sizes: Sequence[int], activation: Activation | None = None, *, rng: np.random.Generator,
        dtype: str = "float32") -> Chain:
    """(3.3)-(3.7): o_h = sigma(W_h o_h-1 + b_h), the last layer linear: it gives logits, gamma belongs to the loss.

    sizes: inputs, hidden layers, outputs; activation: sigma, ReLU if none is given. x: (N, sizes[0]); y:
    (N, sizes[-1]). Chain runs Algorithm 1 forward and Algorithm 2, (3.8)-(3.12), backward. Raises ValueError for fewer
    than two sizes.
    """
    if len(sizes) < 2:
        raise ValueError(f"sizes is {tuple(sizes)}; expected at least two, the inputs and the outputs")
    hidden = activation or ReLU()
    last = len(sizes) - 2
    return Chain(**{
        f"dense_{h + 1}": Dense(sizes[h], sizes[h + 1], None if h == last else hidden, rng=rng, dtype=dtype)
        for h in range(len(sizes) - 1)})
