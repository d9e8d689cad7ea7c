"""The packages of the experiments depend downward only: each imports from those before it in ORDER, and no command."""
import ast
from pathlib import Path

import pytest

import experiments

ROOT = Path(experiments.__file__).parent
ORDER = ("system", "datasets", "configuration", "inputs", "runs", "evaluation", "detectors", "classifiers", "reporting",
         "evaluating", "prediction", "exporting", "reproduction")


def imported(path):
    """(line, module) of every import of this project in the file, wherever in it; of names, if they are modules."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, each.name) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: expected an import by the full name"
            for each in node.names:
                yield node.lineno, f"{node.module}.{each.name}"


def upward(path, package):
    """The imports in the file of `package` that do not point down, as messages."""
    allowed = ORDER[:ORDER.index(package) + 1]
    for line, module in imported(path):
        parts = module.split(".")
        if parts[0] == "experiments" and parts[1] not in allowed:
            yield f"{path.relative_to(ROOT.parent)}:{line}: {package} imports {module}"


def test_every_package_has_a_place_in_the_order():
    assert sorted(path.parent.name for path in ROOT.glob("*/__init__.py")) == sorted(ORDER)


@pytest.mark.parametrize("package", ORDER)
def test_imports_point_downward(package):
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    assert [found for path in files for found in upward(path, package)] == []


def test_an_import_that_points_upward_is_found(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path / "experiments")
    path = tmp_path / "experiments" / "datasets" / "wrong.py"
    path.parent.mkdir(parents=True)
    path.write_text("from experiments.system import errors\n\ndef late():\n    from experiments import reporting\n")
    assert list(upward(path, "datasets")) == [f"{path.relative_to(tmp_path)}:4: datasets imports experiments.reporting"]


def test_only_commands_stand_at_the_root():
    for path in sorted(ROOT.glob("*.py")):
        if path.name != "__init__.py":
            assert "\nif __name__ == \"__main__\":\n    run_command(main" in path.read_text(encoding="utf-8"), path.name
