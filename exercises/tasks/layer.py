"""A layer: forward against the engine's or a definition, backward against differences, and what every layer must do."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from engine.gradient_check import check
from engine.gradient_check.case import scatter, smooth_point
from engine.layer import Layer, Run, assign
from exercises.exercise import Arrays, Expected, Property, Setup, Task
from exercises.tasks.differences import gradient

IMAGES = ("sample", "row", "column", "channel")
NAMES = {2: ("sample", "feature"), 4: IMAGES}
WEIGHTS = {1: ("output channel",), 2: ("input", "output"),
           4: ("kernel row", "kernel column", "input channel", "output channel")}

Build = Callable[[ModuleType, Setup, str], Layer]
Definition = Callable[[Arrays, Setup], np.ndarray]


@dataclass(frozen=True)
class LayerTask(Task):
    """Answers: y, dx, the gradient of every parameter, dW for W, and every moving average after `absorb`.

    build       (module, setup, dtype) -> the layer that the module defines; setup["shape"] is x's, setup["run"] the Run
                (training, where there is none), setup["scale"] how far x reaches (1, where there is none)
    definition  (x and the parameters by name, setup) -> y, written apart from the engine; None: y is the engine's
    affine      f(x) = A x + b: f is linear but for b, and dx = A' dy; not asked where setup["activation"] is true
    holds       properties besides those of every layer
    """
    build: Build
    definition: Definition | None = None
    affine: bool = False
    holds: tuple[Property, ...] = ()

    def inputs(self, own: ModuleType, setup: Setup, rng: np.random.Generator) -> Arrays:
        layer, run = self.build(own, setup, "float64"), run_of(setup)
        scatter(layer, rng)
        x = smooth_point(layer, run, rng, *setup["shape"]) * setup.values.get("scale", 1)
        dy = rng.standard_normal(layer.forward(x, run)[0].shape)
        return {"x": x, "dy": dy, **layer.parameters(), **layer.moving_averages()}

    def layer(self, module: ModuleType, setup: Setup, inputs: Arrays, dtype: str = "float64") -> Layer:
        layer = self.build(module, setup, dtype)
        assign(layer, {name: array for name, array in inputs.items() if name not in ("x", "dy")})
        return layer

    def answers(self, module: ModuleType, setup: Setup, inputs: Arrays) -> Arrays:
        layer = self.layer(module, setup, inputs)
        y, saved = layer.forward(inputs["x"], run_of(setup))
        dx, grads = layer.backward(inputs["dy"], saved)
        layer.absorb(grads)
        return {"y": y, "dx": dx, **{f"d{name}": grads[name] for name in layer.parameters() if name in grads},
                **{f"average {name}": average for name, average in layer.moving_averages().items()}}

    def expected(self, own: ModuleType, setup: Setup, inputs: Arrays) -> dict[str, Expected]:
        layer, run, x = self.layer(own, setup, inputs), run_of(setup), inputs["x"]
        y = Expected(self.definition(inputs, setup), "the definition") if self.definition else Expected(
            layer.forward(x, run)[0], "the engine's forward")
        gradients = {f"d{name}": gradient(lambda: layer.forward(x, run)[0], array, inputs["dy"])
                     for name, array in {"x": x, **layer.parameters()}.items()}
        layer.absorb(layer.backward(inputs["dy"], layer.forward(x, run)[1])[1])
        return {"y": y, **gradients, **{f"average {name}": Expected(average, "the engine's absorb")
                                        for name, average in layer.moving_averages().items()}}

    def properties(self) -> tuple[Property, ...]:
        return (Property("engine.gradient_check", self._gradient_check),
                Property("float32 in, float32 out", self._float32),
                Property("backward is linear in dy", self._linear_backward),
                *((Property("forward is linear in x but for the bias", self._linear),
                   Property("adjointness: <A x, dy> = <x, A' dy>", self._adjoint)) if self.affine else ()), *self.holds)

    def axes(self, name: str, dimensions: int) -> tuple[str, ...]:
        names = NAMES if name in ("x", "y", "dx", "dy") else WEIGHTS
        return names.get(dimensions) or super().axes(name, dimensions)

    def _gradient_check(self, module: ModuleType, setup: Setup, inputs: Arrays, rng: np.random.Generator) -> str:
        layer = self.layer(module, setup, inputs)
        rows = [row for row in check(layer, inputs["x"], run_of(setup), rng) if not row.passed]
        return f"{rows[0].parameter}: {rows[0].message}" if rows else ""

    def _float32(self, module: ModuleType, setup: Setup, inputs: Arrays, rng: np.random.Generator) -> str:
        single = {name: array.astype(np.float32) for name, array in inputs.items()}
        layer = self.layer(module, setup, single, "float32")
        y, saved = layer.forward(single["x"], run_of(setup))
        dx, grads = layer.backward(single["dy"], saved)
        found = {"y": y, "dx": dx, **{f"d{name}": g for name, g in grads.items()}}
        wide = [f"{name} is {array.dtype}" for name, array in found.items() if array.dtype != np.float32]
        return f"of float32 numbers, {', '.join(wide)}" if wide else ""

    def _linear_backward(self, module: ModuleType, setup: Setup, inputs: Arrays, rng: np.random.Generator) -> str:
        layer, other = self.layer(module, setup, inputs), rng.standard_normal(inputs["dy"].shape)
        _, saved = layer.forward(inputs["x"], run_of(setup))
        first, second, both = (layer.backward(dy, saved)[0] for dy in (
            inputs["dy"], other, 2 * inputs["dy"] - 3 * other))
        return unequal("dx of 2 dy - 3 dy'", both, "2 dx - 3 dx'", 2 * first - 3 * second)

    def _linear(self, module: ModuleType, setup: Setup, inputs: Arrays, rng: np.random.Generator) -> str:
        if setup.values.get("activation"):
            return ""
        layer, run, x = self.layer(module, setup, inputs), run_of(setup), inputs["x"]
        other = rng.standard_normal(x.shape)
        zero, first, second, both = (layer.forward(point, run)[0] for point in (
            np.zeros_like(x), x, other, 2 * x - 3 * other))
        return unequal("f(2 x - 3 x') - f(0)", both - zero, "2 (f(x) - f(0)) - 3 (f(x') - f(0))",
                       2 * (first - zero) - 3 * (second - zero))

    def _adjoint(self, module: ModuleType, setup: Setup, inputs: Arrays, rng: np.random.Generator) -> str:
        if setup.values.get("activation"):
            return ""
        layer, run, x, dy = self.layer(module, setup, inputs), run_of(setup), inputs["x"], inputs["dy"]
        y, saved = layer.forward(x, run)
        forward = np.vdot(y - layer.forward(np.zeros_like(x), run)[0], dy)
        backward = np.vdot(x, layer.backward(dy, saved)[0])
        scale = float(np.linalg.norm(y) * np.linalg.norm(dy))
        return "" if abs(forward - backward) <= 1e-10 * scale else (
            f"<f(x) - f(0), dy> is {forward:.6g} and <x, dx> is {backward:.6g}: backward is not forward's transpose")


def run_of(setup: Setup) -> Run:
    return setup.values.get("run") or Run()


def unequal(left: str, first: np.ndarray, right: str, second: np.ndarray) -> str:
    """A sentence where two arrays differ by more than rounding."""
    scale = 1 + float(np.max(np.abs(second), initial=0.0))
    off = float(np.max(np.abs(first - second), initial=0.0)) if first.shape == second.shape else np.inf
    return "" if off <= 1e-10 * scale else f"{left} and {right} differ by {off:.2g}"
