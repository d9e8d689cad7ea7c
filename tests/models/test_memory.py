"""What a training step holds in memory at most, counted array by array."""
import tracemalloc

import numpy as np
import pytest

from engine.combinators import recompute as recomputing
from engine.kernels.cpu import use_threads
from engine.layer import Run
from engine.losses import binary_cross_entropy_with_logits
from engine.training import gradients
from models.unet import unet
from models.vgg import vgg

SIDE, BATCH = 128, 24


def peak_of_a_step(network, target):
    """Bytes of the arrays that a second step makes: work buffers are there from the first, parameters before."""
    x = np.random.default_rng(0).random((BATCH, SIDE, SIDE, 1), np.float32)
    for first in (True, False):
        if not first:
            tracemalloc.start(1)
        gradients(network, binary_cross_entropy_with_logits, x, target, Run())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize(("build", "outputs"), [(lambda **how: vgg(SIDE, width=0.25, **how), (3,)),
                                                (lambda **how: unet(channels=16, **how), (SIDE, SIDE, 1))],
                         ids=["vgg", "unet"])
def test_recomputing_halves_what_a_step_makes(build, outputs, monkeypatch, threads_restored):
    use_threads(1)  # another might make its work buffers only in the second step
    monkeypatch.setattr(recomputing, "PIXELS", 2 * SIDE**2)  # of 24 images what 4 are of 50
    target = np.zeros((BATCH, *outputs), np.float32)
    kept, recomputed = (peak_of_a_step(build(rng=np.random.default_rng(1), recompute=recompute), target)
                        for recompute in (False, True))
    assert recomputed < kept / 2
