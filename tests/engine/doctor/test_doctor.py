"""python -m engine.doctor: what it says with and without a driver, a GPU, CuPy and g++, and its exit codes."""
import ctypes
import json
import shutil
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from engine.doctor import cuda, gradients, software, speed
from engine.doctor.command import PROBES, main
from engine.doctor.finding import Absent, Finding, Probe
from engine.doctor.report import as_json, page
from engine.gradient_check.result import Result
from engine.kernels.cuda.on_cpu import build
from engine.version import RELEASE


class Library:
    """libcuda as it is called. version: 12040 for CUDA 12.4; faults: what a function answers."""

    def __init__(self, version=13000, gpus=1, **faults):
        self.version, self.gpus, self.faults = version, gpus, faults

    def __getattr__(self, name):
        return lambda *arguments: self.faults[name] if name in self.faults else getattr(Library, f"on_{name}")(
            self, *(getattr(each, "_obj", each) for each in arguments)) or 0

    def on_cuInit(self, flags):
        assert flags == 0

    def on_cuDriverGetVersion(self, answer):
        answer.value = self.version

    def on_cuDeviceGetCount(self, answer):
        answer.value = self.gpus

    def on_cuDeviceGet(self, answer, number):
        answer.value = number + 40

    def on_cuDeviceGetName(self, answer, size, device):
        answer.value = f"GPU {device - 40}".encode()
        assert size == 256

    def on_cuDeviceTotalMem_v2(self, answer, device):
        answer.value = 24 << 30

    def on_cuDeviceGetAttribute(self, answer, attribute, device):
        answer.value = {75: 9, 76: 0}[attribute]

    def on_cuGetErrorName(self, code, answer):
        answer.value = {999: b"CUDA_ERROR_UNKNOWN"}.get(code)


def fake_cupy(asarray=np.asarray, count=lambda: 1, nvrtc=lambda: (13, 0)):
    runtime = types.SimpleNamespace(runtimeGetVersion=lambda: 13020, getDeviceCount=count,
                                    deviceSynchronize=lambda: None)
    return types.SimpleNamespace(__version__="14.2.0", asarray=asarray, cuda=types.SimpleNamespace(
        runtime=runtime, nvrtc=types.SimpleNamespace(getVersion=nvrtc)))


@pytest.fixture
def machine(monkeypatch):
    """machine(driver, cupy, compiler) is what is there; findings by group and name, and the exit code, as they come."""
    monkeypatch.setattr(speed, "SECONDS", 0)
    monkeypatch.setattr(speed, "CPU", (8, 1))
    monkeypatch.setattr(speed, "GPU", (8, 1))

    def looked(capsys, driver=None, cupy=None, compiler=True):
        def load(name):
            assert name == "libcuda.so.1"
            if driver is None:
                raise OSError("no such file")
            return driver

        monkeypatch.setattr(cuda, "ctypes", types.SimpleNamespace(**vars(ctypes) | {"CDLL": load}))
        if cupy is None:
            monkeypatch.setitem(sys.modules, "cupy", None)
        else:
            monkeypatch.setitem(sys.modules, "cupy", cupy)
        if not compiler:
            monkeypatch.setattr(build.shutil, "which", lambda name: None)
        code = main(["--json", "--quiet"])
        out, error = capsys.readouterr()
        assert not error
        findings = [Finding(**each) for each in json.loads(out)]
        return {(each.group, each.name): each for each in findings}, code

    return looked


def states(found, *keys):
    return [found[key].state for key in keys]


GPU = [("CUDA", "Driver"), ("CUDA", "GPU"), ("CUDA", "CuPy"), ("CUDA", "NVRTC"), ("Gradients", "on a GPU"),
       ("Speed", "GPU")]
COMPILER = [("CUDA", "g++"), ("Gradients", "CUDA on the CPU")]


def test_a_machine_with_nothing_but_numpy_is_all_right(machine, capsys):
    found, code = machine(capsys, compiler=False)
    assert code == 0
    assert {key for key, finding in found.items() if finding.state == "absent"} == {*GPU, *COMPILER}
    assert {key for key, finding in found.items() if finding.state == "broken"} == set()
    remedies = {key: finding.remedy for key, finding in found.items() if finding.remedy}
    assert remedies.keys() == {("CUDA", "Driver"), ("CUDA", "CuPy"), ("CUDA", "g++")}
    assert ".[cuda12]" in remedies["CUDA", "CuPy"] and ".[cuda13]" in remedies["CUDA", "CuPy"]
    assert found["Gradients", "on NumPy"].details["error"] < 1e-6


@pytest.mark.skipif(not shutil.which("g++"), reason="needs g++")
def test_a_compiler_runs_the_cuda_kernels(machine, capsys):
    found, code = machine(capsys)
    assert code == 0 and states(found, *COMPILER) == ["works", "works"]
    assert found["Gradients", "CUDA on the CPU"].details["launches"] > 10


def test_a_gpu_that_works(machine, capsys):
    found, code = machine(capsys, Library(gpus=2), fake_cupy())
    assert code == 0 and states(found, *GPU) == ["works"] * 6
    assert found["CUDA", "GPU"].text == ("GPU 0, 24 GiB, compute capability 9.0; "
                                         "GPU 1, 24 GiB, compute capability 9.0")
    assert found["CUDA", "Driver"].text == "for CUDA 13.0 or older"
    assert found["Gradients", "on a GPU"].details["error"] < 1e-6
    assert found["Speed", "GPU"].details["convolution_gflops"] > 0


@pytest.mark.parametrize(("version", "extra"), [(12040, "cuda12"), (13000, "cuda13"), (14010, "cuda13")])
def test_the_cupy_to_install_is_that_of_the_driver(version, extra, machine, capsys):
    found, code = machine(capsys, Library(version))
    assert code == 0 and states(found, *GPU) == ["works", "works", "absent", "absent", "absent", "absent"]
    assert found["CUDA", "CuPy"].remedy == f'pip install -e ".[{extra}]"'


def test_a_driver_that_is_too_old(machine, capsys):
    found, code = machine(capsys, Library(11080))
    assert code == 1 and found["CUDA", "Driver"].state == "broken"
    assert "for CUDA 11.8 at most; CuPy is for 12 and 13" in found["CUDA", "Driver"].text


def test_a_driver_that_does_not_work_beside_cupy(machine, capsys):
    found, code = machine(capsys, Library(cuInit=999), fake_cupy(count=lambda: 1 / 0))
    assert code == 1 and states(found, *GPU) == ["works", "broken", "works", "works", "absent", "absent"]
    assert found["CUDA", "GPU"].text == "does not work: cuInit answers CUDA_ERROR_UNKNOWN (999)"


def test_a_driver_without_gpus_is_no_fault(machine, capsys):
    found, code = machine(capsys, Library(gpus=0), fake_cupy())
    assert code == 0 and found["CUDA", "GPU"].text == "the driver finds none"


def test_a_cupy_that_cannot_use_the_gpu(machine, capsys):
    def fails(array):
        raise RuntimeError("cudaErrorNoKernelImageForDevice: no kernel image\nand more")

    found, code = machine(capsys, Library(), fake_cupy(fails))
    assert code == 1 and states(found, *GPU)[4:] == ["broken", "broken"]
    assert found["Gradients", "on a GPU"].text == (
        "does not work: RuntimeError: cudaErrorNoKernelImageForDevice: no kernel image")


def test_a_gpu_whose_gradients_are_wrong(machine, capsys, monkeypatch):
    monkeypatch.setattr(gradients, "difference", lambda case, move: 0.5)
    found, code = machine(capsys, Library(), fake_cupy())
    assert code == 1 and "a gradient is wrong: its relative error is 5.0e-01" in found["Gradients", "on a GPU"].text


def test_cupy_without_its_libraries(machine, capsys):
    def lacks():
        raise RuntimeError("CuPy failed to load libnvrtc.so.13")

    found, code = machine(capsys, Library(), fake_cupy(nvrtc=lacks))
    assert code == 1 and found["CUDA", "NVRTC"].text == ("does not work: RuntimeError: CuPy failed to load "
                                                         "libnvrtc.so.13")
    assert ".[cuda13]" in found["CUDA", "NVRTC"].remedy


def test_a_cupy_that_cannot_be_imported(machine, capsys, monkeypatch):
    def import_module(name):
        raise ImportError("libcublas.so.13: cannot open shared object file")

    monkeypatch.setattr(cuda, "import_module", import_module)
    found, code = machine(capsys, Library(), fake_cupy())
    assert code == 1 and states(found, *GPU)[2:] == ["broken", "absent", "absent", "absent"]
    assert "libcublas.so.13" in found["CUDA", "CuPy"].text


def test_wrong_gradients_on_numpy(machine, capsys, monkeypatch):
    wrong = [Result("doctor", "conv.W", 0.5, False, "numeric 1, exact 2")]
    monkeypatch.setattr(gradients, "examine", lambda case: wrong)
    found, code = machine(capsys, compiler=False)
    assert code == 1
    assert found["Gradients", "on NumPy"].text == "does not work: 1 of 1 checks failed; conv.W: numeric 1, exact 2"


def test_the_difference_sees_a_wrong_gradient(monkeypatch):
    assert gradients.difference(gradients.case(), np.asarray) < 1e-6
    backward = gradients.Dense.backward

    def halved(self, dy, saved):
        dx, grads = backward(self, dy, saved)
        return dx / 2, grads

    monkeypatch.setattr(gradients.Dense, "backward", halved)
    assert gradients.difference(gradients.case(), np.asarray) > 1e-3


def test_a_library_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(software, "LIBRARIES", ("no-such-library",))
    finding = Probe("Software", "Libraries", software.libraries).finding()
    assert (finding.state, finding.text, finding.remedy) == (
        "broken", "does not work: no-such-library is not installed", "pip install -e .")


def test_what_a_probe_raises_is_one_line():
    def fails():
        raise OSError("\n  disk on fire\nat line 3")

    def is_absent():
        raise Absent("not there", "get one")

    finding = Probe("A", "b", fails).finding()
    assert (finding.state, finding.text) == ("broken", "does not work: OSError: disk on fire")
    assert Probe("A", "c", is_absent).finding() == Finding("A", "c", "absent", "not there", remedy="get one")


FINDINGS = [Finding("One", "a", "works", "text of a", {"numbers": [1, 2.5, None]}),
            Finding("One", "longer", "absent", "text of b", remedy="install b"),
            Finding("Two", "c", "broken", "does not work: text of c", remedy="mend c")]


def test_the_json_holds_all_that_was_found():
    assert [Finding(**each) for each in json.loads(as_json(FINDINGS))] == FINDINGS


def test_the_page_is_aligned_and_ends_with_what_does_not_work():
    lines = page(FINDINGS).splitlines()
    assert lines == ["One", "  a       text of a", "- longer  text of b", "",
                     "Two", "! c       does not work: text of c", "",
                     "What to do", "  longer  install b", "  c       mend c", "",
                     "Does not work (!): c (Two)"]
    assert page(FINDINGS[:1]).endswith("All that is there works")
    assert page(FINDINGS[:2]).endswith("All that is there works; what is not is marked by -: 1")


def test_help_version_and_wrong_calls(capsys):
    for arguments, code, message in ((["--help"], 0, "examples:\n  python -m engine.doctor "),
                                     (["--version"], 0, f"python -m engine.doctor of {RELEASE}"),
                                     (["--nonsense"], 2, "unrecognized arguments: --nonsense")):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        printed = capsys.readouterr()
        assert ended.value.code == code and message in printed.out + printed.err


def test_the_command_on_this_machine():
    ended = subprocess.run([sys.executable, "-m", "engine.doctor"], capture_output=True, text=True, timeout=120,
                           cwd=Path(__file__).parents[3])
    assert ended.returncode in (0, 1) and not ended.stderr and "Traceback" not in ended.stdout
    assert all(f" {probe.name} " in ended.stdout for probe in PROBES)
    assert " GFLOP/s in a matrix product of 1024" in ended.stdout
