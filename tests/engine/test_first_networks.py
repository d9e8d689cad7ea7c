"""What a user of the engine writes first: digits told apart, an autoencoder, a regression. As short as it may be."""
import numpy as np
from sklearn.datasets import load_diabetes, load_digits

from engine.combinators import Chain
from engine.layer import Run
from engine.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, MaxPool, ReLU, Sigmoid, TransposedConv2D
from engine.losses import least_squares, softmax_cross_entropy_with_logits
from engine.optimizers import Adam, Momentum
from engine.training import train


def in_batches(x, target, size, epochs, seed=0):
    """Plain batches, shuffled anew in every epoch."""
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x) - size + 1, size):
            chosen = order[start:start + size]
            yield x[chosen], target[chosen]


def predicted(network, x):
    return network.forward(x, Run(train=False, record=False))[0]


def digits():
    data = load_digits()
    x = (data.images / 16).astype("float32")[..., None]
    return x[:1200], data.target[:1200], x[1200:], data.target[1200:]


def test_digits_are_told_apart():
    x, labels, x_test, labels_test = digits()
    rng = np.random.default_rng(0)
    network = Chain(conv=Conv2D(1, 16, activation=ReLU(), rng=rng), norm=BatchNorm(16), pool=MaxPool(2), flat=Flatten(),
                    hidden=Dense(16 * 4 * 4, 32, ReLU(), rng=rng), drop=Dropout(0.8), out=Dense(32, 10, rng=rng))
    optimizer = Adam(network.parameters(), weight_decay=0.01, clip_norm=1.0)
    batches = in_batches(x, labels, 50, 6)
    steps = list(train(network, softmax_cross_entropy_with_logits, optimizer, batches, 0.005, seed=0))
    assert steps[-1].loss < 0.3 < 2 < steps[0].loss
    assert (predicted(network, x_test).argmax(1) == labels_test).mean() > 0.9


def test_an_autoencoder_sees_more_than_the_mean_image():
    x, _, x_test, _ = digits()
    rng = np.random.default_rng(1)
    network = Chain(down=Conv2D(1, 8, stride=2, activation=ReLU(), rng=rng), flat=Flatten(),
                    code=Dense(8 * 4 * 4, 12, rng=rng), spread=Dense(12, 8 * 4 * 4, ReLU(), rng=rng),
                    pixels=Dense(8 * 4 * 4, 64, Sigmoid(), rng=rng))
    optimizer = Adam(network.parameters())
    for _ in train(network, least_squares, optimizer, in_batches(x, x.reshape(-1, 64), 60, 8), 0.005, seed=0):
        pass
    error = np.square(predicted(network, x_test) - x_test.reshape(-1, 64)).mean()
    assert error < 0.5 * np.square(x.mean(0) - x_test).mean()


def test_images_come_back_through_a_transposed_convolution():
    x, _, x_test, _ = digits()
    rng = np.random.default_rng(2)
    network = Chain(down=Conv2D(1, 12, stride=2, activation=ReLU(), rng=rng),
                    up=TransposedConv2D(12, 1, activation=Sigmoid(), rng=rng))
    list(train(network, least_squares, Adam(network.parameters()), in_batches(x, x, 60, 6), 0.01, seed=0))
    assert np.square(predicted(network, x_test) - x_test).mean() < 0.1 * np.square(x.mean(0) - x_test).mean()


def test_a_regression_beats_the_mean():
    data = load_diabetes()
    x = ((data.data - data.data.mean(0)) / data.data.std(0)).astype("float32")
    y = ((data.target - data.target.mean()) / data.target.std()).astype("float32")[:, None]
    rng = np.random.default_rng(3)
    network = Chain(hidden=Dense(10, 16, ReLU(), rng=rng), out=Dense(16, 1, rng=rng))
    optimizer = Momentum(network.parameters(), weight_decay=0.1, clip_norm=5.0)
    list(train(network, least_squares, optimizer, in_batches(x[:350], y[:350], 35, 20), 0.01, seed=0))
    residual = np.square(predicted(network, x[350:]) - y[350:]).sum() / np.square(y[350:] - y[:350].mean()).sum()
    assert 1 - residual > 0.3  # R^2; least squares reaches about 0.5
