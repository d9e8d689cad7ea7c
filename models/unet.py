"""The U-net that detects regions of interest, A.3.2."""
from __future__ import annotations

import numpy as np

from engine.combinators import Chain, Fork, Merge, SlicedRecompute
from engine.layer import Layer
from engine.layers import BatchNorm, Conv2D, PooledNorm, ReLU, Upsample


def unet(in_channels: int = 1, channels: int = 64, depth: int = 4, statistics: str = "batch", bias: float = 0.0, *,
         rng: np.random.Generator, dtype: str = "float32", recompute: bool = False) -> Chain:
    """x: (N, H, W, in_channels); y: (N, H, W, 1), the logits `y_lin` of A.3.2: `models.predict` gives both its results.

    channels: of the first level, doubled at each of the `depth` levels below; H and W: multiples of 2^depth.
    31,383,681 trainable parameters as in the thesis (1, 64, 4). recompute: half the memory for 1.4 times the time: of
    every stack of convolutions a training step keeps only the input, and walks through it again a few images at a time.
    Parameters and their paths are the same, gradients to rounding. Raises ValueError for a depth that is none.
    """
    if not isinstance(depth, int) or depth < 0:
        raise ValueError(f"depth is {depth}; expected a whole number of at least 0, 4 as in the thesis")

    def stack(inputs: int, channels: int, **before: Layer) -> Chain:
        convolutions = {f"conv_{letter}": Conv2D(c, channels, activation=ReLU(), bias=bias, rng=rng, dtype=dtype)
                        for letter, c in (("a", inputs), ("b", channels))}
        return (SlicedRecompute if recompute else Chain)(**before, **convolutions)

    def level(inputs: int, channels: int, depth: int) -> Chain:
        """A stack; beside its output, taken before batch norm, what the level below made of it; a stack of both.

        x -> down -+-----------------------------------------+-> merge -> up -> norm -> y
                   '-> norm and pool -> below -> upsample ->-'
        """
        if depth == 0:
            return Chain(stack=stack(inputs, channels), norm=BatchNorm(channels, statistics, dtype=dtype))
        down = stack(inputs, channels)
        below = level(channels, 2 * channels, depth - 1)
        return Chain(down=down, skip=Fork(norm=PooledNorm(channels, statistics, dtype=dtype), below=below),
                     up=stack(3 * channels, channels, merge=Merge(upsample=Upsample(2))),
                     norm=BatchNorm(channels, statistics, dtype=dtype))

    return Chain(levels=level(in_channels, channels, depth),
                 logits=Conv2D(channels, 1, kernel_size=1, bias=bias, rng=rng, dtype=dtype))
