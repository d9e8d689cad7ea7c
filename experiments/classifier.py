"""The VGG classifier of 4.2: built, trained and applied as a configuration says."""
from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial

import numpy as np
from tqdm import tqdm

from engine.checkpoint import CheckpointError, load_checkpoint, restore, save_checkpoint, to_numpy
from engine.layer import Layer, Run
from engine.losses import binary_cross_entropy_with_logits
from engine.optimizers import Adam, exponential_decay
from engine.training import NotFinite, train
from experiments.configuration import Configuration
from experiments.datasets import CLASSES
from experiments.device import array_module
from experiments.errors import Failure
from experiments.prepared import PreparedSet
from experiments.run_folder import RunFolder
from experiments.sampling import Batches, prefetch
from experiments.streams import DROPOUT, WEIGHTS
from models.predict import predict
from models.vgg import vgg

LOG_EVERY = 10  # steps, as in Figure 4.6


def build(configuration: Configuration, in_channels: int = 1) -> Layer:
    """The VGG of A.3.1 with initial weights that are a function of the seed."""
    return vgg(configuration.side, in_channels, len(CLASSES), configuration.width, configuration.keep_probability,
               configuration.statistics, configuration.bias,
               rng=np.random.default_rng((configuration.seed, WEIGHTS)))


def fit(network: Layer, batches: Batches, configuration: Configuration, folder: RunFolder, device: str,
        evaluate: Callable[[], dict[str, float]]) -> None:
    """Train on class-balanced batches by Adam, from the folder's checkpoint where there is one.

    Logs the loss every 10 steps and what `evaluate` returns every `evaluate_every`; writes a checkpoint every
    `checkpoint_every` steps and at the end. Raises Failure where the loss or a gradient is not finite: the last
    checkpoint stays as it was.
    """
    xp = array_module(device)
    optimizer = Adam(network.parameters())
    start = _resume(network, optimizer, folder)
    schedule = partial(exponential_decay, configuration.learning_rate, configuration.decay,
                       steps_per_epoch=configuration.steps_per_epoch)
    total = configuration.total_steps
    ready = prefetch(batches, start + 1, total + 1)
    on_device = ((step, (xp.asarray(x), xp.asarray(y))) for step, (x, y) in ready)
    steps = train(network, binary_cross_entropy_with_logits, optimizer, on_device, schedule,
                  seed=(configuration.seed, DROPOUT))
    try:
        with tqdm(total=total, initial=start, desc="Training", unit="step", mininterval=0.5) as bar:
            for step in steps:
                done = step.number
                bar.update()
                if done % LOG_EVERY == 0 or done == 1:
                    bar.set_postfix_str(f"loss {step.loss:.4f}", refresh=False)
                    folder.log({"step": done, "loss": step.loss, "learning_rate": step.learning_rate})
                if done % configuration.evaluate_every == 0 or done == total:
                    folder.log({"step": done, "evaluation": evaluate()})
                if done % configuration.checkpoint_every == 0 or done == total:
                    _save(folder, network, optimizer, done, configuration)
    except NotFinite as error:
        kept = f"The last good checkpoint is kept in {folder.checkpoint}" if folder.checkpoint.exists() else (
            "There was no checkpoint yet")
        raise Failure(f"{error}. {kept}. A smaller --learning-rate often helps") from error
    finally:
        steps.close()
        ready.close()


def _resume(network: Layer, optimizer: Adam, folder: RunFolder) -> int:
    """The number of steps that the folder's checkpoint has behind it; 0 where there is none."""
    if not folder.checkpoint.exists():
        folder.rewind(0)
        return 0
    try:
        checkpoint = load_checkpoint(folder.checkpoint)
        restore(checkpoint, network, optimizer)
    except CheckpointError as error:
        raise Failure(f"{folder.checkpoint}: {error}") from error
    folder.rewind(checkpoint.step)
    return checkpoint.step


def _save(folder: RunFolder, network: Layer, optimizer: Adam, step: int, configuration: Configuration) -> None:
    try:
        save_checkpoint(folder.checkpoint, network, optimizer, step, asdict(configuration))
    except OSError as error:
        raise Failure(f"{folder.checkpoint} cannot be written: {error.strerror}. The checkpoint before it is kept; "
                      f"make room and continue with --resume --output {folder.path}") from error


def probabilities(network: Layer, prepared: PreparedSet, indices: Sequence[int] | np.ndarray, device: str,
                  batch: int = 50, progress: bool = False) -> np.ndarray:
    """(n, 3): the network's sigmoid outputs for the images at `indices`, a batch of them in memory at a time."""
    xp = array_module(device)
    starts = tqdm(range(0, len(indices), batch), desc="Evaluating", unit="batch", disable=not progress, leave=False)
    return np.concatenate([to_numpy(predict(network, xp.asarray(prepared.images(indices[start:start + batch])))[0])
                           for start in starts])


def seconds_per_step(network: Layer, configuration: Configuration, device: str, in_channels: int = 1) -> float:
    """Measured on images of noise: a whole batch, or where that takes long a few of them, scaled to the batch.

    Passes are pure: the network is as it was.
    """
    xp = array_module(device)

    def measured(images: int) -> float:
        shape = (images, configuration.side, configuration.side, in_channels)
        x = xp.asarray(np.random.default_rng(0).random(shape, np.float32))
        started = time.perf_counter()
        y, saved = network.forward(x, Run())
        network.backward(y, saved)
        to_numpy(y)
        return (time.perf_counter() - started) * configuration.batch / images

    few = min(4, configuration.batch)
    measured(few)  # touches memory for the first time
    estimate = measured(few)
    return estimate if estimate > 2 else measured(configuration.batch)
