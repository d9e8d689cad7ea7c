"""Does the engine compute what PyTorch computes? The three networks on the same weights and the same batch.

    python benchmarks/agreement.py              128x128 images, full width; a few minutes
    python benchmarks/agreement.py --small      32x32 images, an eighth of the channels; seconds

Compared are the output and every gradient: that of the input, of all weights, biases and batch norm's c1 and c2. The
difference of two tensors is max|ours - theirs| / max|theirs|. The table shows that of the output and of the worst
gradient, and for each the limit above which the command fails.
"""
from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

import cases
import numpy as np

from engine.layer import Run

# Float64 is the proof: a formula that is wrong in one place shows there, whatever the network.
FLOAT64_TOLERANCE = 1e-9
# Float32 shows a loss of precision. Two float32 results, each at some distance from the truth, may be twice as far from
# each other; which distance is usual PyTorch itself shows, its float32 against its float64. The other two is for luck.
FLOAT32_FACTOR = 4
# A gradient jumps where a ReLU or a maximum, within rounding of its kink, goes the other way. One such jump moves
# a tensor by some per cent of its largest entry even in the small networks, and it may happen to one side alone.
FLOAT32_KINK = 0.05

Tensors = dict[str, np.ndarray]


def randomized(name: str, dtype: str, side: int, batch: int, width: float) -> cases.Case:
    """The case on images of mean 0, and with no array left at 0 or 1, where a mistake could hide.

    Both dtypes get the same float32 numbers.
    """
    case = cases.make_case(name, batch, side, width, keep_probability=1.0, dtype="float32")
    rng = np.random.default_rng(5)
    x = rng.normal(0, 1, case.x.shape).astype("float32")
    for path, array in (case.network.parameters() | case.network.moving_averages()).items():
        if path.endswith(("b", "c1", "c2", "mean")):
            array += rng.normal(0, 0.1, array.shape).astype("float32")
        elif path.endswith("variance"):
            array *= rng.uniform(0.5, 1.5, array.shape).astype("float32")
    case.network.convert(lambda array: array.astype(dtype))
    return cases.Case(case.network, x.astype(dtype), case.target.astype(dtype), case.loss)


def ours(case: cases.Case, train: bool) -> Tensors:
    """Output and gradients of the engine, in its own layout."""
    y, saved = case.network.forward(case.x, Run(train=train))
    _, dy = case.loss(y, case.target)
    dx, grads = case.network.backward(dy, saved)
    return {"output": y, "input": dx} | {path: grads[path] for path in case.network.parameters()}


def theirs(case: cases.Case, name: str, side: int, width: float, train: bool) -> tuple[Tensors, Any]:
    """Output and gradients of PyTorch, in its layout, images back in ours; and the network."""
    import torch_networks

    twin = torch_networks.twin(name, case.network, side, width, keep_probability=1.0).train(train)
    x = torch_networks.image(case.x).requires_grad_()
    y = twin(x)
    torch_networks.loss(name)(y, torch_networks.image(case.target)).backward()
    tensors = {"output": y.detach(), "input": x.grad}
    values = {path: _ours_order(tensor.numpy()) for path, tensor in tensors.items() if tensor is not None}
    gradients = {path: tensor.grad.numpy() for path, _, tensor in torch_networks.pairs(case.network, twin)
                 if tensor.grad is not None}
    return values | gradients, twin


def _ours_order(tensor: np.ndarray) -> np.ndarray:
    return tensor.transpose(0, 2, 3, 1) if tensor.ndim == 4 else tensor


def worst(measured: Tensors, reference: Tensors) -> tuple[float, str]:
    """The largest relative difference and its tensor; NaN counts as the largest. ValueError where the names differ."""
    if measured.keys() != reference.keys():
        raise ValueError(f"only one side has {sorted(measured.keys() ^ reference.keys())}")
    differences = {path: np.abs(measured[path] - tensor).max() / np.abs(tensor).max()
                   for path, tensor in reference.items()}
    path = max(differences, key=lambda path: np.nan_to_num(differences[path], nan=np.inf))
    return float(differences[path]), path


def compare(name: str, small: bool) -> list[dict[str, Any]]:
    """A row for each mode and dtype."""
    import torch_networks

    side, width, batch = (32, 0.125, 2) if small else (128, 1.0, 2)
    rows = []
    for train in (True, False):
        exact: Tensors = {}
        for dtype in ("float64", "float32"):
            case = randomized(name, dtype, side, batch, width)
            reference, twin = theirs(case, name, side, width, train)
            exact = exact or reference
            own = ours(case, train)
            parameters = {path: torch_networks.as_theirs(path, own[path], twin) for path in case.network.parameters()}
            row = {"network": name, "dtype": dtype, "mode": "training" if train else "inference"}
            rows.append(row | judge(own | parameters, reference, exact))
    return rows


def _gradients(tensors: Tensors) -> Tensors:
    return {path: tensor for path, tensor in tensors.items() if path != "output"}


def judge(own: Tensors, reference: Tensors, exact: Tensors) -> dict[str, Any]:
    """The differences, their limits and the verdict. exact: the reference in float64 (that very object, if it is)."""
    output, _ = worst({"output": own["output"]}, {"output": reference["output"]})
    gradient, tensor = worst(_gradients(own), _gradients(reference))
    output_tolerance = gradient_tolerance = FLOAT64_TOLERANCE
    if reference is not exact:
        output_tolerance = FLOAT32_FACTOR * worst({"output": reference["output"]}, {"output": exact["output"]})[0]
        gradient_tolerance = max(FLOAT32_KINK, FLOAT32_FACTOR * worst(_gradients(reference), _gradients(exact))[0])
    return {"output": output, "output_tolerance": output_tolerance, "gradient": gradient, "worst_tensor": tensor,
            "tensors": len(own), "gradient_tolerance": gradient_tolerance,
            "passed": output <= output_tolerance and gradient <= gradient_tolerance}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="small networks and images")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table's rows there")
    arguments = parser.parse_args()
    if importlib.util.find_spec("torch") is None:
        print("agreement.py compares with PyTorch, which is not installed here. Install it with\n"
              "    pip install torch    (a CPU build is enough)", file=sys.stderr)
        return 2
    print(f"{'network':<8} {'dtype':<8} {'mode':<10} {'output':>8} {'(limit)':>8} {'gradient':>8} {'(limit)':>8}  "
          "worst tensor")
    rows = []
    for name in cases.NETWORKS:
        for row in compare(name, arguments.small):
            rows.append(row)
            print(f"{row['network']:<8} {row['dtype']:<8} {row['mode']:<10} {row['output']:>8.1e} "
                  f"{row['output_tolerance']:>8.0e} {row['gradient']:>8.1e} {row['gradient_tolerance']:>8.0e}  "
                  f"{row['worst_tensor']} (of {row['tensors']}){'' if row['passed'] else '  FAILED'}", flush=True)
    if arguments.json:
        temporary = arguments.json.with_name(arguments.json.name + ".part")
        temporary.write_text(json.dumps(rows, indent=1) + "\n")
        os.replace(temporary, arguments.json)
    return 0 if all(row["passed"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
