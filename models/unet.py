"""The U-net that detects regions of interest, A.3.2."""
from __future__ import annotations

from engine.combinators import Chain
from engine.layers import BatchNorm, Conv2D, MaxPool, ReLU, Upsample
from engine.slices import Fork, Merge, SlicedRecompute


def unet(in_channels: int = 1, channels: int = 64, depth: int = 4, statistics: str = "batch", bias: float = 0.0, *, rng,
         dtype: str = "float32", recompute: bool = False) -> Chain:
    """x: (N, H, W, in_channels); y: (N, H, W, 1), the logits `y_lin` of A.3.2: `models.predict` gives both its results.

    channels: of the first level, doubled at each of the `depth` levels below; H and W: multiples of 2^depth.
    31,383,681 trainable parameters as in the thesis (1, 64, 4). recompute: half the memory for 1.4 times the time: of
    every stack of convolutions a training step keeps only the input, and walks through it again a few images at a time.
    Parameters and their paths are the same, gradients to rounding. Raises ValueError for a depth that is none.
    """
    if not isinstance(depth, int) or depth < 0:
        raise ValueError(f"depth is {depth}; expected a whole number of at least 0, 4 as in the thesis")
    return Chain(levels=_level(in_channels, channels, depth, statistics, bias, rng, dtype, recompute),
                 sig=Conv2D(channels, 1, kernel_size=1, bias=bias, rng=rng, dtype=dtype))


def _level(in_channels, channels, depth, statistics, bias, rng, dtype, recompute) -> Chain:
    """A stack; beside its output, taken before batch norm, what the level below made of it; a stack of both."""

    def stack(inputs, **before):
        chain = SlicedRecompute if recompute else Chain
        convolutions = (Conv2D(c, channels, activation=ReLU(), bias=bias, rng=rng, dtype=dtype)
                        for c in (inputs, channels))
        return chain(**before, **{str(place): layer for place, layer in enumerate(convolutions)})

    def norm():
        return BatchNorm(channels, statistics, dtype=dtype)

    if depth == 0:
        return Chain(stack=stack(in_channels), norm=norm())
    down = stack(in_channels)
    below = _level(channels, 2 * channels, depth - 1, statistics, bias, rng, dtype, recompute)
    return Chain(down=down, skip=Fork(Chain(norm=norm(), pool=MaxPool(2), below=below)),
                 up=stack(3 * channels, merge=Merge(Upsample(2))), norm=norm())
