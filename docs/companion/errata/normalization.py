"""Errata 6 and 7: batch normalization's root and averages, and the name of dropout's output."""
from __future__ import annotations

import numpy as np
from numpy.random import Generator

from companion.errata.erratum import Erratum, Form, Outcome
from engine.layer import Run
from engine.layers import BatchNorm, Dropout

EPSILON = 1e-5


def bare_root(o: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    return (o - mean) / np.sqrt(variance)


def root_with_epsilon(o: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    return (o - mean) / np.sqrt(variance + EPSILON)


def takes_a_dead_channel(form: Form, rng: Generator) -> Outcome:
    """100 samples of two channels: one of random numbers, one that a ReLU has set to 0 in every sample."""
    o = np.column_stack([rng.normal(2, 3, 100), np.zeros(100)])
    with np.errstate(invalid="ignore"):
        normalized = form(o, o.mean(axis=0), o.var(axis=0))
    finite = int(np.isfinite(normalized[:, 1]).sum())
    off = abs(float(normalized[:, 0].var()) - 1)
    return Outcome(off if finite == 100 else np.nan, 1e-3, f"of the dead channel's 100 numbers {finite} are finite; "
                   f"the other's variance is {normalized[:, 0].var():.6f}")


def by_the_averages() -> BatchNorm:
    return BatchNorm(3, statistics="moving", dtype="float64")


def by_the_batch() -> BatchNorm:
    return BatchNorm(3, statistics="batch", dtype="float64")


def normalizes_the_first_batch(form: Form, rng: Generator) -> Outcome:
    """A new layer in training, on 200 samples with mean 3 and deviation 2."""
    normalized, _ = form().forward(rng.normal(3, 2, (200, 3)), Run(train=True, record=False))
    means, variances = normalized.mean(axis=0), normalized.var(axis=0)
    off = float(np.abs(np.concatenate([means, variances - 1])).max())
    return Outcome(off, 1e-3, f"means {_three(means)}, variances {_three(variances)}")


def one_name_for_both(o: np.ndarray, run: Run) -> dict[str, np.ndarray]:
    names = {}
    names["o_BN"] = BatchNorm(o.shape[1], dtype="float64").forward(o, run)[0]
    names["o_BN"] = Dropout(0.5).forward(o, run)[0]
    return names


def a_name_each(o: np.ndarray, run: Run) -> dict[str, np.ndarray]:
    names = {}
    names["o_BN"] = BatchNorm(o.shape[1], dtype="float64").forward(o, run)[0]
    names["o_dropout"] = Dropout(0.5).forward(o, run)[0]
    return names


def keeps_the_norm(form: Form, rng: Generator) -> Outcome:
    """200 samples of three features with mean 3 and deviation 2, through batch norm and through dropout."""
    o = rng.normal(3, 2, (200, 3))
    found = form(o, Run())["o_BN"]
    means, variances = found.mean(axis=0), found.var(axis=0)
    off = float(np.abs(np.concatenate([means, variances - 1])).max())
    return Outcome(off, 1e-3, f"what is called $o_{{BN}}$ has the means {_three(means)}, the variances "
                   f"{_three(variances)}")


def _three(numbers: np.ndarray) -> str:
    """Three numbers, without the sign of a 0."""
    return ", ".join(f"{number + 0:.3f}" for number in np.round(numbers, 3))


ERRATA = (
    Erratum(6, "(3.33)", r"$\hat o = (o - \hat E) \,/\, \sqrt{\widehat{\mathrm{Var}}}$",
            r"$\hat o = (o - \hat E) \,/\, \sqrt{\widehat{\mathrm{Var}} + \varepsilon}$, here with "
            r"$\varepsilon = 10^{-5}$",
            "Of a channel that is 0 in every sample all normalized numbers must be finite, and any other channel must "
            "keep the variance 1 to 1e-3.", bare_root, root_with_epsilon, takes_a_dead_channel, part="a"),
    Erratum(6, "(3.33) to (3.35)", "in training, too, a batch is normalized by the moving averages",
            "in training by the batch's own mean and variance; the averages are for inference. (The engine has both, "
            "as `statistics=\"moving\"` and `\"batch\"`; the printed form can be trained, but its averages lag.)",
            "The first batch of a training must come out with mean 0 and variance 1, to 1e-3.",
            by_the_averages, by_the_batch, normalizes_the_first_batch, part="b"),
    Erratum(7, "3.1.5", r"$o_{BN} = o / p_{keep}$ if $u < p_{keep}$, else 0",
            r"the same with a name of its own: $o_{BN}$ is batch normalization's output",
            "In a network with both, what is called $o_{BN}$ must be what (3.33) to (3.36) make of it: with $c_1 = 1$ "
            "and $c_2 = 0$ mean 0 and variance 1, to 1e-3.", one_name_for_both, a_name_each, keeps_the_norm),
)
