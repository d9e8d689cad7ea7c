"""What tests of the engine, the models and the experiments share."""
import os

import pytest

from engine.kernels.cpu import use_threads


@pytest.fixture
def threads_restored():
    """Back to one thread for each processor, whatever the test chose."""
    yield
    use_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
