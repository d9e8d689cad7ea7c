"""The benchmarks run, answer in their documented form, and count rightly. What they measure is not judged here."""
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from engine.kernels.cuda.arrays import emulated
from engine.layer import Run

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
needs_tensorflow = pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None,
                                      reason="TensorFlow is not installed: nothing to compare with")
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None,
                                 reason="PyTorch is not installed: nothing to agree with")
needs_compiler = pytest.mark.skipif(shutil.which("g++") is None,
                                    reason="needs g++, which runs CUDA kernels on the CPU")


PNG = b"\x89PNG"


@pytest.fixture
def benchmarks(monkeypatch):
    """Lets a test import the benchmarks' modules."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def call(script, *arguments, hidden=(), folder=None):
    """Runs a benchmark as if the packages `hidden` were not installed; folder: for the file that hides them."""
    command = [sys.executable, str(BENCHMARKS / script), *map(str, arguments)]
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(BENCHMARKS.parent), environment.get("PYTHONPATH")]))
    if hidden:
        (folder / "sitecustomize.py").write_text(
            "import importlib.util\n"
            "find = importlib.util.find_spec\n"
            f"importlib.util.find_spec = lambda name, *package: None if name in {hidden!r} else find(name, *package)\n")
        environment["PYTHONPATH"] = os.pathsep.join([str(folder), environment["PYTHONPATH"]])
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)


def step_result(folder, *arguments, hidden):
    file = folder / "step.json"
    done = call("training_step.py", "--network", "mlp", "--side", 16, "--batch", 2, "--repeats", 2, "--threads", 1,
                "--json", file, *arguments, hidden=hidden, folder=folder)
    assert done.returncode == 0, done.stderr
    assert "training step" in done.stdout
    result, = json.loads(file.read_text())
    return result


def check_engine(figures):
    for name in ("train_seconds", "infer_seconds", "train_cpu_seconds", "infer_cpu_seconds"):
        assert figures[name] > 0
    for name in ("peak_bytes", "infer_peak_bytes"):
        assert 2 ** 24 < figures[name] < 2 ** 32  # Python with NumPy or PyTorch: tens or hundreds of MiB, in bytes
    assert len(figures["train_seconds_of_each_turn"]) == len(figures["infer_seconds_of_each_turn"]) == 2


def check_peer(result, peer, ending=""):
    check_engine(result[peer])
    for ratio, kind in (("speed_ratio", "train"), ("inference_speed_ratio", "infer")):
        theirs, ours = (result[engine][f"{kind}_seconds_of_each_turn"] for engine in (peer, "ours"))
        quotients = [t / o for t, o in zip(theirs, ours, strict=True)]
        assert result[ratio + ending] == pytest.approx(sum(quotients) / 2)


def test_the_step_alone(tmp_path):
    result = step_result(tmp_path, "--plot", tmp_path / "step.png", hidden=("torch", "tensorflow"))
    check_engine(result["ours"])
    for name in ("torch", "speed_ratio", "inference_speed_ratio"):
        assert result[name] is None
    for name in ("tensorflow", "speed_ratio_tensorflow", "inference_speed_ratio_tensorflow"):
        assert result[name] is None
    assert (result["network"], result["batch"], result["side"], result["threads"]) == ("mlp", 2, 16, 1)
    assert result["machine"]["processors"] >= 1 and result["machine"]["cpu"]
    assert (tmp_path / "step.png").read_bytes().startswith(PNG)
    limit = result["limit"]
    layers = [256 * 1024, 1024 * 512, 512 * 3]
    assert limit["infer_gflop"] == pytest.approx(2 * 2 * sum(layers) / 1e9)
    assert limit["train_gflop"] == pytest.approx(2 * 2 * (3 * sum(layers) - layers[0]) / 1e9)
    assert limit["train_seconds"] == pytest.approx(limit["train_gflop"] / limit["matrix_product_gflops"])


@needs_torch
def test_the_step_beside_pytorch(tmp_path):
    result = step_result(tmp_path, hidden=("tensorflow",))
    check_peer(result, "torch")
    assert result["tensorflow"] is result["speed_ratio_tensorflow"] is None


@needs_tensorflow
def test_the_step_beside_tensorflow(tmp_path):
    result = step_result(tmp_path, hidden=("torch",))
    check_peer(result, "tensorflow", "_tensorflow")
    assert result["torch"] is result["speed_ratio"] is None


@needs_tensorflow
@pytest.mark.parametrize("name", ["mlp", "vgg", "unet"])
def test_tensorflow_computes_the_same(name, benchmarks):
    import cases
    import tensorflow_networks

    case = cases.make_case(name, 2, 32, 1 / 16, keep_probability=1.0)
    twin = tensorflow_networks.twin(name, case.network, 32, 1 / 16, keep_probability=1.0)
    y = case.network.forward(case.x, Run())[0]
    theirs = twin(tensorflow_networks.tensor(case.x), training=True)
    np.testing.assert_allclose(theirs.numpy(), y, rtol=0, atol=1e-3 * np.abs(y).max())
    loss = tensorflow_networks.loss(name)(theirs, tensorflow_networks.tensor(case.target))
    assert float(loss) == pytest.approx(float(case.loss(y, case.target)[0]), rel=1e-3)


def test_recomputing_takes_turns_with_ours(tmp_path):
    file = tmp_path / "step.json"
    done = call("training_step.py", "--network", "unet", "--batch", 4, "--side", 16, "--width", 0.05, "--repeats", 2,
                "--recompute", "--json", file, hidden=("torch", "tensorflow"), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "recomputing" in done.stdout
    result, = json.loads(file.read_text())
    check_peer(result, "recomputing", "_recomputing")


def test_several_networks_and_batches_in_one_run(tmp_path):
    file, picture = tmp_path / "steps.json", tmp_path / "steps.png"
    done = call("training_step.py", "--network", "mlp", "unet", "--batch", 2, 3, "--side", 16, "--width", 0.05,
                "--repeats", 1, "--json", file, "--plot", picture, "--instructions", "avx2", hidden=("tensorflow",),
                folder=tmp_path)
    assert done.returncode == 0, done.stderr
    results = json.loads(file.read_text())
    assert [(row["network"], row["batch"]) for row in results] == [("mlp", 2), ("mlp", 3), ("unet", 2), ("unet", 3)]
    assert {row["instructions"] for row in results} == {"avx2"}
    assert picture.read_bytes().startswith(PNG)


@pytest.mark.parametrize(("asked", "kept"), [([], None), (["--instructions", "avx2"], "Haswell")])
def test_instructions_are_the_same_for_all_whatever_the_environment(asked, kept, monkeypatch, benchmarks):
    import instructions

    started = []
    monkeypatch.setattr(os, "execve", lambda program, command, environment: started.append(environment))
    monkeypatch.setattr(sys, "argv", ["benchmark", *asked, "--repeats", "1"])
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    instructions.apply()
    environment, = started
    assert environment.get("OPENBLAS_CORETYPE") == kept
    monkeypatch.setattr(os, "environ", environment)
    instructions.apply()
    assert len(started) == 1, "what was asked for is there: nothing is started anew"


def inference_result(folder, *hidden):
    done = call("inference.py", "--network", "mlp", "--side", 16, "--batch", 2, 3, "--repeats", 2, "--threads", 1,
                "--json", folder / "inference.json", hidden=("openvino", "torch", "tensorflow", *hidden), folder=folder)
    assert done.returncode == 0, done.stderr
    assert "pip install onnx openvino" in done.stderr and "batch   3: ours" in done.stdout
    return json.loads((folder / "inference.json").read_text()), done


def test_inference_beside_onnxruntime(tmp_path):
    pytest.importorskip("onnx", reason='needs the extra "onnx"')
    pytest.importorskip("onnxruntime", reason='needs the extra "onnx"')
    rows, done = inference_result(tmp_path)
    assert [row["batch"] for row in rows] == [2, 3] and "onnxruntime" in done.stdout
    for row in rows:
        theirs, ours = (row["seconds_of_each_turn"][engine] for engine in ("onnxruntime", "prepared"))
        quotients = [t / o for t, o in zip(theirs, ours, strict=True)]
        assert row["ratio"] == {"onnxruntime": pytest.approx(sum(quotients) / 2)} and min(theirs + ours) > 0


def test_inference_without_a_runtime(tmp_path):
    rows, done = inference_result(tmp_path, "onnxruntime")
    assert all(row["ratio"] == {} for row in rows) and "pip install onnx onnxruntime" in done.stderr


@pytest.mark.parametrize("operation", ["forward", "input gradient", "kernel gradient"])
def test_rounding_is_measured_against_float64(operation, benchmarks):
    from convolution import Shape
    from rounding import layer_errors

    errors = layer_errors(Shape(8, 32, 32, 3), 2)[operation]
    assert errors.keys() == {"direct", "winograd"}
    assert all(1e-9 < error < 1e-5 for error in errors.values()), "the rounding of float32, not of float64"


def test_rounding_of_a_whole_gradient_is_that_of_its_method(benchmarks):
    from rounding import gradient_error

    errors = gradient_error("unet", 2, 16)
    assert 0 < errors["direct"] != errors["winograd"] > 0


def test_the_mlp_has_nothing_to_recompute():
    done = call("training_step.py", "--network", "mlp", "--recompute")
    assert done.returncode == 2
    assert "--recompute" in done.stderr and "Traceback" not in done.stderr


def test_every_convolution_of_the_networks(benchmarks):
    import convolution

    for name, layers, kernels in (("vgg", 13, [3]), ("unet", 19, [1, 3])):
        found = convolution.shapes(name, 32, 1 / 16)
        assert sum(found.values()) == layers
        assert sorted({shape.size for shape in found}) == kernels
    assert convolution.Shape(64, 3, 5, 3).gflop(2) == pytest.approx(2e-9 * 2 * 64 * 64 * 9 * 3 * 5)


@pytest.mark.parametrize("size", [1, 3])
def test_all_ways_to_convolve_compute_the_same(size, benchmarks):
    import convolution

    for calls in convolution.implementations(convolution.Shape(9, 5, 4, size), 2).values():
        results = {name: call() for name, call in calls.items()}
        ours = results["ours"]
        for name, result in results.items():
            if name == "PyTorch":
                order = (2, 3, 1, 0) if ours.shape[:2] == (size, size) else (0, 2, 3, 1)
                result = result.numpy().transpose(order)
            np.testing.assert_allclose(result, ours, rtol=0, atol=1e-4 * np.abs(ours).max())


def test_without_a_gpu_the_kernels_of_one_are_not_timed(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    done = call("cuda_convolution.py")
    assert (done.returncode, done.stdout) == (2, "")
    line, = done.stderr.splitlines()
    assert line.startswith("nothing measured: this needs CuPy and a GPU (")


@needs_compiler
@pytest.mark.parametrize(("inputs", "names"), [
    (1, {"plain fp32", "tiles fp32", "registers fp32", "first layer fp32"}),
    (4, {"plain fp32", "tiles fp32", "registers fp32", "tensor cores tf32"}),
])
def test_all_kernels_of_a_gpu_that_are_timed_compute_the_same(inputs, names, benchmarks):
    import cuda_convolution as benchmark

    shape = benchmark.Shape(6, inputs, 8, 3)
    arrays = benchmark.numbers(shape, 2, emulated)
    right, calls = benchmark.exact(arrays, shape.pad), benchmark.ours(arrays, shape.pad)
    assert calls["forward"].keys() == names and calls["kernel gradient"].keys() == names - {"tiles fp32",
                                                                                            "first layer fp32"}
    for operation, named in calls.items():
        for name, each in named.items():
            assert 0 < benchmark.error(each(), right[operation]) < (5e-3 if name.endswith("tf32") else 1e-5)


@needs_torch
@needs_compiler
@pytest.mark.parametrize("size", [1, 3])
def test_pytorch_beside_the_kernels_of_a_gpu_computes_the_same(size, benchmarks):
    import cuda_convolution as benchmark

    shape = benchmark.Shape(6, 4, 8, size)
    arrays = benchmark.numbers(shape, 2, np.asarray)
    right = benchmark.exact(tuple(map(emulated, arrays)), shape.pad)
    for operation, named in benchmark.pytorchs(arrays, shape.pad).items():
        assert named.keys() == {"PyTorch fp32", "PyTorch tf32"}
        for call in named.values():
            assert benchmark.error(np.asarray(call()), right[operation]) < 1e-5


class FakeEvent:
    """An event of CuPy's whose clock goes on by a millisecond at every record."""
    clock = 0

    def record(self):
        FakeEvent.clock += 1
        self.milliseconds = FakeEvent.clock

    def synchronize(self):
        pass


def test_the_kernels_of_a_gpu_take_turns_by_its_clock(benchmarks):
    import cuda_convolution as benchmark

    called = []
    cuda = SimpleNamespace(Event=FakeEvent, get_elapsed_time=lambda begin, end: end.milliseconds - begin.milliseconds)
    turns = benchmark.take_turns(SimpleNamespace(cuda=cuda), {name: lambda name=name: called.append(name)
                                                              for name in "ab"}, 2)
    assert called == list("ababab") and turns == {"a": [1e-3, 1e-3], "b": [1e-3, 1e-3]}
    row = {"side": 8, "inputs": 4, "outputs": 6, "operation": "forward", "name": "tiles fp32", "seconds": 2e-3,
           "tflops": 1.5, "error": 2e-6}
    text = benchmark.table({"batch": 3, "repeats": 2, "gpu": "a GPU", "pytorch": None, "rows": [row]})
    assert "not compared" in text
    assert re.fullmatch(r"8x8 +4 -> 6 +forward +tiles fp32 +2\.000 +1\.50 +2e-06", text.splitlines()[-1])


def test_the_table_of_convolutions(tmp_path, monkeypatch, capsys, benchmarks):
    import convolution

    small = {convolution.Shape(8, 1, 4, 3): 1, convolution.Shape(8, 4, 4, 3): 3}
    monkeypatch.setattr(convolution, "shapes", lambda network, side: Counter(small))
    files = tmp_path / "convolution.json", tmp_path / "convolution.png"
    monkeypatch.setattr(sys, "argv", ["convolution.py", "--network", "vgg", "--batch", "2", "--repeats", "2",
                                      "--json", str(files[0]), "--plot", str(files[1])])
    assert convolution.main() == 0
    result = json.loads(files[0].read_text())
    assert [row["operation"] for row in result["rows"]] == [
        "forward", "kernel gradient", "forward", "input gradient", "kernel gradient"]
    for row in result["rows"]:
        assert row["layers"] == {"vgg": 1 if row["inputs"] == 1 else 3}
        assert row["limit_seconds"] == pytest.approx(row["gflop"] / result["matrix_product_gflops"])
        assert all(len(turns) == 2 and min(turns) > 0 for turns in row["seconds_of_each_turn"].values())
    total = sum(row["layers"]["vgg"] * row["seconds"]["ours"] for row in result["rows"])
    assert f" {total * 1e3:.2f} " in capsys.readouterr().out.splitlines()[-1]
    assert files[1].read_bytes().startswith(PNG)


def test_a_side_that_the_network_cannot_halve():
    done = call("training_step.py", "--network", "vgg", "--side", 48)
    assert done.returncode == 2
    assert "multiple of 32" in done.stderr and "Traceback" not in done.stderr


def test_agreement_without_pytorch(tmp_path):
    done = call("agreement.py", "--small", hidden=("torch",), folder=tmp_path)
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


def test_agreement_judges(benchmarks):
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


def test_a_view_of_ddsm_comes_back_exactly(tmp_path):
    pytest.importorskip("imagecodecs")
    done = call("ddsm_view.py", "--lines", 64, "--pixels", 48, "--repeats", 1, "--json", tmp_path / "view.json")
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((tmp_path / "view.json").read_text())
    assert result["exact"] and len(result["stages"]) == 6 and "pixels exact" in done.stdout


@pytest.mark.skipif(not Path(sys.executable).with_name("mpiexec").exists(), reason="there is no mpiexec beside this "
                    "Python")
def test_ranks_take_turns_with_one_process(tmp_path):
    command = [Path(sys.executable).with_name("mpiexec"), "-n", "2", sys.executable, BENCHMARKS / "data_parallel.py",
               "--side", "32", "--width", "0.05", "--batch", "3", "--turns", "2", "--steps", "1", "--threads", "2",
               "--json", tmp_path / "ranks.json"]
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    result, = json.loads((tmp_path / "ranks.json").read_text())
    assert (result["ranks"], result["threads_of_a_rank"], len(result["ratios"])) == (2, 1, 2)
    for name in ("one_process_seconds", "ranks_seconds", "sum_seconds"):
        assert min(result[name]) > 0
    assert "| VGG, width 0.05 | " in done.stdout


def test_one_rank_alone_is_refused():
    done = call("data_parallel.py")
    assert done.returncode == 2 and "start it by mpiexec -n 2 python benchmarks/data_parallel.py" in done.stderr


def test_reading_a_large_table(tmp_path):
    done = call("reading.py", "--images", 1000, "--json", tmp_path / "reading.json")
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "reading.json").read_text())["rows"]
    assert [row["images"] for row in rows] == [100, 300, 1000]
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and all(re.search(r"\d images: read .* split .* cache .* us an image, \d+ MiB$", each)
                                   for each in lines)
    assert call("reading.py", "--images", 10).returncode == 2
