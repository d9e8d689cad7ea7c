"""Work in several processes."""
import os

import pytest

from experiments.errors import Failure
from experiments.processes import in_processes


@pytest.mark.parametrize("workers", [1, 2])
def test_results_in_order_and_errors_as_they_are(workers):
    assert list(in_processes(abs, [-3, 2, -1, 0, -7], workers)) == [3, 2, 1, 0, 7]
    with pytest.raises(ValueError, match="invalid literal"):
        list(in_processes(int, ["1", "2", "three", "4"], workers))


def test_a_worker_that_is_killed_is_a_failure():
    with pytest.raises(Failure, match=r"a worker process was killed.*fewer --workers"):
        list(in_processes(os._exit, [9, 9, 9, 9], 2))
