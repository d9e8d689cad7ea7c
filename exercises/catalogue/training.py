"""The last exercise: a network of the student's own layers learns."""
from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from engine import layers as engine_layers
from engine.combinators import Chain
from engine.layer import Grads, Layer, Run
from engine.layers import Flatten
from engine.losses import softmax_cross_entropy_with_logits
from engine.optimizers import Adam, Optimizer, gradient_norm
from engine.training import gradients
from exercises.exercise import Arrays, Cut, Exercise, Expected, Mutant, Part, Property, Setup
from exercises.tasks.function import FunctionTask

STEPS, RATE, IMAGES, SIDE = 25, 0.05, 24, 6
NEEDS = ("dense_forward", "dense_backward", "relu", "softmax_cross_entropy", "dropout", "convolution_forward",
         "convolution_dx", "convolution_dw", "convolution_db", "max_pool", "adam")
FORWARD = "x, kept = layer.forward(x, run.child(place))"
BACKWARD = "dx, own = layer.backward(gradient.pop(), saved.pop())"
BOTH = "y, *saved = network.forward(x, run)"
LOSS = "value, dy = loss(y, target)"
RETURN = ("return value, network.last_gradients(dy, saved.pop())  # popped: nothing here holds on to what backward is "
          "done with")


def dense(needed: dict[str, ModuleType], *sizes: int, **options: Any) -> Layer:
    """The dense layer whose forward and backward are from the two exercises on it."""
    own: type[Layer] = type("Dense", (needed["dense_backward"].Dense,), {
        "forward": needed["dense_forward"].Dense.forward})
    return own(*sizes, **options)


def conv2d(needed: dict[str, ModuleType], *sizes: int, **options: Any) -> Layer:
    """The convolution whose forward, dx, dW and db are from the four exercises on them."""
    dx, dW, db = (needed[f"convolution_{name}"].Conv2D.backward for name in ("dx", "dw", "db"))

    def backward(self: Layer, dy: np.ndarray, saved: Any) -> tuple[np.ndarray, Grads]:
        return dx(self, dy, saved)[0], {"W": dW(self, dy, saved)[1]["W"], "b": db(self, dy, saved)[1]["b"]}

    own: type[Layer] = type("Conv2D", (needed["convolution_forward"].Conv2D,), {"backward": backward})
    return own(*sizes, **options)


def layers(setup: Setup, make_dense: Callable[..., Layer], make_conv2d: Callable[..., Layer],
           relu: Callable[..., Layer], max_pool: Callable[..., Layer], dropout: Callable[..., Layer]) -> list[Layer]:
    """What the network of a set-up is made of."""
    options: dict[str, Any] = {"rng": np.random.default_rng(setup["start"]), "dtype": "float64"}
    if setup["network"] == "perceptron":
        return [Flatten(), make_dense(SIDE * SIDE, 8, **options), relu(), dropout(0.8), make_dense(8, 2, **options)]
    return [make_conv2d(1, 3, **options), relu(), max_pool(2), Flatten(),
            make_dense(3 * (SIDE // 2) ** 2, 2, **options)]


def draw(setup: Setup, rng: np.random.Generator) -> Arrays:
    """Images of two classes: which half is the brighter one?"""
    x = rng.random((IMAGES, SIDE, SIDE, 1)) - 0.5
    left = np.arange(IMAGES) % 2 == 0
    x[left, :, :SIDE // 2] += 0.5
    x[~left, :, SIDE // 2:] += 0.5
    return {"x": x, "target": np.stack([left, ~left], axis=1).astype(np.float64)}


def trained(network: Layer, loss: Callable, optimizer: Adam, both: Callable, inputs: Arrays) -> Arrays:
    """The losses of all steps, the sizes of their gradients, and the parameters after them."""
    losses, norms = [], []
    for step in range(STEPS):
        value, grads = both(network, loss, inputs["x"], inputs["target"], Run(seed=(step,)))
        optimizer.step(grads, RATE)
        network.absorb(grads)
        losses.append(float(value))
        norms.append(gradient_norm([grads[path] for path in network.parameters()]))
    return {"losses": np.array(losses), "gradient norms": np.array(norms), **network.parameters()}


def call(module: ModuleType, setup: Setup, inputs: Arrays) -> Arrays:
    needed: dict[str, ModuleType] = module.needed

    class OwnAdam(Adam):
        def _update(self, parameter: np.ndarray, gradient: np.ndarray, learning_rate: float,
                    *memory: np.ndarray) -> None:
            needed["adam"].adam_update(parameter, gradient, *memory, self.steps, learning_rate, self.beta1, self.beta2,
                                       self.epsilon)

        _update_all = Optimizer._update_all  # one parameter after the other

    network = module.Chain(*layers(
        setup, lambda *sizes, **options: dense(needed, *sizes, **options),
        lambda *sizes, **options: conv2d(needed, *sizes, **options), needed["relu"].ReLU, needed["max_pool"].MaxPool,
        needed["dropout"].Dropout))
    loss = needed["softmax_cross_entropy"].softmax_cross_entropy_with_logits
    return trained(network, loss, OwnAdam(network.parameters()), module.gradients, inputs)


def wanted(own: ModuleType, setup: Setup, inputs: Arrays) -> dict[str, Expected]:
    """What the engine's own layers give. Rounding grows from step to step, a mistake is there from the first on."""
    network = Chain(*layers(setup, engine_layers.Dense, engine_layers.Conv2D, engine_layers.ReLU,
                            engine_layers.MaxPool, engine_layers.Dropout))
    found = trained(network, softmax_cross_entropy_with_logits, Adam(network.parameters()), gradients, inputs)
    return {name: Expected(array, "the engine's layers, same seed", relative=1e-6) for name, array in found.items()}


def learns(module: ModuleType, setup: Setup, inputs: Arrays, rng: np.random.Generator) -> str:
    """Whether the loss falls to less than half of what it was."""
    losses = call(module, setup, inputs)["losses"]
    first, last = float(np.mean(losses[:3])), float(np.mean(losses[-3:]))
    return "" if last < 0.5 * first else f"the first three losses are {first:.3f} on average, the last three {last:.3f}"


def setups(rng: np.random.Generator) -> list[Setup]:
    return [Setup(f"a {name}", {"network": name, "start": int(rng.integers(1 << 30))})
            for name in ("perceptron", "convolutional network")]


EXERCISE = Exercise(
    "training", "It learns: a network of your own layers", "Write Algorithms 1 and 2 as the loops of a chain of "
    "layers, and train one that is made of your own.", "03_descent",
    (Part("engine.combinators.chain", ("Chain",)), Part("engine.training", ("gradients",))),
    (Cut("Chain.forward", "x, kept =", "x, the layer's output, with which the next layer goes on, and kept, what its "
         "backward needs. Each layer is to see a run with randomness of its own: run.child(place)."),
     Cut("Chain.backward", "dx, own =", "dx, the gradient at the layer's input, which the layer before goes on with, "
         "and own, the gradients of its parameters. gradient.pop() is the gradient at its output, saved.pop() what its "
         "forward kept: the loop goes from the last layer to the first, and both lists end with the layer's."),
     Cut("gradients", "y, *saved =", "the loss of the batch and the gradients of all parameters by path: forward, "
         "loss, backward. network.forward(x, run) answers with y and what is saved; loss(y, target) with the value and "
         "its gradient; network.last_gradients(dy, saved) with the gradients alone, without dx.", last="return")),
    FunctionTask(draw, call, wanted, holds=(Property("the loss falls by half", learns),), names={
        "x": ("image", "row", "column", "channel"), "target": ("image", "class"), "losses": ("step",),
        "gradient norms": ("step",)}, leads=("losses", "gradient norms")), setups,
    (Mutant("one seed for all", "This is what comes out when all layers are given the same run: two dropouts of one "
            "shape would then draw the same mask.", {FORWARD: "x, kept = layer.forward(x, run)"}),
     Mutant("saved values from the front", "This is what comes out when backward takes what the first layer saved for "
            "the last one: the loop goes backwards, so the values are taken from the end.",
            {BACKWARD: BACKWARD.replace("saved.pop()", "saved.pop(0)")}),
     Mutant("y instead of dy", "This is what comes out when the network's output is sent backwards instead of the "
            "loss's gradient: it would learn to answer with nothing.", {RETURN: RETURN.replace("(dy,", "(y,")}),
     Mutant("dy = 1", "This is what comes out when ones are sent backwards instead of the loss's gradient: the targets "
            "then have no part in the training.", {RETURN: RETURN.replace("(dy,", "(dy * 0 + 1,")}),
     Mutant("the wrong way", "This is what comes out when the loss's gradient changes its sign on the way: the network "
            "climbs.", {RETURN: RETURN.replace("(dy,", "(-dy,")}),
     Mutant("the gradient of a sum", "This is what comes out when the loss's gradient is multiplied with the number of "
            "images: the mean's 1/N stands in it already. Adam hardly notices, since it divides by the gradient's size."
            "", {RETURN: RETURN.replace("(dy,", "(dy * len(x),")})), ("network",), NEEDS)
