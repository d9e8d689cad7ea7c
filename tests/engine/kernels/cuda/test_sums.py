"""What agreement with the definition does not show: digits far from zero, one order of sums, few launches, all bits."""
import numpy as np
import pytest

from engine.kernels import (
    batch_moments,
    channel_sums,
    error_sums,
    gradient_sums,
    logistic_loss,
    overlap_sums,
    relu_gradient,
    softmax_loss,
)
from engine.kernels.cuda import on_cpu
from engine.kernels.cuda.arrays import emulated
from engine.kernels.cuda.channels import parts_of
from engine.kernels.cuda.on_cpu import emulating
from engine.layer import Run
from engine.optimizers import Adam

RNG = np.random.default_rng
SHAPE = (2, 500, 9)
SUMS = {"channel_sums": (channel_sums, 1), "batch_moments": (batch_moments, 1), "relu_gradient": (relu_gradient, 2),
        "gradient_sums": (lambda dy, x: gradient_sums(dy, x, x.mean((0, 1))), 2), "overlap_sums": (overlap_sums, 2),
        "error_sums": (error_sums, 2), "softmax_loss": (softmax_loss, 2),
        "logistic_loss": (lambda z, y: logistic_loss(z, y, 1.0), 2)}


@pytest.mark.parametrize("name", SUMS)
def test_a_sum_has_the_same_bits_in_every_order_of_threads(name):
    function, count = SUMS[name]
    arrays, bits = emulated(list(RNG(1).random((count, *SHAPE)).astype("float32"))), set()
    assert parts_of(arrays[0]).parts > 1
    for order in ("ascending", "descending", "shuffled"):
        with emulating(order, seed=7):
            results = function(*arrays)
        results = results if isinstance(results, tuple) else [results]
        bits.add(b"".join(np.asarray(each).tobytes() for each in results))
    assert len(bits) == 1


def test_moments_keep_their_digits_far_from_zero():
    x = (1000 + RNG(5).normal(size=(3, 4500, 3))).astype("float32")
    x[:, ::1000] = 0.5  # outliers, the first number of a thread among them
    mean, variance = batch_moments(emulated(x))
    exact = x.astype("float64")
    np.testing.assert_allclose(mean, exact.mean((0, 1)), rtol=6e-8)  # half of the last digit
    np.testing.assert_allclose(variance, exact.var((0, 1)), rtol=1e-6)


def test_moments_of_nothing_are_no_numbers():
    assert np.isnan(batch_moments(emulated(np.zeros((0, 2, 3))))).all()


def test_sums_of_many_numbers_keep_their_digits():
    x = RNG(6).random((60000, 2)).astype("float32")
    np.testing.assert_allclose(channel_sums(emulated(x)), x.astype("float64").sum(0), rtol=1e-6)


@pytest.mark.parametrize("settings", [{}, {"clip_norm": 0.1, "weight_decay": 0.01}])
def test_a_step_of_adam_is_one_launch_for_all_parameters(settings, monkeypatch):
    launched, run, rng = [], on_cpu.run, RNG(2)
    monkeypatch.setattr(on_cpu, "run", lambda kernel, *rest: (launched.append(kernel.name), run(kernel, *rest)))
    here = {name: rng.normal(size=shape) for name, shape in (("W", (30, 50)), ("b", (50,)), ("c1", (1,)))}
    there = {name: emulated(np.array(array)) for name, array in here.items()}
    optimizers = Adam(here, **settings), Adam(there, **settings)
    for _ in range(2):
        gradients = {name: rng.normal(size=array.shape) for name, array in here.items()}
        optimizers[0].step(gradients, 0.01)
        optimizers[1].step({name: emulated(array) for name, array in gradients.items()}, 0.01)
    assert launched == ["adam.adam_update_all<double, 1024>"] * 2
    for name in here:
        np.testing.assert_allclose(np.asarray(there[name]), here[name], rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(), (1,), (7,), (8,), (3, 5, 11), (4, 600)])
@pytest.mark.parametrize("seed", [(0,), (3, 1), (2**70, 0, 5)])
def test_random_numbers_are_numpys_to_the_bit_and_not_drawn_on_the_host(shape, seed, monkeypatch):
    right = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed))).random(shape, np.float32)
    monkeypatch.delattr(np.random, "Generator")
    drawn = Run(seed=seed).uniform(emulated(np.zeros(shape)))
    assert drawn.dtype == np.float32 and np.asarray(drawn).tobytes() == np.asarray(right, np.float32).tobytes()
