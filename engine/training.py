"""Training as a generator of steps: the caller logs, evaluates, draws and writes checkpoints between them.

    for step in train(network, loss, optimizer, batches, schedule, seed=0):
        print(step.number, step.loss)

Everything random in a step is a function of (seed, number, place in the network), so that a run which restores the
parameters and the optimizer and goes on with the next number continues bit for bit.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, replace

from array_api_compat import array_namespace

from engine.combinators import observe
from engine.layer import Array, Grads, Layer, Run
from engine.losses import Loss
from engine.optimizers import Optimizer

Batch = tuple[int, tuple[Array, Array]]


@dataclass(frozen=True)
class Step:
    """A step that was made: its number, the batch's loss before the update, the learning rate of the update."""
    number: int
    loss: float
    learning_rate: float


class NotFinite(Exception):
    """A NaN or an infinity, met before anything was written. path: of the layer or parameter, "" if it is neither."""

    def __init__(self, step: int, path: str, what: str) -> None:
        super().__init__(f"at step {step} {what}")
        self.step, self.path = step, path


def gradients(network: Layer, loss: Loss, x: Array, target: Array, run: Run) -> tuple[Array, Grads]:
    """The loss of a batch and its gradient for every parameter (and the moments to absorb): forward, loss, backward.

    x: (N, ...), target: what the loss compares the network's output with. Writes to nothing.
    """
    y, *saved = network.forward(x, run)
    value, dy = loss(y, target)
    return value, network.backward(dy, saved.pop())[1]  # popped: nothing here holds on to what backward is done with


def train(network: Layer, loss: Loss, optimizer: Optimizer, batches: Iterable[Batch],
          schedule: Callable[[int], float], seed: int | tuple[int, ...]) -> Generator[Step, None, None]:
    """One step for every (number, (x, target)) of batches, with the learning rate schedule(number).

    When a Step comes out, the parameters, the optimizer and the moving averages have just been updated. seed: a number
    or a path of numbers. Raises NotFinite where the loss or a gradient is not finite, before any of them is touched:
    all are as after the step before.
    """
    path = (seed,) if isinstance(seed, int) else tuple(seed)
    for number, (x, target) in batches:
        yield _step(network, loss, optimizer, x, target, Run(seed=(*path, number)), number, schedule(number))


def _step(network: Layer, loss: Loss, optimizer: Optimizer, x: Array, target: Array, run: Run, number: int,
          learning_rate: float) -> Step:
    value, grads = gradients(network, loss, x, target, run)
    if not _finite(value, *grads.values()):
        path, what = _diagnose(network, x, target, run, value, grads)
        raise NotFinite(number, path, what)
    optimizer.step(grads, learning_rate)
    network.absorb(grads)
    return Step(number, float(value), learning_rate)


def _finite(*arrays: Array) -> bool:
    """Whether all numbers are finite, waiting for the device only once."""
    finite = []
    for array in arrays:
        xp = array_namespace(array)
        if xp.isdtype(array.dtype, ("real floating", "complex floating")):
            finite.append(xp.all(xp.isfinite(array)))
    return not finite or bool(xp.all(xp.stack(finite)))


def _diagnose(network: Layer, x: Array, target: Array, run: Run, value: Array, grads: Grads) -> tuple[str, str]:
    """Where the first number that is not finite arose: path, and a sentence."""
    for name, array in (("input", x), ("target", target)):
        if not _finite(array):
            return "", f"the {name} is not finite"
    found: list[tuple[str, Layer]] = []

    def see(path: str, layer: Layer, x: Array, y: Array) -> None:
        if not _finite(y):
            found.append((path, layer))

    observe(network, see).forward(x, replace(run, record=False))
    if found:
        path, layer = found[0]
        broken = [name for name, array in (layer.params | layer.buffers).items() if not _finite(array)]
        cause = f"its {' and '.join(broken)} already held such numbers" if broken else "its parameters are finite"
        return path, f"layer '{path}' ({type(layer).__name__}) is the first whose output is not finite; {cause}"
    if not math.isfinite(value):
        return "", f"the loss is {float(value)}, though the network's output is finite"
    path = next(path for path, g in grads.items() if not _finite(g))
    return path, f"the gradient of '{path}' is not finite, though the loss is {float(value):.6g}"
