"""The mistakes of the gallery, each with what shows it and what does not."""
from __future__ import annotations

import numpy as np

from companion.mistakes import layers as wrong
from companion.mistakes import others
from companion.mistakes.mistake import Kind, Mistake, Weak
from companion.mistakes.training import train_classifier, train_regression, train_segmenter
from companion.mistakes.weak import directional, ones, only_in_the_mean, only_one_entry, only_the_direction, picture
from engine.combinators import Skip
from engine.gradient_check import Loss, check
from engine.layer import Run
from engine.layers import BatchNorm, Conv2D, Dropout, MaxPool, ReLU, Sigmoid, Tanh
from engine.losses import dice, softmax_cross_entropy_with_logits

IMAGES, FEATURES = (2, 6, 6, 2), (4, 6)


def conv(kind: Kind, channels: int = 2) -> Conv2D:
    return kind(channels, channels, activation=Tanh(), rng=np.random.default_rng(0), dtype="float64")


def norm(kind: Kind) -> BatchNorm:
    layer = kind(2, dtype="float64")
    layer.params["c1"][...] = [0.8, 1.3]
    return layer


def skip(kind: Kind) -> Skip:
    return kind(conv(Conv2D))


def entropy(kind: Kind, images: int = 4) -> Loss:
    return Loss(kind, np.arange(images) % 4)


def overlap(kind: Kind, side: int = 8) -> Loss:
    return Loss(kind, (np.indices((1, side, side)).sum(axis=0) < 6).astype(float))  # 21 pixels in a corner


def on_a_symmetric_kernel(kind: Kind) -> float:
    layer = conv(kind)
    layer.params["W"] = layer.params["W"] + np.flip(layer.params["W"], (0, 1))
    return directional(layer, picture(*IMAGES))


def worst_of_check(kind: Kind) -> float:
    results = check(kind(2), picture(2, 4, 6, 2), Run(), np.random.default_rng(0))
    return max(result.error for result in results) if all(result.passed for result in results) else float("inf")


X, W, B = frozenset({"x"}), frozenset({"W"}), frozenset({"b"})

GALLERY = (
    Mistake("kernel-not-rotated", Conv2D, wrong.KernelNotRotated, conv, IMAGES, X,
            Weak("on a kernel that looks the same upside down, as a blur or a Laplacian does", on_a_symmetric_kernel),
            train_classifier, "conv"),
    Mistake("weight-gradient-reversed", Conv2D, wrong.WeightGradientReversed, conv, IMAGES, W,
            Weak("of one fixed entry, the one in the kernel's middle",
                 lambda kind: only_one_entry(conv(kind), picture(*IMAGES), "W", (1, 1, 0, 1))),
            train_classifier, "conv"),
    Mistake("channels-not-exchanged", Conv2D, wrong.ChannelsNotExchanged, conv, IMAGES, X,
            Weak("with one channel in and one out",
                 lambda kind: directional(conv(kind, channels=1), picture(2, 6, 6, 1))),
            train_classifier, "conv"),
    Mistake("bias-of-one-image", Conv2D, wrong.BiasOfOneImage, conv, IMAGES, B,
            Weak("with a batch of one image",
                 lambda kind: directional(conv(kind), picture(1, 6, 6, 2), parameter="b")),
            train_classifier, "conv"),
    Mistake("mean-forgotten", BatchNorm, wrong.MeanForgotten, norm, IMAGES, X,
            Weak("of a large batch, with a tolerance of one percent",
                 lambda kind: directional(norm(kind), picture(32, 32, 32, 2)), 1e-2),
            train_classifier, "norm"),
    Mistake("variance-forgotten", BatchNorm, wrong.VarianceForgotten, norm, IMAGES, X,
            Weak("with dy all ones", lambda kind: ones(norm(kind), picture(*IMAGES))),
            train_classifier, "norm"),
    Mistake("moments-as-constants", BatchNorm, wrong.MomentsTakenAsConstants, norm, IMAGES, X,
            Weak("in inference, where the moments are constants",
                 lambda kind: directional(norm(kind), picture(*IMAGES), Run(train=False))),
            train_classifier, "norm"),
    Mistake("mask-not-rescaled", Dropout, wrong.MaskNotRescaled, lambda kind: kind(0.6), FEATURES, X,
            Weak("of the direction alone: the cosine between the gradient and the one by differences",
                 lambda kind: only_the_direction(kind(0.6), picture(*FEATURES))),
            train_classifier, "dropout"),
    Mistake("mask-drawn-anew", Dropout, wrong.MaskDrawnAnew, lambda kind: kind(0.6), FEATURES, X,
            Weak("of the mean over many masks, since one mask is random, with a tolerance of ten percent",
                 lambda kind: only_in_the_mean(kind(0.6), picture(*FEATURES)), 0.1),
            train_classifier, "dropout"),
    Mistake("ties-doubled", MaxPool, wrong.TiesDoubled, lambda kind: kind(2), (1, 4, 6, 1), X,
            Weak("with random numbers, of which no two are equal: the engine's own `check`", worst_of_check),
            train_classifier, "pool", tied=True),
    Mistake("sign-of-the-gradient", ReLU, wrong.SignOfTheGradient, lambda kind: kind(), FEATURES, X,
            Weak("with pixels, which are positive, and dy all ones",
                 lambda kind: directional(kind(), picture(*FEATURES, low=0.0), dy=np.ones(FEATURES))),
            train_classifier, "relu"),
    Mistake("slope-forgotten", Sigmoid, wrong.SlopeForgotten, lambda kind: kind(), FEATURES, X,
            Weak("of the direction alone, at the small inputs that a network starts with",
                 lambda kind: only_the_direction(kind(), 0.1 * picture(*FEATURES)), 1e-2),
            train_regression, "sigmoid"),
    Mistake("entropy-not-divided", softmax_cross_entropy_with_logits, others.entropy_not_divided, entropy, (4, 4), X,
            Weak("with a batch of one image",
                 lambda kind: directional(entropy(kind, images=1), picture(1, 4))),
            train_classifier, "loss"),
    Mistake("second-term-forgotten", dice, others.dice_without_the_second_term, overlap, (1, 8, 8), X,
            Weak("of one fixed entry, a pixel of a small lesion that is not found yet, with a tolerance of one percent",
                 lambda kind: only_one_entry(overlap(kind, 64), 1e-3 + 5e-4 * picture(1, 64, 64), "x", (0, 1, 1)),
                 1e-2),
            train_segmenter, "loss", span=(0.1, 0.9)),
    Mistake("shortcut-forgotten", Skip, others.ShortcutForgotten, skip, IMAGES, X,
            Weak("of the parameters alone",
                 lambda kind: directional(skip(kind), picture(*IMAGES), parameter="fork.0.W")),
            train_segmenter, "skip"),
)
