"""What importing the engine imports besides: arrays, and nothing that draws, reads pictures or fits classifiers."""
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("matplotlib", "PIL", "tqdm", "sklearn", "skimage", "jinja2", "pandas", "cupy")
# The command draws a bar and a picture.
MAY = ("engine.gradient_check.picture", "engine.gradient_check.command", "engine.doctor.command")


def modules() -> list[str]:
    parts = (path.relative_to(ROOT).with_suffix("").parts for path in sorted((ROOT / "engine").rglob("*.py")))
    return [".".join(part for part in each if part != "__init__") for each in parts]


def imported(names: list[str]) -> set[str]:
    """The libraries of HEAVY that a new process has after it imported all of these."""
    code = f"import sys, importlib\nfor name in {names!r}: importlib.import_module(name)\n" \
           f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(ended.stdout.split())


def test_the_engine_imports_no_library_for_pictures_bars_or_classifiers():
    names = [name for name in modules() if name not in MAY]
    assert len(names) > 70 and {"engine.checkpoint", "engine.kernels.cpu.winograd.tiles"} <= set(names)
    assert imported(names) == set()


@pytest.mark.parametrize(("name", "library"), [("engine.gradient_check.picture", "matplotlib"),
                                               ("engine.gradient_check.command", "tqdm")])
def test_what_may_import_one_does(name, library):
    """So that the test above would see it."""
    assert library in imported([name])
