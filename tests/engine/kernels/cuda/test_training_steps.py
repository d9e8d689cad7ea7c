"""Training on arrays that stand in for a GPU's ends where NumPy's does."""
import numpy as np
import pytest

from engine.combinators import Chain, Skip
from engine.kernels.cuda.arrays import EmulatedArray, emulated
from engine.layers import Conv2D, Dropout, MaxPool, PooledNorm, ReLU, Upsample
from engine.losses import binary_cross_entropy_with_logits, dice, from_logits, sensitivity_specificity
from engine.optimizers import Adam
from engine.training import train


def detector():
    """A small one with everything that training launches."""
    rng = np.random.default_rng(6)
    inner = Chain(norm=PooledNorm(4, dtype="float64"), drop=Dropout(0.7), conv=Conv2D(4, 4, rng=rng, dtype="float64"),
                  up=Upsample(2))
    return Chain(conv=Conv2D(1, 4, activation=ReLU(), rng=rng, dtype="float64"), skip=Skip(inner),
                 last=Conv2D(8, 1, 1, rng=rng, dtype="float64"), pool=MaxPool(2))


@pytest.mark.parametrize("loss", [binary_cross_entropy_with_logits, from_logits(dice),
                                  from_logits(sensitivity_specificity)], ids=["cross entropy", "dice", "overlap"])
def test_steps_of_training_are_numpys(loss):
    """Dropout's masks included: they are the same, to the bit."""
    rng = np.random.default_rng(7)
    batches = [(rng.normal(size=(2, 6, 8, 1)), np.round(rng.random((2, 3, 4, 1)))) for _ in range(3)]
    networks = detector(), detector()
    networks[1].convert(emulated)
    losses = [[step.loss for step in train(network, loss, Adam(network.parameters()),
                                           [(move(x), move(target)) for x, target in batches], 0.01, seed=1)]
              for network, move in zip(networks, (np.asarray, emulated), strict=True)]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-9)
    for (path, array), twin in zip(networks[0].parameters().items(), networks[1].parameters().values(), strict=True):
        assert isinstance(twin, EmulatedArray)
        np.testing.assert_allclose(np.asarray(twin), array, rtol=0, atol=1e-7, err_msg=path)
