"""The networks of the thesis once more, in PyTorch, and the way of our arrays into theirs."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import cases
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.layer import Layer
from models.vgg import CHANNELS, CONVOLUTIONS, FEATURES, scaled


def stack(*channels: int) -> nn.Sequential:
    """3x3 convolutions with ReLU in place: (channels[0] -> channels[1] -> ...)."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(channels):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class Twin(nn.Module):
    """flattened: by path, our weights that follow a Flatten, and the (height, width, channels) that it flattens."""

    def __init__(self, flattened: dict[str, tuple[int, int, int]] | None = None) -> None:
        super().__init__()
        self.flattened = flattened or {}


class MLP(Twin):
    """Dense layers with ReLU, the last one linear. x: (N, sizes[0])."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(sizes))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = F.relu_(layer(x))
        return self.layers[-1](x)


class VGG(Twin):
    """A.3.1; logits. x: (N, 1, side, side)."""

    def __init__(self, side: int, labels: int, width: float, keep_probability: float) -> None:
        inputs = scaled(CHANNELS[-1], width)
        super().__init__({"dense_a.W": (side // 32, side // 32, inputs)})
        features = [(side // 32) ** 2 * inputs, *(scaled(size, width) for size in FEATURES)]
        stages: list[nn.Module] = []
        inputs = 1
        for convolutions, channels in zip(CONVOLUTIONS, (scaled(c, width) for c in CHANNELS), strict=True):
            stages += [stack(inputs, *[channels] * convolutions), nn.BatchNorm2d(channels), nn.MaxPool2d(2)]
            inputs = channels
        self.stages = nn.Sequential(*stages)
        self.head = nn.Sequential(
            nn.Linear(features[0], features[1]), nn.ReLU(inplace=True), nn.Dropout(1 - keep_probability),
            nn.Linear(features[1], features[2]), nn.ReLU(inplace=True), nn.Dropout(1 - keep_probability),
            nn.Linear(features[2], labels))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.flatten(self.stages(x), 1))


class UNet(Twin):
    """A.3.2; logits. x: (N, 1, H, W)."""

    def __init__(self, channels: int, depth: int = 4) -> None:
        super().__init__()
        widths = [channels * 2 ** level for level in range(depth + 1)]

        def level(*sizes: int) -> tuple[nn.Module, nn.Module]:
            return stack(*sizes), nn.BatchNorm2d(sizes[-1])

        self.down = [level(*sizes) for sizes in zip([1, *widths[:-1]], widths, widths, strict=True)]
        self.up = [level(3 * width, width, width) for width in reversed(widths[:-1])]
        # registered in the order of the forward pass, which is the order of our parameters
        self.levels = nn.ModuleList(module for pair in self.down + self.up for module in pair)
        self.sig = nn.Conv2d(channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        shortcuts = []
        for depth, (convolutions, norm) in enumerate(self.down):
            x = convolutions(F.max_pool2d(x, 2) if depth else x)
            shortcuts.append(x)
            x = norm(x)
        shortcuts.pop()
        for convolutions, norm in self.up:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = norm(convolutions(torch.cat([x, shortcuts.pop()], 1)))
        return self.sig(x)


def twin(name: str, network: Layer, side: int, width: float = 1.0, keep_probability: float = 0.5,
         channels_last: bool = True) -> Twin:
    """The network of `cases.make_case(name, ...)` in PyTorch, with the weights and moving averages of `network`."""
    theirs: Twin
    if name == "vgg":
        theirs = VGG(side, cases.LABELS, width, keep_probability)
    elif name == "unet":
        theirs = UNet(cases.unet_channels(width))
    else:
        theirs = MLP(cases.mlp_sizes(side))
    dtype = next(iter(network.parameters().values())).dtype
    theirs = theirs.to(torch.from_numpy(np.empty(0, dtype)).dtype)
    with torch.no_grad():
        for path, array, tensor in pairs(network, theirs):
            tensor.copy_(torch.from_numpy(np.ascontiguousarray(as_theirs(path, array, theirs))))
    if channels_last:
        convert: Any = theirs.to  # PyTorch's own annotations leave this way of calling it out
        convert(memory_format=torch.channels_last)
    return theirs


def pairs(network: Layer, theirs: Twin) -> Iterator[tuple[str, np.ndarray, Tensor]]:
    """(path, our array, their tensor) of every parameter and moving average: both sides have the order of the pass."""
    averages = [buffer for name, buffer in theirs.named_buffers() if name.endswith(("running_mean", "running_var"))]
    own = network.parameters() | network.moving_averages()
    for (path, array), tensor in zip(own.items(), [*theirs.parameters(), *averages], strict=True):
        yield path, array, tensor


def as_theirs(path: str, array: np.ndarray, theirs: Twin) -> np.ndarray:
    """A parameter or its gradient in their layout: kernels [out, in, KH, KW], dense weights [out, in].

    Their images flatten channel by channel and ours pixel by pixel, so the inputs of the layer after it are reordered.
    """
    if path in theirs.flattened:
        height, width, channels = theirs.flattened[path]
        kernel = array.reshape(height, width, channels, -1)
        return kernel.transpose(3, 2, 0, 1).reshape(array.shape[::-1])
    return array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T


def image(x: np.ndarray, channels_last: bool = True) -> Tensor:
    """(N, H, W, C) as their (N, C, H, W), in memory as it was or channel by channel; (N, I) as it is."""
    tensor = torch.from_numpy(x)
    if x.ndim == 2:
        return tensor
    tensor = tensor.permute(0, 3, 1, 2)
    return tensor if channels_last else tensor.contiguous()


def loss(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of the network `name`, on logits."""
    losses: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "mlp": F.cross_entropy, "vgg": _binary_cross_entropy, "unet": _dice}
    return losses[name]


def _binary_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, target, reduction="sum") / len(logits)


def _dice(logits: Tensor, y: Tensor, epsilon: float = 1e-6) -> Tensor:
    p = torch.sigmoid(logits)
    inside = ((p * y).sum() + epsilon) / ((p + y).sum() + epsilon)
    outside = (((1 - p) * (1 - y)).sum() + epsilon) / ((2 - p - y).sum() + epsilon)
    return 1 - inside - outside
