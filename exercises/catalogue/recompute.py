"""Recompute: keep x, and walk forward once more."""
from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from engine.combinators import Chain
from engine.layer import Layer, Run
from engine.layers import BatchNorm, Conv2D, Dropout, Tanh
from exercises.exercise import Arrays, Cut, Exercise, Mutant, Part, Property, Setup
from exercises.tasks.layer import LayerTask, run_of

FORWARD = "y, _ = super().forward(x, replace(run, record=False))"
KEPT = "return y, (x, run) if run.record else None"
RUN = "x, run = saved"
BACKWARD = "return super().backward(dy, super().forward(x, run)[1])"


def layers(setup: Setup, dtype: str) -> list[Layer]:
    some: dict[str, list[Layer]] = {"dropout": [Dropout(0.6)], "batch norm": [BatchNorm(3, "moving", dtype=dtype)]}
    return [Conv2D(3, 3, rng=np.random.default_rng(0), dtype=dtype), Tanh(), *some.get(setup["inside"], [])]


def build(module: ModuleType, setup: Setup, dtype: str) -> Layer:
    layer: Layer = module.Recompute(*layers(setup, dtype))
    return layer


def same_bits(module: ModuleType, setup: Setup, inputs: Arrays, rng: np.random.Generator) -> str:
    """Whether y, dx and all gradients are the Chain's, to the bit."""
    found = []
    for combinator in (module.Recompute, Chain):
        layer = combinator(*layers(setup, "float64"))
        y, saved = layer.forward(inputs["x"], run_of(setup))
        dx, grads = layer.backward(inputs["dy"], saved)
        found.append({"y": y, "dx": dx, **grads})
    other = [name for name in found[1] if name not in found[0] or not np.array_equal(found[0][name], found[1][name])]
    return f"{', '.join(other)} of Recompute is not that of the Chain of the same layers" if other else ""


def arrays_in(kept: Any) -> list[np.ndarray]:
    """Every array that a saved value holds."""
    if isinstance(kept, np.ndarray):
        return [kept]
    inside = kept.values() if isinstance(kept, dict) else kept if isinstance(kept, tuple | list) else (
        vars(kept).values() if hasattr(kept, "__dict__") else ())
    return [array for each in inside for array in arrays_in(each)]


def keeps_x(module: ModuleType, setup: Setup, inputs: Arrays, rng: np.random.Generator) -> str:
    """Whether what is kept holds x and no other array."""
    layer = build(module, setup, "float64")
    others = [array for array in arrays_in(layer.forward(inputs["x"], run_of(setup))[1])
              if not np.shares_memory(array, inputs["x"])]
    return (f"besides x, {len(others)} array(s) with {sum(array.size for array in others)} numbers are kept for "
            "backward") if others else ""


def keeps_nothing(module: ModuleType, setup: Setup, inputs: Arrays, rng: np.random.Generator) -> str:
    """Whether nothing is kept where the run does not record."""
    _, saved = build(module, setup, "float64").forward(inputs["x"], replace(run_of(setup), record=False))
    return "" if saved is None else "with record=False nothing is to be kept: None"


def setups(rng: np.random.Generator) -> list[Setup]:
    def recompute(name: str, inside: str, train: bool = True) -> Setup:
        run = Run(train=train, seed=(int(rng.integers(1, 1 << 30)),))
        return Setup(name, {"shape": (2, height, width, 3), "inside": inside, "run": run,
                            "mode": "training" if train else "inference"})

    height, width = (int(size) for size in rng.permutation([3, 4]))
    return [recompute("a convolution and tanh", "nothing else"), recompute("with dropout", "dropout"),
            recompute("with batch norm", "batch norm"), recompute("inference, with dropout", "dropout", False)]


EXERCISE = Exercise(
    "recompute", "Memory for time: recomputation", "Keep x alone, and walk forward once more when backward asks.",
    "13_memory", (Part("engine.combinators.recompute", ("Recompute",)),),
    (Cut("Recompute.forward", "y, _ =", "y, and what backward needs: of arrays x alone, and nothing (None) unless "
         "run.record. super().forward(x, run) is the Chain's: it answers with y and the saved values of all layers, or "
         "None under a run that does not record: replace(run, record=False).", last="return"),
     Cut("Recompute.backward", "x, run =", "dx and the gradients of the parameters. The saved values of the layers "
         "come from walking forward once more, in the same way as before: the same masks, the same moments. "
         "super().backward(dy, saved) is the Chain's.", last="return")),
    LayerTask(build, holds=(Property("the same bits as the Chain", same_bits), Property("keeps x alone", keeps_x),
                            Property("keeps nothing unless run.record", keeps_nothing))), setups,
    (Mutant("everything kept", "This is what comes out when the saved values of all layers are kept: that is the "
            "Chain, with all its memory.", {FORWARD: "return super().forward(x, run)", RUN: "",
                                     BACKWARD: "return super().backward(dy, saved)"}),
     Mutant("kept when nobody asked", "This is what comes out when x is kept even where run.record is False: inference "
            "would hold on to images that nobody needs.", {KEPT: "return y, (x, run)"}),
     Mutant("a run of its own", "This is what comes out when backward walks forward with a run of its own: dropout "
            "then draws other masks, and inference trains. The run belongs to what is kept.",
            {BACKWARD: BACKWARD.replace("super().forward(x, run)", "super().forward(x, Run())")}),
     Mutant("inference the second time", "This is what comes out when the second walk is made as inference: dropout "
            "and batch norm then compute something else than the first time.",
            {BACKWARD: BACKWARD.replace("super().forward(x, run)", "super().forward(x, replace(run, train=False))")}),
     Mutant("nothing recorded", "This is what comes out when the second walk does not record either: the layers then "
            "save nothing that backward could use.",
            {BACKWARD: BACKWARD.replace("super().forward(x, run)", "super().forward(x, replace(run, record=False))")}),
     Mutant("y instead of x", "This is what comes out when y is kept instead of x: the walk begins at x.",
            {KEPT: KEPT.replace("(x, run)", "(y, run)")})), ("inside", "mode"))
