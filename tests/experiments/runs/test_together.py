"""The steps of several ranks, here threads, on arrays that are not NumPy's."""
import types

import array_api_strict as strict
import numpy as np

from engine.layers import Dense
from engine.losses import least_squares
from engine.optimizers import Adam
from experiments.runs.together import Training
from experiments.system.agreement import Agreement


class Batches:
    def rows(self, step, rows):
        rng = np.random.default_rng(step)
        return rng.random((5, 3))[rows], rng.random((5, 2))[rows]


def test_every_rank_puts_its_rows_where_the_network_is(on_ranks):
    configuration = types.SimpleNamespace(batch=5, rate=lambda step: 0.1, drawn_by=0, recompute=False)

    def work(ranks, place):
        network = Dense(3, 2, rng=np.random.default_rng(0), dtype="float64")
        network.convert(place)
        training = Training(network, least_squares, Adam(network.parameters()), Batches(), configuration, 0, 0, 3)
        steps = list(training.together(Agreement(ranks)))
        return [step.loss for step in steps], network.parameters()["W"]

    in_numpy = on_ranks(2, lambda ranks: work(ranks, np.asarray))
    for (losses, weights), (expected, _) in zip(on_ranks(2, lambda ranks: work(ranks, strict.asarray)), in_numpy,
                                                strict=True):
        assert isinstance(weights, type(strict.asarray(0)))
        assert len(losses) == 3 and np.allclose(losses, expected, rtol=1e-12, atol=0)
