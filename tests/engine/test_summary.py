"""A network as a table: what is counted and measured there is what the engine really does."""
import numpy as np
import pytest

from engine.combinators import Chain, Fork, Merge, Recompute, Skip, SlicedRecompute
from engine.layer import Run, parameter_count
from engine.layers import BatchNorm, Conv2D, Dense, Flatten, MaxPool, ReLU, TransposedConv2D, Upsample
from engine.memory import kept_bytes
from engine.summary import Row, summary
from models.mlp import mlp
from models.unet import unet
from models.vgg import vgg

RNG = np.random.default_rng


def kept(network, shape):
    """The bytes that backward is handed more for three samples than for two."""
    bytes_of = []
    for batch in (2, 3):
        x = np.zeros((batch, *shape), np.float32)
        bytes_of.append(kept_bytes(network.forward(x, Run())[1], network))
    return bytes_of[1] - bytes_of[0]


def test_a_table_by_hand():
    network = Chain(conv=Conv2D(1, 2, 3, padding="VALID", activation=ReLU(), rng=RNG(0)), pool=MaxPool(2),
                    flat=Flatten(), dense=Dense(8, 3, rng=RNG(0)))
    table = summary(network, (6, 6, 1))
    assert table.rows == [
        Row("conv", "Conv2D(1, 2, 3x3, VALID, ReLU())", "(N, 4, 4, 2)", 20, 4 * 4 * 9 * 2, 4 * (36 + 32)),
        Row("pool", "MaxPool(2x2)", "(N, 2, 2, 2)", 0, 0, 8),
        Row("flat", "Flatten()", "(N, 8)", 0, 0, 0),
        Row("dense", "Dense(8, 3)", "(N, 3)", 27, 24, 4 * 8)]
    assert table.total == Row("total", "Chain", "(N, 3)", 47, 312, 272 + 8 + 32)
    assert str(table).splitlines() == [
        "path   layer                             output        parameters  multiplications  kept",
        "-" * 88,
        "conv   Conv2D(1, 2, 3x3, VALID, ReLU())  (N, 4, 4, 2)          20              288   272",
        "pool   MaxPool(2x2)                      (N, 2, 2, 2)           0                0     8",
        "flat   Flatten()                         (N, 8)                 0                0     0",
        "dense  Dense(8, 3)                       (N, 3)                27               24    32",
        "-" * 88,
        "total  Chain                             (N, 3)                47              312   312"]


@pytest.mark.parametrize(("network", "shape"), [
    (vgg(32, 2, width=1 / 8, rng=RNG(0)), (32, 32, 2)),
    (vgg(64, width=1 / 8, rng=RNG(0), recompute=True), (64, 64, 1)),
    (unet(channels=2, depth=2, rng=RNG(0)), (8, 12, 1)),
    (unet(channels=2, depth=2, rng=RNG(0), recompute=True), (8, 12, 1)),
    (mlp((5, 4, 3), rng=RNG(0)), (5,)),
    (Dense(5, 4, ReLU(), rng=RNG(0)), (5,)),
    (Chain(Skip(MaxPool(2), Upsample(2)), Flatten(), BatchNorm(32)), (4, 4, 1)),
    (Chain(Fork(MaxPool(2)), SlicedRecompute(Merge(Upsample(2)), Conv2D(2, 2, rng=RNG(0)))), (4, 4, 1)),
    (Recompute(Recompute(Conv2D(1, 2, rng=RNG(0)), ReLU()), Flatten()), (4, 4, 1)),
])
def test_the_rows_add_up_to_what_the_engine_keeps_and_has(network, shape):
    table = summary(network, shape)
    assert sum(row.kept for row in table.rows) == table.total.kept == kept(network, shape)
    assert sum(row.parameters for row in table.rows) == table.total.parameters == parameter_count(network)
    assert all(row.kept >= 0 for row in table.rows)


def test_what_is_recomputed_keeps_its_input_alone():
    inner = Conv2D(1, 2, activation=ReLU(), rng=RNG(0)), Conv2D(2, 2, rng=RNG(0))
    rows = {row.path: row for row in summary(Chain(first=Recompute(*inner)), (4, 5, 1)).rows}
    assert {path: row.kept for path, row in rows.items()} == {"first": 4 * 20, "first.0": 0, "first.1": 0}
    assert rows["first"].layer == "Recompute(0, 1)" and rows["first.1"].multiplications == 20 * 9 * 4


def test_multiplications_are_those_of_the_formulas():
    """One for each product in the sum that the layer's docstring has, counted by ones in place of numbers."""
    for layer, shape in ((Conv2D(2, 3, (2, 3), (1, 2), "VALID", rng=RNG(0)), (5, 7, 2)),
                         (TransposedConv2D(2, 3, 3, 2, "VALID", rng=RNG(0)), (4, 5, 2)),
                         (Dense(4, 3, rng=RNG(0)), (4,))):
        layer.params["W"][...] = 1
        ones = np.ones((1, *shape), np.float32)
        assert summary(layer, shape).total.multiplications == layer.forward(ones, Run())[0].sum()


def test_what_the_network_does_not_take_is_refused():
    with pytest.raises(ValueError, match="dense_1: the input is"):
        summary(mlp((5, 3), rng=RNG(0)), (4,))
