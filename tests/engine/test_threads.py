"""The pool of threads: order, errors, BLAS held at one thread and let go again, several callers, other processes."""
import multiprocessing
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from engine.kernels import matrix_product
from engine.kernels.cpu import threads
from engine.kernels.cpu.threads import blocks, parallel, run, scratch, use_threads


def blas_threads():
    return [library["num_threads"] for library in ThreadpoolController().info() if library["user_api"] == "blas"]


@pytest.fixture
def two_blas_threads():
    """BLAS may use two threads, whatever the machine."""
    with threadpool_limits(2, user_api="blas"):
        if not blas_threads() or set(blas_threads()) != {2}:
            pytest.skip("this BLAS cannot be told how many threads to use")
        yield


@pytest.mark.parametrize("count", [1, 2, 5])
def test_results_come_in_the_order_of_the_jobs(count, threads_restored):
    use_threads(count)
    assert list(parallel(lambda job: job * job, range(50))) == [job * job for job in range(50)]
    assert list(parallel(str, [])) == []


def test_the_calling_thread_works_too(threads_restored):
    use_threads(2)
    together = threading.Barrier(2)

    def job(_):
        together.wait(timeout=30)  # neither thread can take both jobs
        return threading.current_thread()

    assert threading.current_thread() in parallel(job, range(2))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_an_error_ends_the_work_and_comes_out_when_nobody_works_on(count, threads_restored):
    use_threads(count)
    begun, ended = [], []

    def job(number):
        begun.append(number)
        if number == 3:
            raise ZeroDivisionError
        time.sleep(0.001)
        ended.append(number)

    with pytest.raises(ZeroDivisionError):
        run(job, range(1000))
    assert len(begun) < 100
    assert sorted([*ended, 3]) == sorted(begun)


def test_jobs_inside_jobs_end(threads_restored):
    use_threads(2)
    assert parallel(lambda n: sum(parallel(lambda m: n * m, range(4))), range(8)) == [6 * n for n in range(8)]


def test_work_space_is_kept_by_name_and_never_too_small():
    small = scratch("kept", (2, 3), np.dtype("float32"))
    assert scratch("kept", (2, 3), np.dtype("float32")) is small
    large = scratch("kept", (5, 7), np.dtype("float64"))
    assert (large.shape, large.dtype) == ((5, 7), np.float64)
    again = scratch("kept", (2, 3), np.dtype("float32"))
    assert np.shares_memory(again, large), "the smaller array lies in the space of the larger one"
    assert not np.shares_memory(again, scratch("other", (2, 3), np.dtype("float32")))


def test_jobs_share_the_threads_asked_for(threads_restored):
    use_threads(3)
    together = threading.Barrier(3)
    run(lambda _: together.wait(timeout=30), range(3))  # fails unless three jobs run at once


def test_fewer_than_one_thread_is_refused_and_changes_nothing(threads_restored):
    with pytest.raises(ValueError, match="threads is 0; expected at least 1"):
        use_threads(0)
    assert list(parallel(abs, [-1, -2, -3])) == [1, 2, 3]


@pytest.mark.parametrize("count", [1, 2])
def test_blas_has_one_thread_in_a_job_and_its_own_number_afterwards(count, two_blas_threads, threads_restored):
    use_threads(count)
    assert all(set(seen) == {1} for seen in parallel(lambda _: blas_threads(), range(6)))
    assert set(blas_threads()) == {2}


def test_blas_has_one_thread_whichever_thread_calls(two_blas_threads):
    """threadpoolctl listens to one thread only and ignores the others silently."""
    seen = []
    for _ in range(2):
        caller = threading.Thread(target=lambda: seen.extend(parallel(lambda _: blas_threads(), range(4))))
        caller.start()
        caller.join()
        seen.extend(parallel(lambda _: blas_threads(), range(4)))
        assert set(blas_threads()) == {2}
    assert len(seen) == 16
    assert all(set(numbers) == {1} for numbers in seen)


def test_blas_is_let_go_by_the_last_of_several_callers(two_blas_threads):
    first_is_inside, second_is_done = threading.Event(), threading.Event()

    def first():
        run(lambda _: (first_is_inside.set(), second_is_done.wait(30)), [0])

    caller = threading.Thread(target=first)
    caller.start()
    assert first_is_inside.wait(30)
    run(str, range(4))
    assert set(blas_threads()) == {1}
    second_is_done.set()
    caller.join()
    assert set(blas_threads()) == {2}


def test_blas_is_let_go_by_another_thread_than_the_one_that_held_it(two_blas_threads):
    second_is_inside, first_is_done = threading.Event(), threading.Event()
    second = threading.Thread(target=run, args=(lambda _: (second_is_inside.set(), first_is_done.wait(30)), [0]))

    def first(_):
        second.start()
        assert second_is_inside.wait(30)

    run(first, [0])  # this thread comes first, and leaves first
    assert set(blas_threads()) == {1}
    first_is_done.set()
    second.join()
    assert set(blas_threads()) == {2}


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_in_a_job_reaches_the_caller_and_blas_is_let_go(count, two_blas_threads, threads_restored):
    use_threads(count)

    def job(number):
        if number == 3:
            raise ZeroDivisionError("job 3")

    with pytest.raises(ZeroDivisionError, match="job 3"):
        run(job, range(50))
    assert set(blas_threads()) == {2}
    assert list(parallel(abs, [-1, -2])) == [1, 2]


def test_one_pool_even_if_many_threads_come_first(monkeypatch):
    monkeypatch.setattr(threads, "_pools", {})
    start = threading.Barrier(8)

    def first(_):
        start.wait()
        return threads._pool()

    with ThreadPoolExecutor(8) as callers:
        assert len(set(callers.map(first, range(8)))) == 1


def test_another_number_of_threads_while_jobs_are_under_way(threads_restored):
    use_threads(2)

    def job(number):
        if number == 5:
            use_threads(4)
        return number

    assert parallel(job, range(20)) == list(range(20))


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_process_has_a_pool_of_its_own_and_the_same_bits(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system starts no process by {method}")
    rng = np.random.default_rng(1)
    factors = rng.normal(size=(700, 300)), rng.normal(size=(300, 90))
    here = matrix_product(*factors)  # the parent's threads exist before the child does
    with multiprocessing.get_context(method).Pool(1) as children:
        there = children.apply_async(matrix_product, factors).get(timeout=60)
    assert there.tobytes() == here.tobytes()


def test_scratch_is_used_again_by_the_same_thread_only():
    small, large = scratch("test", (3, 4), "float32"), scratch("test", (5, 4), "complex128")
    assert (small.shape, small.dtype, large.shape, large.dtype) == ((3, 4), np.float32, (5, 4), np.complex128)
    assert np.shares_memory(large, scratch("test", (2, 2), "uint8"))
    with ThreadPoolExecutor(1) as other:
        assert not np.shares_memory(large, other.submit(scratch, "test", (5, 4), "complex128").result())


def test_blocks_cover_everything_once():
    assert blocks(10, 4) == [slice(0, 4), slice(4, 8), slice(8, 10)]
    assert blocks(0, 4) == []
