"""Exercises know the engine and the models, and nothing else of the project; nothing knows the exercises."""
import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = {"engine", "models", "experiments", "benchmarks", "exercises", "docs", "tests"}


def imported(file):
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: a relative import"
            yield node.module.split(".")[0]


def test_exercises_import_engine_and_models_alone():
    files = list((ROOT / "exercises").rglob("*.py"))
    assert files
    for file in files:
        assert {name for name in imported(file) if name in PROJECT} <= {"engine", "models", "exercises"}, file


def test_nothing_imports_exercises():
    files = [file for package in ("engine", "models", "experiments", "benchmarks")
             for file in (ROOT / package).rglob("*.py")]
    assert files
    assert not [file for file in files if "exercises" in imported(file)]
