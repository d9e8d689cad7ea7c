"""--kernels cuda-on-cpu: the checks go through the CUDA kernels, and what does not is noticed."""
import re
import shutil

import numpy as np
import pytest

from engine import kernels
from engine.gradient_check import layer_case
from engine.gradient_check.command import main
from engine.gradient_check.cuda_on_cpu import ALL, KERNELS, CudaOnCpu, moved
from engine.gradient_check.suite import OWN, all_cases, examine
from engine.kernels.cuda.arrays import EmulatedArray
from engine.kernels.cuda.on_cpu import build, program
from engine.layers import Conv2D, ReLU, Tanh

needs_compiler = pytest.mark.skipif(not shutil.which("g++"), reason="needs g++, which runs CUDA kernels on the CPU")


class Ordinary(ReLU):
    """As many layers would do it: a new array of NumPy's own."""
    def value(self, a):
        return super().value(np.asarray(a))


class TwoWidths(Conv2D):
    """The kernel in float32: the launcher, which takes one type, leaves it to the definition."""
    def forward(self, x, run):
        return kernels.correlate(x, self.params["W"].astype("float32"), self.params["b"], (1, 1), ((1, 1), (1, 1))), x


def cases():
    yield layer_case("ReLU", "", ReLU(), 2, 3)
    yield layer_case("Tanh", "", Tanh(), 2, 3)


def checked(layer, *shape):
    case = moved(layer_case(type(layer).__name__, "", layer, *shape))
    through = CudaOnCpu(examine)
    return case, through, through(case)


def convolution(kind=Conv2D):
    return kind(2, 3, rng=np.random.default_rng(0), dtype="float64")


@needs_compiler
def test_the_command_tells_what_was_launched(capsys):
    assert main([__name__, "--kernels", "cuda-on-cpu"]) == 0
    *_, passed, launched = capsys.readouterr().out.splitlines()
    assert passed.startswith("4 of 4 checks of 2 layers")
    assert re.fullmatch(r"\d+ CUDA kernels were launched \d+ times on the CPU; 1 of 2 cases call none", launched)


@needs_compiler
def test_every_layer_and_loss_of_the_engine_passes():
    through = CudaOnCpu(examine)
    results = [result for case in all_cases([OWN]) for result in through(moved(case))]
    assert all(result.passed for result in results), [r for r in results if not r.passed]
    assert through.launched.total() > 1000


@needs_compiler
def test_a_layer_is_checked_through_the_kernels_and_complex_numbers_through_the_definitions():
    case, through, results = checked(convolution(), 2, 5, 4, 2)
    assert all(result.passed for result in results), results
    assert {result.parameter for result in results} == {"(purity)", "x", "W", "b"}
    assert isinstance(case.x, EmulatedArray) and isinstance(case.layer.params["W"], EmulatedArray)
    assert sum(count for kernel, count in through.launched.items() if kernel.startswith("convolution")) > 10


@needs_compiler
def test_a_losss_target_is_moved_with_it():
    loss, = (case for case in all_cases([OWN]) if case.name == "dice")
    assert isinstance(moved(loss).layer.target, EmulatedArray)


@needs_compiler
def test_arrays_that_become_ordinary_ones_fail_the_case():
    results = checked(Ordinary(), 2, 3)[2]
    assert results[-1].parameter == KERNELS and not results[-1].passed
    assert "NumPy's versions of relu were called" in results[-1].message


@needs_compiler
def test_kernels_that_are_left_to_their_definitions_fail_the_case():
    results = checked(convolution(TwoWidths), 2, 5, 4, 2)[2]
    assert results[-1].parameter == KERNELS and "though correlate has one" in results[-1].message


@needs_compiler
def test_a_mistake_in_a_kernels_text_fails_its_layer_and_no_other(monkeypatch):
    right = program.text_of

    def wrong(file):
        return right(file).replace("* (o[i] > 0)", "* (o[i] >= 0)") if file == "activations" else right(file)

    assert wrong("activations") != right("activations")
    monkeypatch.setattr(program, "text_of", wrong)
    _, _, results = checked(ReLU(), 2, 3)
    assert [result.verdict for result in results if result.parameter == "x"] == ["FAILED"]
    assert all(result.passed for result in checked(convolution(), 2, 5, 4, 2)[2])


@needs_compiler
def test_what_is_registered_is_the_same_afterwards():
    before = [dict(kernel.registry) for kernel in ALL]
    checked(Ordinary(), 2, 3)
    assert before == [dict(kernel.registry) for kernel in ALL]


def test_without_a_compiler_it_is_one_message_and_exit_code_2(monkeypatch, capsys):
    monkeypatch.setattr(build.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit) as ended:
        main([__name__, "--kernels", "cuda-on-cpu"])
    out, error = capsys.readouterr()
    assert ended.value.code == 2 and not out
    assert "--kernels cuda-on-cpu: no g++ found" in error and "install it" in error
