"""Skips what needs g++ where it is not."""
import shutil

import pytest


def pytest_collection_modifyitems(items):
    if not shutil.which("g++"):
        for item in items:
            if "compiles_by_nvrtc" not in item.name and item.path.parent.name == "cuda":
                item.add_marker(pytest.mark.skip(reason="needs g++, which runs CUDA kernels on the CPU"))
