"""python -m engine.gradient_check: table, files and exit codes."""
import json
import os
import subprocess
import sys
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from engine.gradient_check import distinct, layer_case
from engine.gradient_check.case import Case, generator
from engine.gradient_check.command import main
from engine.gradient_check.report import table
from engine.gradient_check.result import Result
from engine.gradient_check.step_size import sweep
from engine.gradient_check.suite import OWN, all_cases, chosen, examine
from engine.layers import ReLU, Sigmoid, Tanh
from engine.version import __version__

ENGINE_CASES = all_cases([OWN])


class Halved(Tanh):
    def backward(self, dy, saved):
        return super().backward(dy, saved)[0] / 2, {}


class Broken(ReLU):
    def piece(self, x, y):
        raise RuntimeError("out of order")


def cases():
    yield layer_case("Sigmoid", "small", Sigmoid(), 2, 3)
    yield layer_case("Tanh", "", Tanh(), 2, 3)


def run(*arguments):
    return main([__name__, *map(str, arguments)])


@pytest.fixture
def with_wrong(monkeypatch):
    right = list(cases())
    x = distinct(np.random.default_rng(0), 2, 3)
    monkeypatch.setattr(sys.modules[__name__], "cases",
                        lambda: [*right, Case("Halved", "", Halved(), x), Case("Broken", "", Broken(), x)])


@pytest.mark.parametrize("case", ENGINE_CASES, ids=[case.name for case in ENGINE_CASES])
def test_every_layer_and_loss_of_the_engine_passes(case):
    results = examine(case)
    assert all(result.passed for result in results), [r.message for r in results if not r.passed]
    assert {result.parameter for result in results} == {"(purity)", "x", *case.layer.parameters(),
                                                    *case.layer.moving_averages()}


def test_every_layer_and_loss_has_a_case():
    from engine import layers, losses
    kinds = {case.kind for case in ENGINE_CASES}
    assert set(layers.__all__) - {"Activation"} <= kinds
    covered = kinds | {f"{kind}_with_logits" for kind in kinds}
    assert set(losses.__all__) - {"Loss", "from_logits"} <= covered


def test_names_are_unique():
    names = [case.name for case in ENGINE_CASES]
    assert len(names) == len(set(names))


def test_all_right_is_exit_code_0_with_a_table_and_json(tmp_path, capsys):
    assert run("--json", tmp_path / "g.json") == 0
    out, error = capsys.readouterr()
    assert out.splitlines()[0].split() == ["name", "parameter", "worst", "relative", "error", "verdict"]
    assert "4 of 4 checks of 2 layers, losses and networks passed" in out
    assert not error  # no progress bar in a log
    rows = json.loads((tmp_path / "g.json").read_text())
    assert [(r["name"], r["parameter"]) for r in rows] == [("Sigmoid: small", "(purity)"), ("Sigmoid: small", "x"),
                                                           ("Tanh", "(purity)"), ("Tanh", "x")]
    assert all(r.keys() == {"name", "parameter", "error", "resolution", "passed"} for r in rows)
    assert all(r["passed"] and r["error"] < 1e-6 and r["resolution"] == 0 for r in rows)
    assert [file.name for file in tmp_path.iterdir()] == ["g.json"]


def test_one_failure_is_exit_code_1_and_hides_no_other_result(with_wrong, tmp_path, capsys):
    assert run("--json", tmp_path / "g.json") == 1
    out = capsys.readouterr().out
    assert "FAILED: Halved, x: " in out and "FAILED: Broken, (purity): the check raised RuntimeError" in out
    rows = {(r["name"], r["parameter"]): r for r in json.loads((tmp_path / "g.json").read_text())}
    assert rows["Tanh", "x"]["passed"]
    assert not rows["Halved", "x"]["passed"] and rows["Halved", "x"]["error"] == pytest.approx(0.5, rel=0.01)
    assert rows["Broken", "(purity)"]["error"] is None


def test_only_takes_a_name_or_a_kind(with_wrong, capsys):
    for name in ("Sigmoid", "sigmoid: small", "tanh"):
        assert run("--only", name) == 0
    assert run("--only", "Halved") == 1
    assert {case.kind for case in chosen(ENGINE_CASES, "batchnorm")} == {"BatchNorm"}


def test_an_unknown_name_lists_the_names_and_is_exit_code_2(capsys):
    with pytest.raises(SystemExit) as ended:
        run("--only", "Sigmiod")
    error = capsys.readouterr().err
    assert ended.value.code == 2
    assert "'Sigmiod'" in error and "Sigmoid: small" in error and "\n  Tanh" in error


@pytest.mark.parametrize(("arguments", "message"), [
    (["--json", "absent/g.json"], "there is no folder"),
    (["--plot", "absent/g.png"], "there is no folder"),
    (["--json", "."], "is a folder"),
    (["--plot", "g.xyz"], "must end in .png, .pdf or .svg"),
    (["--nonsense"], "unrecognized arguments"),
])
def test_a_wrong_call_is_exit_code_2_before_anything_runs(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        run(*arguments)
    out, error = capsys.readouterr()
    assert ended.value.code == 2 and message in error and not out


def test_the_picture_is_written_whole_and_wrong_curves_are_named(with_wrong, tmp_path, capsys):
    assert run("--only", "Halved", "--plot", tmp_path / "curves.png") == 1
    assert "Halved: wrong: flat at" in capsys.readouterr().out
    picture = matplotlib.image.imread(tmp_path / "curves.png")
    vermilion = np.abs(picture[..., :3] - np.array([0xD5, 0x5E, 0x00]) / 255).max(-1) < 0.05
    assert vermilion.sum() > 100
    assert [file.name for file in tmp_path.iterdir()] == ["curves.png"]
    assert run("--only", "Tanh", "--plot", tmp_path / "CURVES.PNG") == 0
    assert run("--only", "Tanh", "--plot", tmp_path / "curves.svg") == 0
    assert (tmp_path / "curves.svg").read_text().lstrip().startswith("<?xml")


def test_a_layer_without_a_curve_does_not_stop_the_picture(with_wrong, tmp_path, capsys):
    assert run("--plot", tmp_path / "curves.png") == 1
    assert "2 of 4 error curves are those of a right gradient" in capsys.readouterr().out
    assert run("--only", "Broken", "--plot", tmp_path / "none.png") == 1
    assert (tmp_path / "none.png").exists()


def test_a_failure_carries_what_every_check_found(with_wrong, capsys):
    run("--only", "Halved")
    message = capsys.readouterr().out.split("FAILED: Halved, x: ")[1]
    assert "along a random direction: numeric" in message and "complex step" in message and "worst entry [" in message


def test_a_disk_that_fails_is_one_message_and_exit_code_1(tmp_path, monkeypatch, capsys):
    def full(*arguments, **named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert run("--json", tmp_path / "g.json") == 1
    out, error = capsys.readouterr()
    assert "4 of 4 checks" in out and "could not be written: [Errno 28] No space left" in error
    assert not list(tmp_path.iterdir())


def test_help_shows_examples_from_the_command_line():
    ended = subprocess.run([sys.executable, "-m", "engine.gradient_check", "--help"], capture_output=True, text=True)
    assert ended.returncode == 0
    assert "python -m engine.gradient_check --only BatchNorm" in ended.stdout and "exit code" in ended.stdout
    assert "python -m engine.gradient_check engine models " in ended.stdout


MODULES = {"mine": """
from engine.gradient_check import layer_case
from engine.layers import Tanh
def cases():
    yield layer_case("MyTanh", "of a user", Tanh(), 2, 3)
""", "of_nothing": "cases = 3", "empty": "", "with_a_slip": "import numpy\ndef cases(:",
           "needy": "import no_such_library",
           "ends": "raise SystemExit(7)", "late": "def cases():\n    yield 1 / 0", "odd": "def cases():\n    yield 3"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The modules above, in the current folder."""
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in MODULES:
        sys.modules.pop(name, None)


def test_modules_of_the_current_folder_are_checked_and_no_others(folder, capsys):
    before = list(sys.path)
    assert main(["mine"]) == 0
    assert "2 of 2 checks of 1 layers, losses and networks passed" in capsys.readouterr().out
    (folder / "package").mkdir()
    for name, text in (("__init__", ""), ("gradient_cases", MODULES["mine"])):
        (folder / "package" / f"{name}.py").write_text(text)
    assert main(["package"]) == 0
    assert "2 of 2 checks of 1 layers, losses and networks passed" in capsys.readouterr().out
    assert main(["mine", __name__]) == 0
    assert "6 of 6 checks of 3 layers" in capsys.readouterr().out
    assert sys.path == before


@pytest.mark.parametrize("flags", [[], ["-P"]])
def test_a_module_of_the_current_folder_from_the_command_line(flags, folder):
    command = [sys.executable, *flags, "-m", "engine.gradient_check"]
    ended = subprocess.run([*command, "mine"], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "") and "MyTanh: of a user" in ended.stdout
    ended = subprocess.run([*command, "empty"], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (2, "") and "Traceback" not in ended.stderr


@pytest.mark.parametrize(("module", "message"), [
    ("absent", "there is no module 'absent'; expected a name as in an import"),
    ("mine.py", "there is no module 'mine.py'; expected"),
    ("engine.absent.cases", "there is no module 'engine.absent.cases'; expected"),
    (".mine", "the module '.mine' cannot be imported: TypeError"),
    ("", "the module '' cannot be imported: ValueError"),
    ("of_nothing", "of_nothing.py, has no function cases(); expected one that gives the cases"),
    ("empty", "empty.py, has no function cases()"),
    ("with_a_slip", "the module 'with_a_slip' cannot be imported: SyntaxError"),
    ("needy", "the module 'needy' cannot be imported: ModuleNotFoundError: No module named 'no_such_library'"),
    ("ends", "the module 'ends' cannot be imported: SystemExit: 7"),
    ("late", "cases() of the module 'late' raised ZeroDivisionError"),
    ("odd", "cases() of the module 'odd' gave a int; expected a Case"),
])
def test_what_is_no_module_with_cases_is_one_message_and_exit_code_2(module, message, folder, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["mine", module])
    out, error = capsys.readouterr()
    assert ended.value.code == 2 and not out and message in error


def test_without_a_module_the_engines_own_are_checked(capsys):
    assert main(["--only", "Flatten", "--quiet"]) == 0
    assert "2 of 2 checks" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--only", "vgg"])
    assert "there is nothing named 'vgg'" in capsys.readouterr().err


def test_a_kink_counts_as_not_passed():
    row = Result("a", "x", 0.0, False, "kink 1e-9 away", kink=True)
    assert row.verdict == "kink"


def test_a_gradient_too_small_to_tell_is_shown_as_that(capsys):
    rows = [Result("a", "x", 0.7, True, resolution=0.9), Result("a", "W", 0.001, True, resolution=0.004),
            Result("a", "b", 2e-9, True)]
    lines = table(rows).splitlines()
    assert [" ".join(line.split()[2:]) for line in lines[2:5]] == ["- too small", "<4e-03 passed", "2.0e-09 passed"]
    assert lines[-1].startswith("3 of 3 checks") and "in 1 the gradient is too small" in lines[-1]


def test_a_name_with_dollars_is_drawn_as_it_is(monkeypatch, tmp_path):
    monkeypatch.setattr(sys.modules[__name__], "cases", lambda: [layer_case("$\\frac$ of_$", "", Tanh(), 2, 3)])
    assert run("--plot", tmp_path / "curves.svg") == 0


@pytest.mark.parametrize("name", ["a" * 300 + ".png", "\udcff.png"])
def test_an_odd_name_is_one_message_or_a_file(name, tmp_path, capsys):
    try:
        assert run("--only", "Tanh", "--plot", tmp_path / name) == 0
        assert (tmp_path / name).exists()
    except SystemExit as ended:
        assert ended.code == 2 and "cannot be written" in capsys.readouterr().err


def test_a_place_without_permission_is_refused_before_anything_runs(tmp_path, monkeypatch, capsys):
    def forbidden(self):
        raise PermissionError(13, "Permission denied")

    for place, fault in ((Path, ("is_dir", forbidden)), (os, ("access", lambda *arguments: False))):
        with monkeypatch.context() as patched, pytest.raises(SystemExit) as ended:
            patched.setattr(place, *fault)
            run("--plot", tmp_path / "curves.png")
        out, error = capsys.readouterr()
        assert ended.value.code == 2 and not out and ("Permission denied" in error or "no permission" in error)


def test_the_version_is_that_of_the_project(capsys):
    with pytest.raises(SystemExit) as ended:
        run("--version")
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"python -m engine.gradient_check of mammography-from-scratch {__version__}\n"


def test_every_loss_has_a_right_curve():
    """The largest step of a sweep leaves no prediction outside of [0, 1], which the losses would refuse."""
    cases = [case for case in all_cases([OWN, "models"]) if type(case.layer).__name__ == "Loss"]
    assert len(cases) >= 14
    assert all(sweep(case.layer, case.x, case.run, generator(case.name), case.name).right for case in cases)
