"""Imports point one way: every part of the engine knows only those below it, the models only the engine."""
import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# From below to above. A module or package imports those of the rows above its own in this list, and nothing else of
# the engine but what is inside itself.
ORDER = (
    ("arrays", "files", "interruption", "version"),
    ("preconditions", "reduction"),
    ("kernels", "graph"),
    ("run",),
    ("layer", "initializers"),
    ("layers", "losses", "mpi"),
    ("combinators", "memory", "nccl", "observing", "optimizers", "prepared"),
    ("training", "checkpoint_file", "onnx", "summary"),
    ("checkpoint",),
    ("gradient_check",),
    ("gradient_cases", "doctor"),
)
# (who, whom, except) of paths and modules: who lies there imports nothing of those, but for the exceptions.
NEVER = (
    ("engine", ("models", "experiments", "benchmarks", "tests"), ()),
    ("models", ("experiments", "benchmarks", "tests"), ()),
    ("models", ("engine.gradient_check",), ("models/gradient_cases.py",)),
    ("engine/kernels", ("engine.kernels.cpu",), ("engine/kernels/__init__.py", "engine/kernels/cpu/")),
    ("engine/kernels", ("engine.kernels.cuda",), ("engine/kernels/__init__.py", "engine/kernels/cuda/")),
    ("engine/kernels/cpu/threads.py", ("engine",), ()),
)
ROW = {name: row for row, names in enumerate(ORDER) for name in names}


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything that a file imports, wherever in it; of `from a import b` both a and a.b."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}:{node.lineno}: a relative import; expected the whole name"
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def is_in(name: str, package: str) -> bool:
    return f"{name}.".startswith(f"{package}.")


def violations(root: Path) -> list[str]:
    found = []
    for file in sorted([*root.glob("engine/**/*.py"), *root.glob("models/**/*.py")]):
        path = file.relative_to(root).as_posix()
        own = path.removeprefix("engine/").split("/")[0].removesuffix(".py")
        for line, name in imports(file):
            for who, whom, exceptions in NEVER:
                if (path == who or path.startswith(f"{who}/")) and not path.startswith(exceptions or ("-",)):
                    found += [f"{path}:{line}: {name}: {who} never imports {other}" for other in whom
                              if is_in(name, other)]
            if not path.startswith("engine/") or own == "__init__":
                continue
            if own not in ROW:
                found.append(f"{path}: ORDER has no row for {own}")
            other = name.split(".")[1] if is_in(name, "engine") and "." in name else own
            if other in ROW and other != own and ROW.get(own, 0) <= ROW[other]:
                found.append(f"{path}:{line}: {name}: {own} does not stand above {other}")
    return list(dict.fromkeys(found))


def test_every_import_points_down():
    assert not violations(ROOT)


def test_every_row_is_of_something_that_there_is():
    there = {path.stem for path in (ROOT / "engine").iterdir() if path.suffix in ("", ".py")} - {
        "__init__", "__pycache__"}
    assert there == set(ROW)


@pytest.mark.parametrize(("path", "text", "message"), [
    ("engine/layer.py", "\nimport engine.layers.dense", "engine/layer.py:2: engine.layers.dense: layer does not stand"),
    ("engine/run.py", "def f():\n    from engine import layers", "engine/run.py:2: engine.layers: run does not"),
    ("engine/losses/pair.py", "from engine.layers import Dense", "losses does not stand above layers"),
    ("engine/training.py", "from models.vgg import vgg", "engine/training.py:1: models.vgg: engine never imports mod"),
    ("engine/kernels/adam.py", "from engine.kernels import cpu", "engine/kernels never imports engine.kernels.cpu"),
    ("engine/kernels/cpu/adam.py", "from engine.layer import Array", "kernels does not stand above layer"),
    ("models/vgg.py", "from engine.gradient_check import check", "models never imports engine.gradient_check"),
    ("models/vgg.py", "import experiments.system", "models/vgg.py:1: experiments.system: models never imports exp"),
    ("engine/new.py", "import os", "engine/new.py: ORDER has no row for new"),
])
def test_a_violation_names_file_line_and_import(path, text, message, tmp_path):
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(text)
    assert any(message in found for found in violations(tmp_path)), violations(tmp_path)


@pytest.mark.parametrize(("path", "text"), [
    ("engine/training.py", "from engine.layers import Dense\nimport numpy"),
    ("engine/kernels/cpu/adam.py", "from engine.kernels.adam import adam_update"),
    ("engine/kernels/__init__.py", "from engine.kernels import cpu"),
    ("models/gradient_cases.py", "from engine.gradient_check import check"),
    ("models/vgg.py", "from engine.layers import Dense\nfrom models.mlp import mlp"),
])
def test_what_points_down_passes(path, text, tmp_path):
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(text)
    assert not violations(tmp_path)
