"""Whole networks on arrays that stand in for a GPU's: results, gradients, training and checkpoints, as on NumPy's."""
import numpy as np
import pytest

from engine.checkpoint import load_checkpoint, restore, save_checkpoint, to_numpy
from engine.kernels.cuda.arrays import EmulatedArray, emulated
from engine.kernels.cuda.on_cpu import emulating
from engine.layer import Run
from engine.losses import binary_cross_entropy_with_logits, dice, from_logits
from engine.optimizers import Adam
from engine.training import train
from models.unet import unet
from models.vgg import vgg

SIDE, RATE = 32, 1e-3
NETWORKS = {
    "vgg": (lambda rng, dtype: vgg(SIDE, 2, width=1 / 32, bias=0.1, rng=rng, dtype=dtype), (3, SIDE, SIDE, 2)),
    "vgg, recomputing": (lambda rng, dtype: vgg(SIDE, 2, width=1 / 32, bias=0.1, rng=rng, dtype=dtype, recompute=True),
                         (3, SIDE, SIDE, 2)),
    "unet": (lambda rng, dtype: unet(2, 2, 3, bias=0.1, rng=rng, dtype=dtype), (3, SIDE, SIDE, 2)),
    "unet, recomputing": (lambda rng, dtype: unet(2, 2, 3, bias=0.1, rng=rng, dtype=dtype, recompute=True),
                          (3, SIDE, SIDE, 2)),
}
LOSSES = {name: binary_cross_entropy_with_logits if "vgg" in name else from_logits(dice) for name in NETWORKS}
TARGETS = {name: (3, 3) if "vgg" in name else (3, SIDE, SIDE, 1) for name in NETWORKS}

here = np.asarray  # where the arrays are: beside `emulated`


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


def network(name, place, dtype="float64"):
    made = NETWORKS[name][0](np.random.default_rng(4), dtype)
    made.convert(place)
    return made


def passed(name, place, dtype):
    """y, dx and all gradients, by name."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=NETWORKS[name][1]).astype(dtype)
    y, saved = network(name, place, dtype).forward(place(x), Run())
    dx, gradients = network(name, place, dtype).backward(place(rng.normal(size=y.shape).astype(dtype)), saved)
    return {"y": y, "x": dx, **gradients}


def begun(name, place, dtype="float64"):
    """A network and its optimizer."""
    made = network(name, place, dtype)
    return made, Adam(made.parameters())


def go_on(name, place, run, steps):
    """Trains on by so many steps; the losses."""
    made, optimizer = run

    def batches():
        for number in range(optimizer.steps + 1, optimizer.steps + 1 + steps):
            rng = np.random.default_rng((6, number))
            x, target = rng.normal(size=NETWORKS[name][1]), rng.integers(0, 2, TARGETS[name])
            yield number, tuple(place(array.astype(next(iter(made.parameters().values())).dtype))
                                for array in (x, target))

    return [step.loss for step in train(made, LOSSES[name], optimizer, batches(), RATE, seed=7)]


def state(run):
    made, optimizer = run
    return made.parameters() | made.moving_averages() | optimizer.state()


def expect_close(results, right, tolerance):
    assert results.keys() == right.keys()
    for path, array in right.items():
        np.testing.assert_allclose(np.asarray(results[path]), array, rtol=0, err_msg=path,
                                   atol=tolerance * max(1, np.abs(array).max()))


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-3)])
def test_a_network_and_its_gradients(name, dtype, tolerance):
    with emulating() as launched:
        results = passed(name, emulated, dtype)
    assert all(isinstance(result, EmulatedArray) and result.dtype == dtype for result in results.values())
    expect_close(results, passed(name, here, "float64"), tolerance)
    assert {kernel.split(".")[0].split("_")[0] for kernel in launched} >= {"convolution", "activations"}


def test_last_gradients_are_those_of_backward_with_fewer_kernels(name):
    """Without dx of the first convolution. To the bit."""
    made, rng = network(name, emulated, "float32"), np.random.default_rng(5)
    y, saved = made.forward(emulated(rng.normal(size=NETWORKS[name][1]).astype("float32")), Run())
    dy = emulated(rng.normal(size=y.shape).astype("float32"))
    with emulating() as of_backward:
        grads = made.backward(dy, saved)[1]
    with emulating() as of_last:
        last = made.last_gradients(dy, saved)
    assert {path: np.asarray(g).tobytes() for path, g in last.items()} == {
        path: np.asarray(g).tobytes() for path, g in grads.items()}
    assert all(isinstance(g, EmulatedArray) for g in last.values())
    assert of_last.total() < of_backward.total() and of_last <= of_backward


def test_training_takes_the_same_steps_as_on_numpy(name):
    """To rounding: Adam divides by |G| + 1e-8, which makes 1e-16 of a gradient up to 1e-8 of a step."""
    there, numpys = begun(name, emulated), begun(name, here)
    losses, right = go_on(name, emulated, there, 2), go_on(name, here, numpys, 2)
    np.testing.assert_allclose(losses, right, rtol=1e-10)
    expect_close(state(there), state(numpys), 1e-5 * RATE)


def test_the_same_seed_gives_the_same_bits_in_whatever_order_the_threads_run(name):
    runs = []
    for order in ("ascending", "shuffled"):
        with emulating(order, seed=1):
            runs.append(begun(name, emulated, "float32"))
            go_on(name, emulated, runs[-1], 1)
    first, second = map(state, runs)
    assert all(np.asarray(first[path]).tobytes() == np.asarray(second[path]).tobytes() for path in first)


@pytest.mark.parametrize(("first", "then"), [(emulated, here), (here, emulated)], ids=["to NumPy", "from NumPy"])
def test_a_run_begun_on_one_goes_on_on_the_other(name, first, then, tmp_path):
    begins = begun(name, first)
    go_on(name, first, begins, 1)
    save_checkpoint(tmp_path / "run", *begins, 1, {})
    goes_on = begun(name, then)
    restore(load_checkpoint(tmp_path / "run"), *goes_on)
    assert all(np.array_equal(np.asarray(array), np.asarray(state(begins)[path]))
               for path, array in state(goes_on).items())
    go_on(name, then, goes_on, 1)
    whole = begun(name, here)
    go_on(name, here, whole, 2)
    expect_close(state(goes_on), state(whole), 1e-5 * RATE)


def test_what_is_written_are_numpys_own_arrays():
    assert type(to_numpy(emulated(np.ones(2)))) is np.ndarray
