"""`engine`, `models` and `experiments` are names that other projects have, too: whether Python takes this project's.

It takes the first on sys.path. A command's file puts its own checkout there, before PYTHONPATH, the current directory
and whatever is installed. What is left are packages that were imported before the command's first line, by
sitecustomize or a .pth file, import hooks, and modules run by `python -m`, which begins with the current directory.
"""
from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

NAMES = ("engine", "models", "experiments")
ROOT = Path(__file__).resolve().parents[2]


def foreign_package() -> str | None:
    """Of a package that Python has imported or would import from elsewhere than beside this one, the message; None if
    all are this project's. Imports none of them.
    """
    for name in NAMES:
        found = _origin(name)
        if found is None or Path(found).resolve() != ROOT / name / "__init__.py":
            return (f"the package '{name}' that Python takes is {found or 'one of an unknown place'}, not that in "
                    f"{ROOT}: another project's comes first. Unset PYTHONPATH, leave that project's folder, and use a "
                    "virtual environment with this project alone")
    return None


def _origin(name: str) -> str | None:
    try:
        spec = find_spec(name)
    except ValueError:  # it was put into sys.modules by hand
        return None
    return spec.origin if spec is not None else None
