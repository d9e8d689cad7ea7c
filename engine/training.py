"""Training as a generator of steps: the caller logs, evaluates, draws and writes checkpoints between them.

    for step in train(network, loss, optimizer, batches, 1e-3, seed=0):
        print(step.number, step.loss)

Everything random in a step is a function of (seed, number, place in the network), so that a run which restores the
parameters and the optimizer and goes on with the next number continues bit for bit.

On several ranks, processes that each bring their rows of every batch, a step is that of the whole batch:

    train(network, loss, optimizer, batches of my rows, 1e-3, seed=0, ranks=ranks)
"""
from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from engine.arrays import Array
from engine.layer import Grads, Layer, Run
from engine.losses import Loss
from engine.observing import Observer, See, observe
from engine.optimizers import Optimizer, gradient_norm
from engine.reduction import WHOLE, Ranks, Reduction, share, summed

Pair = tuple[Array, Array]
Batch = tuple[int, Pair]


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


def gradients(network: Layer, loss: Loss, x: Array, target: Array, run: Run, see: See | None = None
              ) -> tuple[Array, Grads]:
    """The loss of a batch and its gradient for every parameter (and the moments to absorb): forward, loss, backward.

    x: (N, ...), target: what the loss compares the network's output with. see: as `observe` takes it, told of the
    layers of the forward pass. Writes to nothing. On several ranks the loss and the moments are those of the whole
    batch, and the parameters' gradients this rank's part of theirs.
    """
    y, *saved = (network if see is None else observe(network, see)).forward(x, run)
    value, dy = loss(y, target) if run.reduction is WHOLE else loss(y, target, reduction=run.reduction)
    return value, network.last_gradients(dy, saved.pop())  # popped: nothing here holds on to what backward is done with


def train(network: Layer, loss: Loss, optimizer: Optimizer, batches: Iterable[Batch] | Iterable[Pair],
          schedule: float | Callable[[int], float], seed: int | tuple[int, ...], observer: Observer | None = None,
          ranks: Ranks | None = None
          ) -> Generator[Step, None, None]:
    """One step for every batch.

    batches: (x, target), or (number, (x, target)) with a number of the caller's. Plain batches are numbered by the
    optimizer's steps, from 1 for a new one, on from where it stands for one that has made steps. schedule: the learning
    rate, or a function of the step's number. seed: a number or a path of numbers. observer: looks into the steps that
    it asks for; they are made with the same bits.

    ranks: those that train together. Each calls this with the same network, optimizer, schedule and seed, and with as
    many batches: of each its rows, in the order of the ranks and at least one. All make the same steps, with the loss
    and the gradients of the whole batch, to rounding those that one process would make; of arrays that the ranks can
    sum: NumPy's, with engine.nccl CuPy's. What is not finite on one rank is found on all of them.

    When a Step comes out, the parameters, the optimizer and the moving averages have just been updated, and are finite.
    Raises NotFinite where the loss or a gradient is not, or an update might not be, before any of them is touched: all
    are as after the step before. Raises ValueError where the optimizer's arrays are not the network's, and on all
    ranks where one has no rows.
    """
    path = tuple(seed) if isinstance(seed, tuple) else (seed,)
    rate = schedule if callable(schedule) else lambda number: schedule
    for number, (x, target) in _numbered(batches, optimizer):
        run = Run(seed=(*path, number), reduction=WHOLE if ranks is None else share(ranks, x.shape[0]))
        yield _step(network, loss, optimizer, x, target, run, number, rate(number), observer, ranks)


def _numbered(batches: Iterable[Any], optimizer: Optimizer) -> Iterator[Batch]:
    """Every batch with a number."""
    for batch in batches:
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise ValueError(f"a batch is of type {type(batch).__name__}; expected pairs (x, target), or (number, (x, "
                             "target)): to train on one batch, pass [(x, target)]")
        first, second = batch
        yield (int(first), second) if isinstance(first, Integral) else (optimizer.steps + 1, (first, second))


def _expect_arrays_of(network: Layer, optimizer: Optimizer) -> None:
    """Raises ValueError where the optimizer would change other arrays than the network computes with."""
    own = network.parameters()
    for path, array in optimizer.parameters.items():
        if array is not own.get(path):
            raise ValueError(f"the optimizer's '{path}' is not an array of the network: the optimizer was made for "
                             "another network, or before network.convert or an assignment to params replaced the "
                             "arrays. Make it afterwards, of network.parameters()")


def _step(network: Layer, loss: Loss, optimizer: Optimizer, x: Array, target: Array, run: Run, number: int,
          learning_rate: float, observer: Observer | None, ranks: Ranks | None) -> Step:
    _expect_arrays_of(network, optimizer)
    if observer is not None and not observer.due(number):
        observer = None
    value, grads = gradients(network, loss, x, target, run, None if observer is None else observer.layer)
    if ranks is not None:  # from here on all ranks have the same numbers, and decide alike; the moments are so already
        grads |= summed({path: grads[path] for path in network.parameters()}, ranks)
    norm = _norm(grads.values()) if math.isfinite(value) else math.nan
    if not math.isfinite(norm):
        if not _finite(value, *grads.values()):
            raise NotFinite(number, *_diagnose(network, x, target, run, value, grads))
        norm = gradient_norm(grads.values())  # only the squares overflowed
    if optimizer.may_overflow(norm, learning_rate):
        raise NotFinite(number, "", f"the update could overflow: the gradients' norm is {norm:.3g}, the learning rate "
                        f"{learning_rate:.3g}")
    if observer is not None:
        observer.gradients(grads)
    optimizer.step(grads, learning_rate)
    network.absorb(grads)
    return Step(number, float(value), learning_rate)


def _norm(arrays: Iterable[Array]) -> float:
    """The norm of all numbers together, in one pass; not finite where one is not or the squares overflow."""
    squares = []
    for array in arrays:
        xp = array_namespace(array)
        flat = xp.reshape(array, (-1,))
        squares.append(xp.vecdot(flat, flat))
    return math.sqrt(float(xp.sum(xp.stack(squares)))) if squares else 0.0


def _finite(*arrays: Array) -> bool:
    """Whether all numbers are finite, waiting for the device only once."""
    finite = []
    for array in arrays:
        xp = array_namespace(array)
        if not xp.isdtype(array.dtype, "bool"):
            finite.append(xp.all(xp.isfinite(array)))
    return not finite or bool(xp.all(xp.stack(finite)))


def _anywhere(reduction: Reduction, found: Iterable[bool]) -> list[bool]:
    """Whether it was found on one of the ranks."""
    total, = reduction.sum(np.array([*found], float))
    return [each > 0 for each in total]


def _diagnose(network: Layer, x: Array, target: Array, run: Run, value: Array, grads: Grads) -> tuple[str, str]:
    """Where the first number that is not finite arose, on any rank: path, and a sentence."""
    for name, array in (("input", x), ("target", target)):
        if _anywhere(run.reduction, [not _finite(array)])[0]:
            return "", f"the {name} is not finite"
    seen: dict[str, bool] = {}  # the layers in the order of the pass, and whether their output is not finite

    def see(path: str, layer: Layer, x: Array, y: Array) -> None:
        seen[path] = seen.get(path, False) or not _finite(y)

    observe(network, see).forward(x, replace(run, record=False))
    found = [path for path, broken in zip(seen, _anywhere(run.reduction, seen.values()), strict=True) if broken]
    if found:
        path = found[0]
        layer = network[path] if path else network
        broken = [name for name, array in (layer.params | layer.buffers).items() if not _finite(array)]
        cause = f"its {' and '.join(broken)} already held such numbers" if broken else "its parameters are finite"
        return path, f"layer '{path}' ({type(layer).__name__}) is the first whose output is not finite; {cause}"
    if not math.isfinite(value):
        return "", f"the loss is {float(value)}, though the network's output is finite"
    path = next(path for path, g in grads.items() if not _finite(g))
    return path, f"the gradient of '{path}' is not finite, though the loss is {float(value):.6g}"
