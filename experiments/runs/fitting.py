"""The training of a network in a run's folder: resumable at any moment, the same for classifiers and detectors."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from engine.checkpoint import CheckpointError, load_checkpoint, restore, save_checkpoint
from engine.kernels.cuda.precision import use_precision
from engine.layer import Layer
from engine.losses import Loss
from engine.optimizers import Adam
from engine.training import NotFinite, Step
from experiments.configuration.training import TrainingConfiguration
from experiments.runs.board import Board, Picture
from experiments.runs.folder import RunFolder
from experiments.runs.histograms import LayerHistograms
from experiments.runs.log import Entry, Measures
from experiments.runs.provenance import TrainedOn
from experiments.runs.resuming import require_same_run
from experiments.runs.together import BatchSource, Training, steps_of
from experiments.system.errors import Failure
from experiments.system.progress import bar
from experiments.system.ranks import ProcessRanks

LOG_EVERY = 10  # steps, as in Figure 4.6

Watch = Callable[[int, int], AbstractContextManager[Callable[[Step], None]]]


@contextmanager
def progress_bar(start: int, total: int) -> Iterator[Callable[[Step], None]]:
    """Steps made and time left on the terminal, and now and then the loss."""
    with bar(total, "Training", "step", initial=start) as shown:
        def advance(step: Step) -> None:
            shown.update()
            if step.number % LOG_EVERY == 0 or step.number == 1:
                shown.set_postfix_str(f"loss {step.loss:.4f}", refresh=False)

        yield advance


def fit(network: Layer, loss: Loss, batches: BatchSource, configuration: TrainingConfiguration, folder: RunFolder,
        evaluate: Callable[[], dict[str, Measures]], trained_on: TrainedOn, watch: Watch = progress_bar, first: int = 0,
        picture: Picture | None = None, ranks: ProcessRanks | None = None) -> None:
    """Train by Adam on `batches(step)`, with the configuration's rate, from the folder's checkpoint if there is one.

    Logs the loss every 10 steps, the layers' histograms every 100, more often early on, and what `evaluate()` returns
    every `evaluate_every`; writes a checkpoint every `checkpoint_every` steps and at the end. `watch(steps done, steps
    in all)` is entered for as long as training goes on, and what it gives is called with every step, before anything of
    that step is written. Raises Failure where the loss or a gradient is not finite: the last checkpoint stays as it
    was; and where the checkpoint is damaged, or that of another training. A finished training of fewer steps is trained
    on as if it had been one of so many.

    The network is trained where it is placed. first: steps that the checkpoint had behind it when this training began.
    They count for the number of a step, not for the rate, which starts anew. trained_on: what the checkpoints say of
    the data. picture: of samples, for TensorBoard, which then gets a file of events; None for no such file. ranks:
    those that make the steps with this process, which alone looks into the layers, of its own rows, evaluates and
    writes; the checkpoint does not depend on how many they are.
    """
    optimizer = Adam(network.parameters())
    total = first + configuration.total_steps
    start = _resume(network, optimizer, folder, configuration, trained_on, total)

    board = None if picture is None else Board(folder, start, picture)
    histograms = LayerHistograms(network, first)
    training = Training(network, loss, optimizer, batches, configuration, first, start, total)

    def log(entry: Entry) -> None:
        folder.log(entry)
        if board is not None:
            board.entry(entry)

    try:
        with (use_precision(configuration.precision), watch(start, total) as advance,
              steps_of(training, ranks, histograms) as steps):
            for step in steps:
                advance(step)
                done = step.number
                if done % LOG_EVERY == 0 or done == first + 1:
                    log(Entry(done, step.loss, step.learning_rate))
                if histograms.taken is not None:
                    folder.log_layers(histograms.taken.entry(done))
                    if board is not None:
                        board.layers(done, histograms.taken)
                if done % configuration.evaluate_every == 0 or done == total:
                    log(Entry(done, evaluation=evaluate()))
                if done % configuration.checkpoint_every == 0 or done == total:
                    _save(folder, network, optimizer, done, configuration, trained_on)
    except NotFinite as error:
        raise Failure(f"{error}. {folder.kept}. A smaller --learning-rate often helps") from error


def _resume(network: Layer, optimizer: Adam, folder: RunFolder, configuration: TrainingConfiguration,
            trained_on: TrainedOn, total: int) -> int:
    """The number of steps that the folder's checkpoint has behind it; 0 where there is none."""
    if not folder.checkpoint.exists():
        folder.rewind(0)
        return 0
    try:
        checkpoint = load_checkpoint(folder.checkpoint)
        require_same_run(checkpoint, configuration, trained_on, folder.checkpoint)
        restore(checkpoint, network, optimizer)
    except (CheckpointError, OSError) as error:
        raise Failure(f"{folder.checkpoint}: {error}") from error
    if not checkpoint.step == optimizer.steps <= total:
        raise Failure(f"{folder.checkpoint} has {checkpoint.step} steps behind it, its optimizer {optimizer.steps}; "
                      f"the run has {total} in all. Restore the checkpoint and config.json of one run")

    def planned(entry: Entry) -> bool:
        """Not the evaluation at the end of a run of fewer steps, which one of `total` steps would not have made."""
        return entry.evaluation is None or entry.step % configuration.evaluate_every == 0 or entry.step == total

    folder.rewind(checkpoint.step, planned)
    return checkpoint.step


def _save(folder: RunFolder, network: Layer, optimizer: Adam, step: int, configuration: TrainingConfiguration,
          trained_on: TrainedOn) -> None:
    try:
        save_checkpoint(folder.checkpoint, network, optimizer, step, configuration.record(), trained_on.record())
    except OSError as error:
        raise Failure(f"{folder.checkpoint} cannot be written: {error.strerror}. {folder.kept}. When this is mended, "
                      f"continue with --resume --output {folder.path}") from error
