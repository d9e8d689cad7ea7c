"""The protocol: paths, arrays copied in and converted, runs."""
import numpy as np
import pytest

from engine.combinators import Chain
from engine.layer import Layer, Run, assign
from engine.layers import BatchNorm, Conv2D, Dense

RNG = np.random.default_rng


def network(seed=0, dtype="float64"):
    rng = RNG(seed)
    return Chain(conv=Conv2D(2, 3, rng=rng, dtype=dtype), norm=BatchNorm(3, dtype=dtype),
                 head=Dense(32, 3, rng=rng, dtype=dtype))


def test_assign_copies_and_keeps_dtypes():
    net, other = network(dtype="float32"), network(seed=5)
    arrays = other.parameters() | other.moving_averages()
    own = net.parameters()
    assign(net, arrays)
    for path, array in (net.parameters() | net.moving_averages()).items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, arrays[path].astype("float32"))
        assert not np.shares_memory(array, arrays[path])
    assert all(array is own[path] for path, array in net.parameters().items())


@pytest.mark.parametrize(("change", "message"), [
    (lambda arrays: arrays.pop("head.b"), r"'head.b' is absent in what was given and \(3,\) in the network"),
    (lambda arrays: arrays.update(extra=np.zeros(2)), r"'extra' is \(2,\) in what was given and absent in the network"),
    (lambda arrays: arrays.update({"head.b": np.zeros(4)}), r"'head.b' is \(4,\) in what was given and \(3,\) in the"),
])
def test_assign_refuses_other_networks_before_it_writes(change, message):
    net, arrays = network(), network(seed=5).parameters() | network(seed=5).moving_averages()
    change(arrays)
    before = {path: array.copy() for path, array in net.parameters().items()}
    with pytest.raises(ValueError, match=message):
        assign(net, arrays)
    np.testing.assert_equal(net.parameters(), before)


def test_convert_replaces_every_parameter_and_average():
    net = network()
    net.convert(lambda array: array.astype("float32"))
    arrays = net.parameters() | net.moving_averages()
    assert len(arrays) == 8
    assert {str(array.dtype) for array in arrays.values()} == {"float32"}


def test_run_is_frozen_and_its_numbers_are_the_seeds():
    run = Run()
    with pytest.raises(AttributeError):
        run.train = False
    like = np.zeros((2, 3))
    assert run.child(2).child(0) == Run(seed=(0, 2, 0))
    np.testing.assert_array_equal(run.uniform(like), run.uniform(like))
    assert (run.uniform(like) != run.child(1).uniform(like)).all()
    assert run.uniform(like).dtype == np.float32
    drawn = [[0x3D4022, 0xDB7717, 0xCFC5D0], [0xE6DD98, 0x92ADE7, 0xED768F]]  # a run begun yesterday goes on with these
    np.testing.assert_array_equal(Run(seed=(3, 1)).uniform(like) * 2**24, drawn)


def test_a_layer_without_forward_or_backward_says_so():
    for call in (lambda: Layer().forward(None, Run()), lambda: Layer().backward(None, None)):
        with pytest.raises(NotImplementedError):
            call()
