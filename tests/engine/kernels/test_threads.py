"""The pool of threads: order, errors, BLAS held at one thread, several callers, other processes, an import's traces."""
import multiprocessing
import platform
import subprocess
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from engine.kernels import matrix_product
from engine.kernels.cpu import threads
from engine.kernels.cpu.threads import blocks, parallel, run, scratch, use_threads


def blas_threads():
    """Of the libraries that the pool holds: another test may have imported one since the first kernel."""
    return [library.get_num_threads() for library in threads._pool().blas]


@pytest.fixture
def two_blas_threads():
    """BLAS may use two threads until a kernel says otherwise, whatever the machine."""
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


def test_an_error_of_the_calling_thread_comes_out_when_its_helper_is_done(threads_restored):
    use_threads(2)
    together, ended = threading.Barrier(2), []

    def job(_):
        together.wait(timeout=30)
        if threading.current_thread() is threading.main_thread():
            raise ZeroDivisionError
        time.sleep(0.05)
        ended.append(1)

    with pytest.raises(ZeroDivisionError):
        run(job, range(2))
    assert ended == [1]


def test_callers_share_one_thread_fewer_than_asked_for(threads_restored):
    """Every thread has work space of its own."""
    use_threads(2)

    def job(_):
        time.sleep(0.002)
        return threading.current_thread().name

    with ThreadPoolExecutor(4) as callers:
        names = [name for seen in callers.map(lambda _: parallel(job, range(10)), range(4)) for name in seen]
    assert len({name for name in names if name.startswith("kernel")}) <= 1


def helpers_alive():
    return {thread for thread in threading.enumerate() if thread.name.startswith("kernel_")}


def test_helpers_start_when_they_are_needed_and_go_when_another_number_is_asked_for(threads_restored):
    use_threads(1)
    for thread in helpers_alive():  # of tests before
        thread.join(timeout=30)
    use_threads(4)
    run(str, range(1))
    assert not helpers_alive(), "one job needs none"
    together = threading.Barrier(3)
    run(lambda _: together.wait(timeout=30), range(3))
    three = helpers_alive()
    assert len(three) == 2, "as many as can have a job"
    together = threading.Barrier(4)
    run(lambda _: together.wait(timeout=30), range(4))
    four = helpers_alive()
    assert len(four) == 3 and three < four
    use_threads(2)
    for thread in four:
        thread.join(timeout=30)
    assert not helpers_alive()


def test_nothing_of_the_jobs_is_held_afterwards(threads_restored):
    """An array that nobody needs any more is freed, not kept until the helper's next call."""
    use_threads(2)
    together = threading.Barrier(2)
    array = np.zeros(3)
    held = weakref.ref(array)

    def job(_, array=array):
        together.wait(timeout=30)

    run(job, range(2))
    del job, array
    end = time.monotonic() + 30
    while held() is not None and time.monotonic() < end:
        time.sleep(0.001)  # the helper may just be on its way back to its queue
    assert held() is None


def test_a_helper_that_comes_late_does_nothing(threads_restored):
    use_threads(2)
    begin, busy, made = threading.Event(), threading.Event(), []

    def occupy(_):
        if threading.current_thread() is not caller:
            busy.set()
            begin.wait(timeout=30)
        else:
            busy.wait(timeout=30)  # the helper has a job, and no end of it
            threading.Thread(target=inside).start()

    def inside():
        made.extend(parallel(lambda job: threading.current_thread(), range(5)))
        begin.set()

    caller = threading.current_thread()
    run(occupy, range(2))
    assert len(made) == 5 and len(set(made)) == 1, "who called made all of them, without waiting"


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


def test_one_thread_is_the_one_that_calls(threads_restored):
    use_threads(1)

    def job(_):
        time.sleep(0.002)  # time for another one to come
        return threading.current_thread()

    assert set(parallel(job, range(20))) == {threading.current_thread()}


def test_fewer_than_one_thread_is_refused_and_changes_nothing(threads_restored):
    with pytest.raises(ValueError, match="threads is 0; expected at least 1"):
        use_threads(0)
    assert list(parallel(abs, [-1, -2, -3])) == [1, 2, 3]


@pytest.mark.parametrize("count", [1, 2])
def test_blas_has_one_thread_in_a_job_and_from_then_on(count, two_blas_threads, threads_restored):
    use_threads(count)
    assert all(set(seen) == {1} for seen in parallel(lambda _: blas_threads(), range(6)))
    assert set(blas_threads()) == {1}


def test_a_number_that_somebody_set_or_restored_is_noticed_by_the_next_kernel(two_blas_threads):
    for _ in range(3):
        with threadpool_limits(2, user_api="blas"):
            assert set(blas_threads()) == {2}
            assert all(set(seen) == {1} for seen in parallel(lambda _: blas_threads(), range(4)))
        with threadpool_limits(2, user_api="blas"):
            pass
        run(str, [0])
        assert set(blas_threads()) == {1}


def test_blas_has_one_thread_whichever_thread_calls_and_afterwards_anyone_may_set_it(two_blas_threads):
    """threadpoolctl listens to one thread only and ignores the others silently."""
    seen = []

    def call():
        with threadpool_limits(2, user_api="blas"):
            seen.append(blas_threads())
            seen.extend([2 * number for number in numbers] for numbers in parallel(lambda _: blas_threads(), range(4)))

    for _ in range(2):
        caller = threading.Thread(target=call)
        caller.start()
        caller.join()
        call()
    assert len(seen) == 20
    assert all(set(numbers) == {2} for numbers in seen)


def test_blas_is_left_alone_where_it_has_one_thread():
    run(str, range(4))
    pool, told = threads._pool(), []

    class Library:
        def __init__(self, number):
            self.number = number

        def get_num_threads(self):
            return self.number

        def set_num_threads(self, number):
            told.append((self.number, number))
            self.number = number

    libraries, pool.blas = pool.blas, [Library(1), Library(3), Library(None)]
    try:
        run(str, range(4))
        run(str, range(4))
    finally:
        pool.blas = libraries
    assert told == [(3, 1)]


def test_every_thread_that_works_holds_its_own_blas(threads_restored):
    """MKL and an OpenBLAS on OpenMP have a number of threads for each thread that calls."""
    use_threads(3)
    pool, own, together = threads._pool(), threading.local(), threading.Barrier(3)

    class Library:
        def get_num_threads(self):
            return getattr(own, "number", 4)

        def set_num_threads(self, number):
            own.number = number

    def job(_):
        together.wait(timeout=30)
        return own.number

    libraries, pool.blas = pool.blas, [Library()]
    try:
        assert parallel(job, range(3)) == [1, 1, 1]
    finally:
        pool.blas = libraries


def test_importing_the_engine_changes_nothing_in_the_process():
    """Neither BLAS nor malloc, which maps large arrays anew unless the program asked otherwise."""
    program = """
import ctypes, os, platform, signal, sys, threading, warnings
import numpy as np, scipy.signal
from threadpoolctl import threadpool_info

class Mallinfo(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

def mapped():  # does malloc map a large array?
    if platform.libc_ver()[0] != "glibc" or not hasattr(ctypes.CDLL(None), "mallinfo2"):
        return None
    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = Mallinfo
    before = mallinfo2().hblks
    held = np.empty(1 << 26, np.uint8)
    return mallinfo2().hblks - before

def process():
    return {"blas": [library["num_threads"] for library in threadpool_info()], "threads": threading.active_count(),
            "malloc": mapped(), "environment": dict(os.environ), "filters": list(warnings.filters),
            "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)],
            "numpy": (np.geterr(), np.getbufsize(), np.get_printoptions(), np.random.get_state()[1].tolist()),
            "hooks": (sys.excepthook, threading.excepthook, sys.displayhook), "switch": sys.getswitchinterval()}

before = process()
import engine.checkpoint, engine.gradient_check, engine.layers, engine.losses, engine.optimizers, engine.combinators
import engine.training
after = process()
assert after == before, [(name, before[name], after[name]) for name in before if after[name] != before[name]]
from engine.kernels.cpu import keep_freed_memory
keep_freed_memory()
print(before["malloc"], mapped())
"""
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert there.returncode == 0, there.stderr
    if platform.libc_ver()[0] == "glibc":
        assert there.stdout.split() in (["1", "0"], ["None", "None"])


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


def _blas_threads_of_a_job():
    with threadpool_limits(2, user_api="blas"):
        numbers, = parallel(lambda _: blas_threads(), [0])
    return numbers


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
        numbers = children.apply_async(_blas_threads_of_a_job).get(timeout=60)
    assert there.tobytes() == here.tobytes()
    assert set(numbers) <= {1}


def test_scratch_is_used_again_by_the_same_thread_only():
    small, large = scratch("test", (3, 4), "float32"), scratch("test", (5, 4), "complex128")
    assert (small.shape, small.dtype, large.shape, large.dtype) == ((3, 4), np.float32, (5, 4), np.complex128)
    assert np.shares_memory(large, scratch("test", (2, 2), "uint8"))
    with ThreadPoolExecutor(1) as other:
        assert not np.shares_memory(large, other.submit(scratch, "test", (5, 4), "complex128").result())


def test_work_space_is_bounded_however_many_shapes_ask_for_it():
    largest = scratch("bounded", (1 << 16,), np.dtype("uint8"))
    for size in range(1, 4000):
        view = scratch("bounded", (size, 3), np.dtype("uint8"))
        assert view.shape == (size, 3)
        assert np.shares_memory(view, largest), "the space of the largest serves them all"
    assert len(threads._scratch.bounded) == threads.VIEWS
    assert scratch("bounded", (3999, 3), np.dtype("uint8")) is view, "the last ones are found again"


def test_work_space_for_nothing():
    assert scratch("nothing", (0, 3), np.dtype("float32")).shape == (0, 3)
    assert scratch("nothing", (2, 3), np.dtype("float32")).shape == (2, 3)
    assert scratch("nothing", (0, 3), np.dtype("float64")).shape == (0, 3)


def test_blocks_cover_everything_once():
    assert blocks(10, 4) == [slice(0, 4), slice(4, 8), slice(8, 10)]
    assert blocks(0, 4) == []
