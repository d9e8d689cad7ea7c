"""The three topologies: sizes, shapes, where the shortcut is taken, and the MLP against Algorithms 1 and 2 in loops."""
from itertools import pairwise

import numpy as np
import pytest

from engine.initializers import xavier_normal, xavier_uniform
from engine.layer import Run, parameter_count
from engine.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, PooledNorm, Tanh, Upsample
from engine.observing import observe
from models.mlp import mlp
from models.predict import predict
from models.unet import unet
from models.vgg import vgg

RNG = np.random.default_rng


def small_vgg(*arguments, **named):
    return vgg(*arguments, width=1 / 32, rng=RNG(0), **named)


def trace(network, x):
    """(path, layer, x, y) of every layer that has none inside, in the order of the pass."""
    seen = []
    observe(network, lambda *what: seen.append(what)).forward(x, Run(train=False))
    return seen


def test_the_thesiss_numbers_of_parameters():
    assert parameter_count(vgg(rng=RNG(0))) == 23_632_451
    assert parameter_count(unet(rng=RNG(0))) == 31_383_681


def test_the_order_of_the_vggs_layers():
    steps = trace(small_vgg(32), np.zeros((1, 32, 32, 1), "float32"))
    stages = [kind for convolutions in (2, 2, 3, 3, 3) for kind in [*[Conv2D] * convolutions, PooledNorm]]
    assert [type(layer) for _, layer, _, _ in steps] == [*stages, Flatten, Dense, Dropout, Dense, Dropout, Dense]
    assert [path for path, *_ in steps[:4]] == ["stage_1.conv_a", "stage_1.conv_b", "stage_1.norm", "stage_2.conv_a"]
    convolutions = [layer for _, layer, _, _ in steps if isinstance(layer, Conv2D)]
    assert all((layer.kernel_size, layer.stride, layer.padding) == ((3, 3), (1, 1), "SAME") for layer in convolutions)
    assert all(type(layer.activation).__name__ == "ReLU" for layer in convolutions)
    assert [type(layer.activation).__name__ for _, layer, _, _ in steps if isinstance(layer, Dense)] == [
        "ReLU", "ReLU", "NoneType"]


def test_the_vggs_channels_and_features():
    network = vgg(rng=RNG(0))
    assert [array.shape[-1] for path, array in network.parameters().items() if path.endswith(".W")] == [
        64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 512, 3]
    assert network.parameters()["dense_a.W"].shape == (8192, 1024)
    widened = vgg(32, width=1.5, rng=RNG(0))
    paths = ["stage_1.conv_a.W", "stage_5.conv_c.W", "dense_b.W", "dense_c.W"]
    assert [widened.parameters()[path].shape[-1] for path in paths] == [96, 768, 768, 3]


@pytest.mark.parametrize("side", [32, 64, 96, 160])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_vgg_at_every_side_that_32_divides(side, channels):
    network = small_vgg(side, channels, labels=4)
    x = RNG(1).random((2, side, side, channels), "float32")
    y, saved = network.forward(x, Run())
    dx, grads = network.backward(np.ones_like(y), saved)
    assert y.shape == (2, 4)
    assert dx.shape == x.shape
    assert grads.keys() == network.parameters().keys() | network.moving_averages().keys()


@pytest.mark.parametrize("side", [0, 16, 33, 100, -32])
def test_the_vgg_refuses_other_sides(side):
    with pytest.raises(ValueError, match=f"side is {side}; .* must be a multiple of 32"):
        small_vgg(side)


def test_the_narrowest_vgg_has_a_channel_everywhere():
    shapes = {array.shape[-1] for path, array in vgg(32, width=1e-3, rng=RNG(0)).parameters().items()}
    assert shapes == {1, 3}  # 3: the labels


@pytest.mark.parametrize("width", [0, -1, np.nan, np.inf])
def test_the_vgg_refuses_widths_that_are_none(width):
    with pytest.raises(ValueError, match=f"width is {width}; expected a number above 0"):
        vgg(32, width=width, rng=RNG(0))


@pytest.mark.parametrize("depth", [-1, 1.5])
def test_the_unet_refuses_depths_that_are_none(depth):
    with pytest.raises(ValueError, match=f"depth is {depth}; expected a whole number of at least 0"):
        unet(1, 2, depth, rng=RNG(0))


def test_the_vgg_refuses_images_of_another_side_or_number_of_channels():
    with pytest.raises(ValueError, match=r"the input is \(1, 64\); the layer expects \(N, 16\)"):
        small_vgg(32).forward(np.zeros((1, 64, 64, 1), "float32"), Run())
    with pytest.raises(ValueError, match=r"expects \(N, H, W, 2\)"):
        small_vgg(32, 2).forward(np.zeros((1, 32, 32, 1), "float32"), Run())


def test_the_options_of_the_vgg_reach_its_layers():
    network = small_vgg(32, keep_probability=0.9, statistics="moving", bias=0.25)
    seen = []
    for _, layer, _, _ in trace(network, np.zeros((1, 32, 32, 1), "float32")):
        seen.append(type(layer))
        if isinstance(layer, PooledNorm):
            assert layer.statistics == "moving"
        if isinstance(layer, Dropout):
            assert layer.keep_probability == 0.9
        if isinstance(layer, Conv2D | Dense):
            assert (layer.params["b"] == 0.25).all()
    assert {PooledNorm, Dropout, Conv2D, Dense} <= set(seen)
    assert all((array == 0).all() for path, array in small_vgg(32).parameters().items() if path.endswith(".b"))


def test_the_unets_layers_from_top_to_bottom_and_up_again():
    network = unet(1, 2, 2, rng=RNG(0))
    steps = trace(network, RNG(2).random((1, 8, 12, 1), "float32"))
    stack, down = [Conv2D, Conv2D, BatchNorm], [Conv2D, Conv2D, PooledNorm]
    assert [type(layer) for _, layer, _, _ in steps] == [
        *down, *down, *stack, Upsample, *stack, Upsample, *stack, Conv2D]
    assert [y.shape[1:] for _, layer, _, y in steps if isinstance(layer, Conv2D)] == [
        (8, 12, 2)] * 2 + [(4, 6, 4)] * 2 + [(2, 3, 8)] * 2 + [(4, 6, 4)] * 2 + [(8, 12, 2)] * 2 + [(8, 12, 1)]
    last = steps[-1][1]
    assert (last.kernel_size, last.activation) == ((1, 1), None)
    others = [layer for _, layer, _, _ in steps[:-1] if isinstance(layer, Conv2D)]
    assert all(layer.kernel_size == (3, 3) and type(layer.activation).__name__ == "ReLU" for layer in others)


def test_the_unets_shortcut_is_taken_before_batch_norm_and_comes_after_the_upsampled():
    network = unet(1, 2, 2, rng=RNG(0))
    for path, average in network.moving_averages().items():
        average[...] = RNG(3).uniform(0.5, 2, average.shape)  # batch norm must not be the identity here
        assert "norm" in path
    steps = trace(network, RNG(2).random((1, 8, 12, 1), "float32"))
    merges = 0
    for (_, before, _, up), (_, _, merged, _) in pairwise(steps):
        if isinstance(before, Upsample):
            merges += 1
            np.testing.assert_array_equal(merged[..., :up.shape[-1]], up)
            short = merged[..., up.shape[-1]:]
            sources = [(k, layer) for k, (_, layer, _, y) in enumerate(steps) if np.array_equal(y, short)]
            (k, source), = sources
            assert isinstance(source, Conv2D)
            assert isinstance(steps[k + 1][1], PooledNorm)
            np.testing.assert_array_equal(steps[k + 1][2], short)
    assert merges == 2


def test_the_unets_widths():
    shapes = {path: array.shape for path, array in unet(rng=RNG(0)).parameters().items() if path.endswith(".W")}
    assert sorted(shape[2:] for shape in shapes.values()) == sorted([
        (1, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512), (512, 1024),
        (1024, 1024), (1536, 512), (512, 512), (768, 256), (256, 256), (384, 128), (128, 128), (192, 64), (64, 64),
        (64, 1)])


@pytest.mark.parametrize(("channels", "depth", "shape"), [
    (2, 0, (1, 5, 7, 1)), (3, 1, (2, 6, 10, 2)), (2, 4, (1, 16, 32, 1))])
def test_the_unet_at_any_depth_and_width(channels, depth, shape):
    network = unet(shape[-1], channels, depth, rng=RNG(0))
    y, saved = network.forward(RNG(4).random(shape, "float32"), Run())
    assert y.shape == (*shape[:3], 1)
    dx, grads = network.backward(np.ones_like(y), saved)
    assert dx.shape == shape
    assert grads.keys() == network.parameters().keys() | network.moving_averages().keys()


def test_the_unet_refuses_sides_that_cannot_be_halved_as_often_as_it_does():
    with pytest.raises(ValueError, match="only the channels may differ"):
        unet(1, 2, 2, rng=RNG(0)).forward(np.zeros((1, 8, 10, 1), "float32"), Run())


@pytest.mark.parametrize(("network", "shape", "expected"), [
    (small_vgg(32), (3, 32, 32, 1), (3, 3)),
    (unet(1, 2, 2, rng=RNG(0)), (2, 8, 8, 1), (2, 8, 8, 1))], ids=["vgg", "unet"])
def test_predict_gives_probabilities_and_logits_of_inference(network, shape, expected):
    x = RNG(5).random(shape, "float32")
    probabilities, logits = predict(network, x)
    assert probabilities.shape == logits.shape == expected
    assert ((probabilities > 0) & (probabilities < 1)).all()
    np.testing.assert_allclose(probabilities, 1 / (1 + np.exp(-logits)), rtol=1e-6)
    np.testing.assert_array_equal(logits, network.forward(x, Run(train=False))[0])
    np.testing.assert_array_equal(logits, predict(network, x)[1])


def test_the_same_seed_gives_the_same_network_in_every_dtype():
    first, again, double = (small_vgg(32, dtype=dtype).parameters() for dtype in ("float32", "float32", "float64"))
    for path, array in first.items():
        np.testing.assert_array_equal(array, again[path])
        np.testing.assert_array_equal(array, double[path].astype("float32"))


@pytest.mark.parametrize("build", [lambda rng, recompute: vgg(64, 2, width=1 / 16, rng=rng, recompute=recompute),
                                   lambda rng, recompute: unet(2, 3, 3, rng=rng, recompute=recompute)],
                         ids=["vgg", "unet"])
@pytest.mark.parametrize("recompute", [False, True])
def test_kernels_are_drawn_in_the_order_of_the_paths(build, recompute):
    """So that a seed goes on giving the same first numbers, whatever the layers are made of."""
    rng = RNG(3)
    for path, array in build(RNG(3), recompute).parameters().items():
        if path.endswith(".W"):
            drawn = (xavier_normal if array.ndim == 4 else xavier_uniform)(rng, array.shape)
            np.testing.assert_array_equal(array, drawn, err_msg=path)


def test_the_paths_of_the_networks():
    paths = list(small_vgg(32).parameters())
    assert paths[:8] == ["stage_1.conv_a.W", "stage_1.conv_a.b", "stage_1.conv_b.W", "stage_1.conv_b.b",
                         "stage_1.norm.c1", "stage_1.norm.c2", "stage_2.conv_a.W", "stage_2.conv_a.b"]
    assert paths[-7:] == ["stage_5.norm.c2", "dense_a.W", "dense_a.b", "dense_b.W", "dense_b.b", "dense_c.W",
                          "dense_c.b"]
    assert [path for path in unet(1, 2, 1, rng=RNG(0)).parameters() if path.endswith(("W", "c1"))] == [
        "levels.down.conv_a.W", "levels.down.conv_b.W", "levels.skip.norm.c1", "levels.skip.below.stack.conv_a.W",
        "levels.skip.below.stack.conv_b.W", "levels.skip.below.norm.c1", "levels.up.conv_a.W", "levels.up.conv_b.W",
        "levels.norm.c1", "logits.W"]


def algorithm_1(weights, biases, x):
    """Forward propagation (3.3)-(3.7) of one sample, every sum written out: all outputs o_h, o_0 = x."""
    outputs = [list(x)]
    for h, (W, b) in enumerate(zip(weights, biases, strict=True)):
        below, layer = outputs[-1], []
        for j in range(len(b)):
            a = b[j]
            for i in range(len(below)):
                a += W[i][j] * below[i]
            layer.append(a if h == len(weights) - 1 else np.tanh(a))
        outputs.append(layer)
    return outputs


def algorithm_2(weights, outputs, dy):
    """Backward propagation (3.8)-(3.12) of one sample: dW_h, db_h and dx, the products as they are meant."""
    G, weight_gradients, bias_gradients = list(dy), [], []
    for h in reversed(range(len(weights))):
        if h < len(weights) - 1:
            G = [g * (1 - o * o) for g, o in zip(G, outputs[h + 1], strict=True)]
        bias_gradients.insert(0, np.array(G))
        weight_gradients.insert(0, np.array([[o * g for g in G] for o in outputs[h]]))
        G = [sum(weights[h][i][j] * G[j] for j in range(len(G))) for i in range(len(outputs[h]))]
    return weight_gradients, bias_gradients, np.array(G)


def test_the_mlp_is_algorithms_1_and_2():
    network = mlp((4, 6, 5, 3), Tanh(), rng=RNG(6), dtype="float64")
    for path, array in network.parameters().items():
        if path.endswith("b"):
            array[...] = RNG(7).normal(size=array.shape)
    weights = [network.parameters()[f"dense_{h}.W"] for h in (1, 2, 3)]
    biases = [network.parameters()[f"dense_{h}.b"] for h in (1, 2, 3)]
    x, dy = RNG(8).normal(size=(7, 4)), RNG(9).normal(size=(7, 3))
    y, saved = network.forward(x, Run())
    dx, grads = network.backward(dy, saved)
    samples = [algorithm_1(weights, biases, sample) for sample in x]
    np.testing.assert_allclose(y, [outputs[-1] for outputs in samples], rtol=0, atol=1e-14)
    gradients = [algorithm_2(weights, outputs, g) for outputs, g in zip(samples, dy, strict=True)]
    np.testing.assert_allclose(dx, [gradient[2] for gradient in gradients], rtol=0, atol=1e-13)
    for h in range(3):
        np.testing.assert_allclose(grads[f"dense_{h + 1}.W"], sum(g[0][h] for g in gradients), rtol=0, atol=1e-13)
        np.testing.assert_allclose(grads[f"dense_{h + 1}.b"], sum(g[1][h] for g in gradients), rtol=0, atol=1e-13)


@pytest.mark.parametrize("sizes", [(), (4,)])
def test_the_mlp_refuses_sizes_of_no_layer(sizes):
    with pytest.raises(ValueError, match=r"sizes is \(.*\); expected at least two, the inputs and the outputs"):
        mlp(sizes, rng=RNG(6))


def test_the_mlps_last_layer_is_linear_and_the_others_relu_by_default():
    network = mlp((4, 6, 5, 3), rng=RNG(6))
    assert [type(layer.activation).__name__ for layer in network.children.values()] == ["ReLU", "ReLU", "NoneType"]
    assert parameter_count(network) == 4 * 6 + 6 + 6 * 5 + 5 + 5 * 3 + 3
