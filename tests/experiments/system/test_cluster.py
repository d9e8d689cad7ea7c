"""Work on items by the processes of a Dask cluster: in order, a few ahead, whatever happens to a worker."""
import os
import signal
import time
from functools import partial

import pytest

from experiments.system import cluster as module
from experiments.system.cluster import AHEAD, PER_CALL, in_cluster
from experiments.system.errors import Failure, UsageError

distributed = pytest.importorskip("distributed", reason='needs Dask: pip install -e ".[test]"')


@pytest.fixture(scope="module")
def processes():
    """A cluster of two worker processes of one thread, which start anew when they die."""
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, protocol="tcp://", dashboard_address=":0") as made:
        yield made


def square(number):
    return number * number


def slow_square(number):
    time.sleep(0.005)
    return number * number


def fails_at(which, number):
    if number in which:
        raise Failure(f"number {number} cannot be used")
    return number


def raises_timeout(number):
    raise TimeoutError("of the call's own")


def kills_its_process(folder, times, number):
    """As often as `times` when it comes to 5."""
    if number == 5:
        begun = folder / f"{len(list(folder.glob('begun*')))}"
        begun.with_name(f"begun{begun.name}").touch()
        if len(list(folder.glob("begun*"))) <= times:
            os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_results_come_in_the_order_of_the_items(processes, tmp_path):
    for number in (1, 3, 50):
        made = list(in_cluster(square, range(number), processes.scheduler_address, tmp_path))
        assert made == [each * each for each in range(number)]
    assert list(tmp_path.iterdir()) == []


def test_the_scheduler_knows_of_a_few_items_at_a_time(processes, tmp_path):
    most = 0
    for _ in in_cluster(slow_square, range(600), processes.scheduler_address, tmp_path):
        most = max(most, len(processes.scheduler.tasks))
    assert 2 <= most <= 2 * 2 * AHEAD < 600 // PER_CALL  # of 2 threads; what is done is forgotten soon, not at once


def test_without_items_no_scheduler_is_asked(tmp_path):
    assert list(in_cluster(square, [], "tcp://127.0.0.1:1", tmp_path)) == []


def test_the_first_failure_in_order_is_raised_and_the_rest_given_up(processes, tmp_path):
    seen = []
    with pytest.raises(Failure, match="number 27 cannot be used"):
        for result in in_cluster(partial(fails_at, (27, 28, 40)), range(1000), processes.scheduler_address, tmp_path):
            seen.append(result)
    assert seen == list(range(24)) and list(tmp_path.iterdir()) == []


def test_an_error_of_the_call_s_own_is_not_taken_for_waiting(processes, tmp_path):
    with pytest.raises(TimeoutError, match="of the call's own"):
        list(in_cluster(raises_timeout, [1], processes.scheduler_address, tmp_path))


def test_a_worker_that_is_killed_takes_no_item_with_it(processes, tmp_path):
    call = partial(kills_its_process, tmp_path, 1)
    assert list(in_cluster(call, range(20), processes.scheduler_address, tmp_path)) == list(range(20))
    assert len(list(tmp_path.glob("begun*"))) >= 2


def test_an_item_that_kills_every_worker_is_a_failure(processes, tmp_path):
    call = partial(kills_its_process, tmp_path, 1000)
    with pytest.raises(Failure, match="4 workers died of the same call"):
        list(in_cluster(call, range(20), processes.scheduler_address, tmp_path))


def test_workers_that_do_not_see_the_folder_are_told_of(processes, tmp_path, monkeypatch):
    """They run in another folder, and the path is relative."""
    processes.get_client().wait_for_workers(2)
    (tmp_path / "shared").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Failure, match=r"does not see the folder shared.*--cache"):
        list(in_cluster(square, range(3), processes.scheduler_address, (tmp_path / "shared").relative_to(tmp_path)))
    assert list((tmp_path / "shared").iterdir()) == []


def test_a_cluster_without_workers_and_one_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CONNECT", 1)
    with distributed.LocalCluster(n_workers=0, protocol="tcp://", dashboard_address=":0") as empty, pytest.raises(
            Failure, match="it has no workers"):
        list(in_cluster(square, range(3), empty.scheduler_address, tmp_path))
    with pytest.raises(UsageError, match="no Dask scheduler answers there"):
        list(in_cluster(square, range(3), "tcp://127.0.0.1:1", tmp_path))


def test_workers_that_are_gone_for_good_are_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ALONE", 0.5)
    monkeypatch.setattr(module, "POLL", 0.1)
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, protocol="tcp://", dashboard_address=":0") as made:
        results = in_cluster(slow_square, range(500), made.scheduler_address, tmp_path)
        assert next(results) == 0
        made.scale(0)
        with pytest.raises(Failure, match="its workers are gone"):
            list(results)
