"""Whole networks on arrays that stand in for a GPU's: the same results and gradients, through the CUDA kernels."""
import numpy as np
import pytest

from engine.kernels.cuda import on_cpu
from engine.kernels.cuda.arrays import EmulatedArray, emulated
from engine.layer import Run
from models.unet import unet
from models.vgg import vgg

NETWORKS = {
    "vgg": (lambda: vgg(32, 2, width=1 / 32, bias=0.1, rng=np.random.default_rng(4), dtype="float64"), (2, 32, 32, 2)),
    "unet": (lambda: unet(1, 2, 2, rng=np.random.default_rng(4), dtype="float64"), (2, 8, 12, 1)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_and_its_gradients(name, monkeypatch):
    make, shape = NETWORKS[name]
    launched, run = set(), on_cpu.run
    monkeypatch.setattr(on_cpu, "run", lambda signature, *rest: (launched.add(signature.name), run(signature, *rest)))
    here, twin, rng = make(), make(), np.random.default_rng(5)
    twin.convert(emulated)
    x = rng.normal(size=shape)
    (y, saved), (twins_y, twins_saved) = here.forward(x, Run()), twin.forward(emulated(x), Run())
    dy = rng.normal(size=y.shape)
    (dx, gradients), (twins_dx, twins_gradients) = here.backward(dy, saved), twin.backward(emulated(dy), twins_saved)
    for result, right in ((twins_y, y), (twins_dx, dx),
                          *((twins_gradients[path], gradients[path]) for path in gradients)):
        assert isinstance(result, EmulatedArray)
        np.testing.assert_allclose(np.asarray(result), right, rtol=0, atol=1e-10 * max(1, np.abs(right).max()))
    assert {"convolution.correlate<double, true>", "activations.relu_gradient<double>"} <= launched
