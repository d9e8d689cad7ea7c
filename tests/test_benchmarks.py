"""The benchmarks run, answer in their documented form, and count rightly. What they measure is not judged here."""
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None,
                                 reason="PyTorch is not installed: nothing to agree with")


def call(script, *arguments, hide_torch_in=None):
    """Runs a benchmark; with hide_torch_in, a folder, as if PyTorch were not installed."""
    command = [sys.executable, str(BENCHMARKS / script), *map(str, arguments)]
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(BENCHMARKS.parent), environment.get("PYTHONPATH")]))
    if hide_torch_in:
        (hide_torch_in / "sitecustomize.py").write_text(
            "import importlib.util\n"
            "find = importlib.util.find_spec\n"
            "importlib.util.find_spec = lambda name, package=None: None if name == 'torch' else find(name, package)\n")
        environment["PYTHONPATH"] = os.pathsep.join([str(hide_torch_in), environment["PYTHONPATH"]])
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)


def step_result(folder, *arguments, **options):
    file = folder / "step.json"
    done = call("training_step.py", "--network", "mlp", "--side", 16, "--batch", 2, "--repeats", 2, "--json", file,
                *arguments, **options)
    assert done.returncode == 0, done.stderr
    assert "training step" in done.stdout
    return json.loads(file.read_text())


def check_engine(figures):
    for name in ("train_seconds", "infer_seconds", "train_cpu_seconds", "infer_cpu_seconds"):
        assert figures[name] > 0
    for name in ("peak_bytes", "infer_peak_bytes"):
        assert 2 ** 24 < figures[name] < 2 ** 32  # Python with NumPy or PyTorch: tens or hundreds of MiB, in bytes
    assert len(figures["train_seconds_of_each_turn"]) == len(figures["infer_seconds_of_each_turn"]) == 2


def test_the_step_without_pytorch(tmp_path):
    result = step_result(tmp_path, "--threads", 1, hide_torch_in=tmp_path)
    check_engine(result["ours"])
    assert result["torch"] is result["speed_ratio"] is result["inference_speed_ratio"] is None
    assert (result["network"], result["batch"], result["side"], result["threads"]) == ("mlp", 2, 16, 1)
    assert result["machine"]["processors"] >= 1 and result["machine"]["cpu"]
    limit = result["limit"]
    layers = [256 * 1024, 1024 * 512, 512 * 3]
    assert limit["infer_gflop"] == pytest.approx(2 * 2 * sum(layers) / 1e9)
    assert limit["train_gflop"] == pytest.approx(2 * 2 * (3 * sum(layers) - layers[0]) / 1e9)
    assert limit["train_seconds"] == pytest.approx(limit["train_gflop"] / limit["matrix_product_gflops"])


@needs_torch
def test_the_step_beside_pytorch(tmp_path):
    result = step_result(tmp_path, "--threads", 1)
    check_engine(result["ours"])
    check_engine(result["torch"])
    for ratio, kind in (("speed_ratio", "train"), ("inference_speed_ratio", "infer")):
        theirs, ours = (result[engine][f"{kind}_seconds_of_each_turn"] for engine in ("torch", "ours"))
        quotients = [t / o for t, o in zip(theirs, ours, strict=True)]
        assert result[ratio] == pytest.approx(sum(quotients) / 2)


def test_a_side_that_the_network_cannot_halve():
    done = call("training_step.py", "--network", "vgg", "--side", 48)
    assert done.returncode == 2
    assert "multiple of 32" in done.stderr and "Traceback" not in done.stderr


def test_agreement_without_pytorch(tmp_path):
    done = call("agreement.py", "--small", hide_torch_in=tmp_path)
    assert done.returncode == 2
    assert "pip install torch" in done.stderr and "Traceback" not in done.stderr


@needs_torch
def test_agreement(tmp_path):
    file = tmp_path / "agreement.json"
    done = call("agreement.py", "--small", "--json", file)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(file.read_text())
    assert len(rows) == 3 * 2 * 2
    for row in rows:
        assert row["passed"]
        layers = {"mlp": 3, "vgg": 13 + 5 + 3, "unet": 18 + 9 + 1}[row["network"]]
        assert row["tensors"] == 2 + 2 * layers  # the output, the input's gradient, W and b or c1 and c2
        if row["dtype"] == "float64":
            assert max(row["output"], row["gradient"]) <= 1e-9


def test_agreement_judges(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import agreement

    exact = {"output": np.ones(3), "W": np.array([2.0, 0.0])}
    judged = agreement.judge({"output": np.ones(3), "W": np.array([2.0, 1e-8])}, exact, exact)
    assert not judged["passed"] and judged["worst_tensor"] == "W" and judged["gradient"] == pytest.approx(5e-9)
    assert agreement.judge(dict(exact), exact, exact)["passed"]
    assert not agreement.judge(exact | {"W": np.array([np.nan, 0.0])}, exact, exact)["passed"]
    with pytest.raises(ValueError, match="only one side"):
        agreement.judge({"output": np.ones(3)}, exact, exact)
    # float32: the limit of the output is four times what the reference itself is away from the truth
    reference = exact | {"output": np.ones(3) + 1e-6}
    for away, passed in ((4.9e-6, True), (5.1e-6, False)):
        assert agreement.judge(exact | {"output": np.ones(3) + away}, reference, exact)["passed"] is passed
