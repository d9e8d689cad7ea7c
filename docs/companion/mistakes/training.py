"""Two small trainings on drawn images, in which one kind of layer, or the loss, may be a wrong one.

    strokes  12x12 images with a stroke in one of four directions, and noise: which direction?
    discs    12x12 images with a bright disc and noise: which pixels are the disc's?
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from engine.combinators import Chain, Skip
from engine.layer import Layer, Run
from engine.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, MaxPool, ReLU, Sigmoid, Upsample
from engine.losses import Loss, dice, from_logits, least_squares, softmax_cross_entropy_with_logits
from engine.optimizers import Adam, cosine_decay
from engine.training import train

SIDE, BATCH, STEPS, TEST = 12, 16, 120, 400
RATE = 0.01
LAST = 20  # steps that say where a training has come to


@dataclass(frozen=True)
class Trained:
    """losses: of every step, (STEPS,); score: from 0 to 1, on images that were not trained on."""
    losses: np.ndarray
    score: float

    @property
    def last(self) -> float:
        """The mean loss of the last steps."""
        return float(self.losses[-LAST:].mean())


def strokes(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(count, 12, 12, 1) images and (count,) directions, 0 to 3."""
    directions = rng.integers(0, 4, count)
    steps = np.array([(0, 1), (1, 0), (1, 1), (1, -1)])[directions]
    images = rng.normal(0, 0.35, (count, SIDE, SIDE, 1))
    middle = rng.integers(4, SIDE - 4, (count, 2))
    for k in range(-3, 4):
        places = middle + k * steps
        images[np.arange(count), places[:, 0], places[:, 1], 0] += 1
    return images.astype("float32"), directions


def discs(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(count, 12, 12, 1) images and masks."""
    middle, radius = rng.uniform(3, SIDE - 4, (count, 2, 1, 1)), rng.uniform(1.5, 3, (count, 1, 1))
    rows, columns = np.mgrid[:SIDE, :SIDE]
    masks = (rows - middle[:, 0]) ** 2 + (columns - middle[:, 1]) ** 2 < radius ** 2
    images = 0.6 * masks + rng.normal(0, 0.4, masks.shape)
    return images[..., None].astype("float32"), masks[..., None].astype("float32")


def classifier(conv: Any = Conv2D, norm: Any = BatchNorm, dropout: Any = Dropout, pool: Any = MaxPool,
               relu: Any = ReLU) -> Chain:
    """Three convolutions, two batch norms and poolings, dropout, four logits."""
    rng = np.random.default_rng(1)
    return Chain(conv(1, 8, activation=relu(), rng=rng), norm(8), pool(2),
                 conv(8, 8, activation=relu(), rng=rng), norm(8), pool(2),
                 conv(8, 8, activation=relu(), rng=rng), Flatten(), dropout(0.7), Dense(72, 4, rng=rng))


def segmenter(skip: Any = Skip) -> Chain:
    """A U-net of one level, logits of every pixel."""
    rng = np.random.default_rng(1)
    return Chain(Conv2D(1, 8, activation=ReLU(), rng=rng),
                 skip(MaxPool(2), Conv2D(8, 8, activation=ReLU(), rng=rng), Upsample(2)),
                 Conv2D(16, 8, activation=ReLU(), rng=rng), Conv2D(8, 1, 1, rng=rng))


@cache
def train_classifier(loss: Loss = softmax_cross_entropy_with_logits, conv: Any = Conv2D, norm: Any = BatchNorm,
                     dropout: Any = Dropout, pool: Any = MaxPool, relu: Any = ReLU) -> Trained:
    """Strokes; score: the share of right answers."""
    return _train(classifier(conv, norm, dropout, pool, relu), loss, strokes, _share_right)


@cache
def train_regression(sigmoid: Any = Sigmoid) -> Trained:
    """Strokes, with a sigmoid for each of the four directions and the least squares; score: the same."""
    def one_hot(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        images, directions = strokes(rng, count)
        return images, np.eye(4, dtype="float32")[directions]

    network = Chain(body=classifier(), end=sigmoid())
    return _train(network, least_squares, one_hot, lambda answers, wanted: _share_right(answers, wanted.argmax(1)))


@cache
def train_segmenter(loss: Loss = dice, skip: Any = Skip) -> Trained:
    """Discs; score: the Dice coefficient 2 |A and B| / (|A| + |B|) of the pixels found and those of the masks."""
    return _train(segmenter(skip), from_logits(loss), discs, _overlap)


def _train(network: Layer, loss: Loss, draw: Any, score: Any) -> Trained:
    rng = np.random.default_rng(2)
    batches = [draw(rng, BATCH) for _ in range(STEPS)]
    images, wanted = draw(rng, TEST)
    steps = train(network, loss, Adam(network.parameters()), batches, lambda t: cosine_decay(RATE, t, STEPS), seed=0)
    losses = [step.loss for step in steps]
    answers, _ = network.forward(images, Run(train=False, record=False))
    return Trained(np.array(losses), score(answers, wanted))


def _share_right(answers: np.ndarray, directions: np.ndarray) -> float:
    return float(np.mean(answers.argmax(axis=1) == directions))


def _overlap(logits: np.ndarray, masks: np.ndarray) -> float:
    found, wanted = logits > 0, masks > 0
    return float(2 * np.sum(found & wanted) / (np.sum(found) + np.sum(wanted)))
