"""How much memory a training will take at its peak: measured when it is asked for, on a few small images.

All that a step keeps and computes with grows with the pixels of a batch, whatever the side: a real step on few pixels
tells the bytes for each, as NumPy asks for them. That is an estimate: `Needs.peak` says what is added up.
"""
from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np

from engine.layer import Layer, Run, parameter_count
from experiments.configuration.training import Kind
from experiments.system.device import free_bytes_of_gpu
from experiments.system.free_memory import free_bytes, in_bytes
from models.predict import predict

AT_ONCE = 50 * 128**2  # pixels of the images that are evaluated together: of 50 at the thesis's side
SIDE = 128  # of the images that are measured, where those of the run are not smaller
PIXELS = 8 * SIDE**2  # of the batch that is measured; the bytes for each differ by a tenth from those of large batches
FLOAT = 4  # bytes
AHEAD = 3  # batches in memory: the one that is used, and those that are prepared meanwhile
ADAM = 4  # times the parameters in a step: with their gradients and two moments
# Times the parameters when a checkpoint is made: what it holds, copied twice. What a step had is freed by then, but in
# pieces, and the process keeps it: see `keep_freed_memory`.
SAVING = 6


def images_at_once(side: int) -> int:
    """How many images are sent through a network together when nothing is kept: fewer of larger ones."""
    return max(1, min(50, AT_ONCE // side**2))


@dataclass(frozen=True, slots=True)
class Needs:
    """What a network takes, in bytes. parameters: all of them; step, look: of each pixel of the images in a training
    step and in inference; image: of one as it is read, with its mask or its second channel; work: space that the
    kernels keep from call to call, whatever the pixels."""
    parameters: int
    step: float
    look: float
    image: int
    work: int = 0

    def peak(self, batch: int, side: int, saving: bool = True) -> int:
        """The most at one time, of training on batches of so many images: in a step or evaluating; beside the batches
        that are prepared meanwhile, and where that takes the same memory a checkpoint."""
        step = ADAM * self.parameters + self.step * batch * side**2
        looking = (ADAM - 1) * self.parameters + self.look * images_at_once(side) * side**2
        saved = SAVING * self.parameters if saving else 0
        return ceil(max(step, looking) + AHEAD * batch * self.image + saved) + self.work


def needs(build: Callable[[Kind], Layer], configuration: Kind, unit: int, channels: int = 1) -> Needs:
    """Of the network that `build` makes of a configuration, one like this with a smaller side. unit: a number of which
    every side is a multiple; channels: of the input."""
    side = min(configuration.side, max(unit, SIDE // unit * unit))
    network = build(replace(configuration, side=side))
    images = max(2, min(configuration.batch, PIXELS // side**2))  # batch norm needs two
    noise = np.random.default_rng(0).random((images, side, side, channels), np.float32)

    def step(x: np.ndarray) -> None:
        y, *saved = network.forward(x, Run())
        network.last_gradients(y, saved.pop())

    counted, pixels = parameter_count(network), images * side**2
    early = traced(lambda: step(noise[:2]))[1]
    most, late = traced(lambda: step(noise))
    stepping = most - late - FLOAT * counted  # whose gradients `peak` counts
    looking = traced(lambda: predict(network, noise))[0]
    if side != configuration.side:  # what the dense layers see grows with the pixels
        smaller = parameter_count(build(replace(configuration, side=unit)))
        counted += (counted - smaller) * (configuration.side**2 - side**2) // max(1, side**2 - unit**2)
    return Needs(FLOAT * counted, max(0, stepping) / pixels, looking / pixels,
                 FLOAT * configuration.side**2 * (channels + 1), early + late)


def traced(function: Callable[[], Any]) -> tuple[int, int]:
    """The most bytes that Python had at one time while the function ran, beyond those before, and those that stay."""
    tracing = tracemalloc.is_tracing()
    if not tracing:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        function()
        now, peak = tracemalloc.get_traced_memory()
        return peak - before, max(0, now - before)
    finally:
        if not tracing:
            tracemalloc.stop()


def sentence(needed: Callable[[Needs, int], int], build: Callable[[Kind], Needs], configuration: Kind,
             device: str) -> str:
    """For the terminal: what is needed, of what is there; and where that does not do, what to change.

    needed: bytes in all, of what one training needs and its batch. build: what one of another configuration needs.
    """
    own, free = build(configuration), free_bytes() if device == "cpu" else free_bytes_of_gpu()
    peak, place = needed(own, configuration.batch), "memory" if device == "cpu" else "the GPU's memory"
    said = f"It takes about {in_bytes(peak)} of {place} at its peak"
    if free is None or peak <= free:
        return said if free is None else f"{said}; {in_bytes(free)} are free"
    half = configuration.batch // 2
    ways = [(f"--batch {half}", own, half)]
    if not configuration.recompute:
        less = build(replace(configuration, recompute=True))
        ways += [("--recompute", less, configuration.batch), (f"--recompute --batch {half}", less, half)]
    told = ", ".join(f"{flags} about {in_bytes(needed(needs, batch))}" for flags, needs, batch in ways if batch >= 2)
    return (f"{said}, and {in_bytes(free)} are free: it may be ended for lack of memory. "
            f"{f'Less is needed with {told}; a' if told else 'A'} smaller --side needs less, too")
