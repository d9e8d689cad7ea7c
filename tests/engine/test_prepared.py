"""A prepared network gives the same answers, keeps what it says, and cannot be out of date."""
import numpy as np
import pytest

from engine.kernels.cpu import use_threads, winograd
from engine.kernels.cpu.kept import KeptKernel
from engine.layer import Run
from engine.optimizers import Adam
from engine.prepared import kept_bytes, prepared
from engine.training import gradients, train
from models.predict import predict
from models.saliency import saliency
from models.unet import unet
from models.vgg import vgg

INFERENCE = Run(train=False, record=False)


def a_vgg(dtype="float32", **options):
    return vgg(64, width=1 / 2, rng=np.random.default_rng(1), dtype=dtype, **options)


def a_unet(dtype="float32", **options):
    return unet(1, 32, 2, rng=np.random.default_rng(2), dtype=dtype, **options)


def images(dtype="float32", count=1):
    return np.random.default_rng(3).random((count, 64, 64, 1)).astype(dtype)


@pytest.fixture
def transforms(monkeypatch):
    """The shapes of the kernels whose transforms were kept."""
    seen, original = [], winograd.transformed_kernel

    def transformed_kernel(kernel):
        seen.append(kernel.shape)
        return original(kernel)

    monkeypatch.setattr(winograd, "transformed_kernel", transformed_kernel)
    return seen


@pytest.mark.parametrize("build", [a_vgg, a_unet])
def test_the_same_answers_and_no_kernel_is_transformed_twice(build, transforms):
    network, x = build("float64"), images("float64")
    with prepared(network) as ready:
        assert kept_bytes(ready) == 0, "nothing is kept before it is needed"
        for image in (x, 1 - x, x):
            expected = network.forward(image, INFERENCE)[0]
            np.testing.assert_allclose(ready.forward(image, INFERENCE)[0], expected, rtol=0, atol=1e-11)
        used = [array for array in ready.parameters().values() if isinstance(array, KeptKernel) and array.kept_bytes]
        assert len(transforms) == len(used) > 2
    network.forward(x, INFERENCE)
    assert len(transforms) == len(used), "at the end everything is as it was"


def test_float32_answers_differ_by_rounding_only():
    network, x = a_vgg(), images(count=2)
    with prepared(network) as ready:
        for _ in range(2):
            np.testing.assert_allclose(predict(ready, x)[1], predict(network, x)[1], rtol=0, atol=1e-5)


def test_what_is_kept_is_four_times_the_kernels_that_winograds_method_takes():
    network, x = a_vgg(), images(count=8)
    with prepared(network) as ready:
        predict(ready, x)
        used = [array for array in ready.parameters().values() if isinstance(array, KeptKernel) and array.kept_bytes]
        assert len(used) > 5
        assert kept_bytes(ready) == 4 * sum(array.nbytes for array in used)
        held = ready
    assert kept_bytes(held) == 0, "dropped, even if somebody still holds the prepared network"


def test_weights_that_would_change_are_refused_and_can_change_again_afterwards():
    network, x = a_vgg(), images()
    optimizer = Adam(network.parameters())
    before = {path: array.copy() for path, array in network.parameters().items()}
    y = predict(network, x)[1]
    with prepared(network) as ready:
        predict(ready, x)
        with pytest.raises(ValueError, match="read-only"):
            network["stage_2.conv_a"].params["W"][...] = 0
        with pytest.raises(ValueError, match="read-only"):
            optimizer.step(before, 0.1)
        for path, array in network.parameters().items():
            if array.ndim == 4:
                assert (array == before[path]).all()
    assert all(array.flags.writeable for array in network.parameters().values())
    optimizer.step(before, 0.1)
    with prepared(network) as ready:
        np.testing.assert_allclose(predict(ready, x)[1], predict(network, x)[1], rtol=0, atol=1e-5)
        assert np.abs(predict(ready, x)[1] - y).max() > 1e-2, "of the new weights"


def test_an_error_lets_go_and_blocks_may_lie_inside_each_other():
    network, x = a_vgg(), images()
    kernel = network["stage_1.conv_b"].params["W"]
    with prepared(network) as ready:
        y = predict(ready, x)[1].tobytes()
    with pytest.raises(KeyError, match="no layer 'nowhere'"), prepared(network) as ready:
        ready["nowhere"]
    assert kernel.flags.writeable
    with prepared(network) as outer:
        with prepared(network) as inner, prepared(outer) as twice:
            assert predict(inner, x)[1].tobytes() == predict(outer, x)[1].tobytes() == y
            assert predict(twice, x)[1].tobytes() == y
        assert not kernel.flags.writeable
        assert predict(outer, x)[1].tobytes() == y
    assert kernel.flags.writeable


def test_a_kernel_that_was_read_only_stays_so():
    network = a_vgg()
    network["stage_1.conv_b"].params["W"].flags.writeable = False
    with prepared(network) as ready:
        predict(ready, images())
    assert not network["stage_1.conv_b"].params["W"].flags.writeable


def test_the_network_itself_is_not_touched():
    network = a_vgg()
    arrays, layer = network.parameters(), network["stage_3.conv_b"]
    with prepared(network) as ready:
        assert all(array is arrays[path] for path, array in network.parameters().items())
        assert ready["stage_3.conv_b"] is not layer is network["stage_3.conv_b"]
        assert type(ready) is type(network) and list(ready.parameters()) == list(arrays)
        assert all(np.shares_memory(array, arrays[path]) for path, array in ready.parameters().items())
        assert all(array is network.moving_averages()[path] for path, array in ready.moving_averages().items())


@pytest.mark.parametrize("build", [a_vgg, a_unet])
@pytest.mark.parametrize("recompute", [False, True])
def test_gradients_through_a_prepared_network_are_the_networks(build, recompute):
    """A rotated kernel is another one, whose transform is not the kept one's."""
    network, x = build("float64", recompute=recompute), images("float64", count=2)
    run = Run(train=False, record=True)

    def pass_through(layer):
        y, saved = layer.forward(x, run)
        dx, grads = layer.backward(np.ones_like(y), saved)
        return [dx, *(grads[path] for path in network.parameters())]

    with prepared(network) as ready:
        predict(ready, x)
        for ours, right in zip(pass_through(ready), pass_through(network), strict=True):
            np.testing.assert_allclose(ours, right, rtol=0, atol=1e-9 * max(1, np.abs(right).max()))


def test_a_picture_of_saliency_is_the_networks():
    network, x = a_vgg("float64"), images("float64")
    with prepared(network) as ready:
        right = saliency(network, x, [1])
        np.testing.assert_allclose(saliency(ready, x, [1]), right, rtol=0, atol=1e-9 * np.abs(right).max())


def test_the_bits_do_not_depend_on_the_number_of_threads(threads_restored):
    network, x, bits = a_unet(), images(count=3), set()
    for count in (1, 2, 5):
        use_threads(count)
        with prepared(network) as ready:
            bits |= {predict(ready, x)[1].tobytes() for _ in range(2)}
    assert len(bits) == 1


def test_training_goes_on_between_two_evaluations():
    """As without any: nothing of a block is left behind."""
    def trained(evaluate):
        network = a_vgg(keep_probability=1.0)
        batches = [(images(count=2), np.eye(3, dtype="float32")[:2])] * 3
        for _ in train(network, loss, Adam(network.parameters()), batches, 1e-3, seed=0):
            evaluate(network)
        return [array.tobytes() for array in network.parameters().values()]

    def loss(y, target):
        return ((y - target) ** 2).sum(), 2 * (y - target)

    def evaluate(network):
        with prepared(network) as ready:
            np.testing.assert_allclose(predict(ready, images())[1], predict(network, images())[1], rtol=0, atol=1e-5)

    assert trained(evaluate) == trained(lambda network: None)


def test_gradients_may_be_taken_while_the_weights_are_held():
    network = a_vgg(keep_probability=1.0)
    target = np.eye(3, dtype="float32")[:2]
    with prepared(network):
        _, grads = gradients(network, lambda y, t: (((y - t) ** 2).sum(), 2 * (y - t)), images(count=2), target, Run())
    assert grads.keys() >= network.parameters().keys()
