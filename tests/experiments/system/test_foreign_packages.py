"""Commands where other packages are called engine, models or experiments, and in a checkout that nobody installed."""
import os
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import engine
import experiments
from experiments.system import foreign_packages
from experiments.system.foreign_packages import NAMES, foreign_package

ROOT = Path(experiments.__file__).parents[1]
COMMANDS = sorted(path.stem for path in (ROOT / "experiments").glob("*.py") if path.stem != "__init__")
LIBRARIES = Path(np.__file__).parents[1]
BEGIN = "from experiments.system.command import before_imports; before_imports(); print('begun')"


def foreign(folder, *names):
    """A folder with packages of these names; each ends the process that imports it."""
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"raise SystemExit('the foreign {name} was imported')\n")
    return folder


def run(*arguments, cwd=ROOT, path=()):
    """Exit code, output and errors of Python with these arguments, the folders of `path` as its PYTHONPATH."""
    done = subprocess.run([sys.executable, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=120,
                          env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))})
    return done.returncode, done.stdout, done.stderr


def is_one_message(ended, name, place):
    code, output, errors = ended
    return (code, output, errors.count("\n")) == (2, "", 1) and errors.startswith(
        f"error: the package '{name}' that Python takes is {place}")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_takes_its_own_checkout(command, tmp_path):
    """Whatever lies in the current directory and on PYTHONPATH."""
    other = foreign(tmp_path, *NAMES)
    code, output, errors = run(ROOT / "experiments" / f"{command}.py", "--version", cwd=other, path=[other])
    assert (code, errors) == (0, "") and output.startswith(f"{command}.py of mammography-from-scratch ")


@pytest.fixture
def checkout(tmp_path):
    """A copy of the packages, of a version that is installed nowhere."""
    for name in NAMES:
        shutil.copytree(ROOT / name, tmp_path / "checkout" / name, ignore=shutil.ignore_patterns("__pycache__"))
    version = tmp_path / "checkout" / "engine" / "version.py"
    version.write_text(re.sub(r'__version__ = ".*"', '__version__ = "99.0"', version.read_text()))
    return tmp_path / "checkout"


def test_a_checkout_that_is_not_installed(checkout):
    """-S leaves out what is installed, .pth files too; the libraries come by PYTHONPATH, after another checkout."""
    script = checkout / "experiments" / "convert_ddsm.py"
    ended = run("-S", script, "--version", cwd=checkout.parent, path=[LIBRARIES])
    assert ended == (0, "convert_ddsm.py of mammography-from-scratch 99.0\n", "")
    assert run(script, "--version", cwd=checkout.parent, path=[ROOT]) == ended
    link = checkout.parent / "convert"
    link.symlink_to(script)
    assert run(link, "--version", path=[ROOT]) == (0, "convert of mammography-from-scratch 99.0\n", "")


@pytest.mark.parametrize("name", ["engine", "models"])
def test_a_package_imported_before_the_command_is_noticed(name, tmp_path):
    """As sitecustomize does it, which Python imports at its start."""
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    (tmp_path / "sitecustomize.py").write_text(f"import {name}\n")
    ended = run(ROOT / "experiments" / "end2end.py", "--version", path=[tmp_path])
    assert is_one_message(ended, name, tmp_path / name / "__init__.py") and str(ROOT) in ended[2]


@pytest.mark.parametrize("name", ["engine", "models"])
def test_a_package_that_would_be_imported_is_noticed_where_a_module_is_run(name, tmp_path):
    """`python -m` begins with the current directory."""
    other = foreign(tmp_path, name)
    ended = run("-m", "experiments.datasets.synthetic", "--version", cwd=other, path=[ROOT])
    assert is_one_message(ended, name, other / name / "__init__.py")
    assert run("-m", "experiments.datasets.synthetic", "--version", path=[other])[0] == 0


def test_the_beginning_of_a_command_imports_none_of_the_packages(tmp_path):
    other = foreign(tmp_path, "engine")
    assert is_one_message(run("-c", BEGIN, cwd=other, path=[ROOT]), "engine", other / "engine" / "__init__.py")
    assert run("-c", BEGIN) == (0, "begun\n", "")
    code, output, _ = run("-c", f"{BEGIN}; import sys; print('engine' in sys.modules)")
    assert (code, output) == (0, "begun\nFalse\n")


def test_a_module_and_a_folder_of_the_name(tmp_path):
    """A file models.py is as foreign as a package; a folder without __init__.py is taken only where there is no other,
    as Python has it."""
    (tmp_path / "models.py").write_text("")
    (tmp_path / "engine").mkdir()
    assert is_one_message(run("-c", BEGIN, cwd=tmp_path, path=[ROOT]), "models", tmp_path / "models.py")


def test_this_process_has_its_own(monkeypatch):
    assert foreign_package() is None
    monkeypatch.setitem(sys.modules, "engine", types.ModuleType("engine"))
    assert foreign_package().startswith("the package 'engine' that Python takes is one of an unknown place, not that")
    monkeypatch.setitem(sys.modules, "engine", engine)
    monkeypatch.setattr(foreign_packages, "NAMES", ("a_package_that_there_is_not",))
    assert "'a_package_that_there_is_not' that Python takes is one of an unknown place" in foreign_package()
