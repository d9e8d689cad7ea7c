"""Sums between GPUs, against those between processes: with a stand-in of CuPy and its NCCL, whose cards are threads."""
import ctypes
import sys
import threading
import types

import numpy as np
import pytest
from array_api_compat import array_namespace

from engine.mpi import FEW, MpiRanks
from engine.nccl import KINDS, NcclRanks

DTYPES = {"NCCL_FLOAT32": "float32", "NCCL_FLOAT64": "float64", "NCCL_INT64": "int64"}


class NcclError(RuntimeError):
    pass


class Cupy(types.ModuleType):
    """As much of CuPy as sums need: arrays are NumPy's, of a class of their own, with an address."""

    def __init__(self):
        super().__init__("cupy")
        stream = types.SimpleNamespace(ptr=0)
        self.ndarray = type("ndarray", (np.ndarray,), {"__module__": "cupy", "data": property(
            lambda array: types.SimpleNamespace(ptr=array.ctypes.data))})
        self.cuda = types.ModuleType("cupy.cuda")
        self.cuda.get_current_stream = lambda: stream
        self.cuda.runtime = types.SimpleNamespace(runtimeGetVersion=lambda: 12090)
        self.cuda.nccl = Nccl()
        self.stream = stream

    def on_card(self, array):
        return array.view(self.ndarray)

    def asarray(self, array, copy):
        return self.on_card(np.array(array, copy=copy))

    def ascontiguousarray(self, array):
        return self.on_card(np.ascontiguousarray(array))

    def empty(self, shape, dtype):
        made = np.empty(shape, dtype)
        made.view(np.uint8)[...] = 0xAB  # what nobody writes is seen
        return self.on_card(made)

    def zeros(self, shape, dtype):
        return self.on_card(np.zeros(shape, dtype))


class Nccl(types.ModuleType):
    """cupy.cuda.nccl: what is sent lies in a table of all threads, and arrives when the groups of all have ended."""
    available = True
    NCCL_FLOAT32, NCCL_FLOAT64, NCCL_INT64 = DTYPES

    def __init__(self):
        super().__init__("cupy.cuda.nccl")
        self.here, self.streams, self.groups, self.fails = threading.local(), set(), [], None
        self.sent = {}
        nccl = self

        class NcclCommunicator:
            def __init__(self, size, identity, rank):
                assert identity == (7, -3) and 0 <= rank < size
                self.size, self.rank, self.barrier = size, rank, nccl.barrier

            def allGather(self, source, target, count, kind, stream):
                nccl.call("allGather", stream)
                nccl.sent[self.rank] = memory(source, count, kind).copy()
                self.barrier.wait()
                for rank in range(self.size):
                    assert len(nccl.sent[rank]) == count
                    memory(target, self.size * count, kind)[rank * count:(rank + 1) * count] = nccl.sent[rank]
                self.barrier.wait()

            def send(self, source, count, kind, peer, stream):
                nccl.call("send", stream)
                nccl.here.sends.append(((self.rank, peer), memory(source, count, kind)))

            def recv(self, target, count, kind, peer, stream):
                nccl.call("recv", stream)
                nccl.here.receives.append(((peer, self.rank), memory(target, count, kind)))

        self.NcclCommunicator = NcclCommunicator

    def call(self, name, *stream):
        self.streams.update(stream)
        if self.fails == name:
            raise NcclError("NCCL_ERROR_SYSTEM_ERROR: unhandled system error")

    def get_unique_id(self):
        self.call("get_unique_id")
        return 7, -3

    def groupStart(self):
        self.groups.append("start")
        self.here.sends, self.here.receives = [], []

    def groupEnd(self):
        self.groups.append("end")
        if self.fails:
            return
        self.sent.update(self.here.sends)
        self.barrier.wait()
        for pair, target in self.here.receives:
            assert len(self.sent[pair]) == len(target)
            target[...] = self.sent[pair]
        self.barrier.wait()
        for pair, _ in self.here.sends:
            del self.sent[pair]


def memory(address, count, kind):
    dtype = np.dtype(DTYPES[kind])
    return np.frombuffer((ctypes.c_byte * (count * dtype.itemsize)).from_address(address), dtype)


@pytest.fixture
def cupy(monkeypatch):
    module = Cupy()
    for each in (module, module.cuda, module.cuda.nccl):
        monkeypatch.setitem(sys.modules, each.__name__, each)
    # array_namespace looks for NumPy first, of which the stand-in's arrays are
    monkeypatch.setattr("engine.reduction.array_namespace", lambda *arrays: (
        module if isinstance(arrays[0], module.ndarray) else array_namespace(*arrays)))
    return module


class Threads:
    """The communicator of mpi4py of ranks that are threads, as far as the sums of MpiRanks need one."""

    def __init__(self, ranks, table):
        self.ranks, self.table, self.barrier = ranks, table, ranks._barrier

    def Get_rank(self):
        return self.ranks.rank

    def Get_size(self):
        return self.ranks.size

    def allgather(self, given):
        self.table[self.ranks.rank] = given
        self.barrier.wait()
        of_all = [self.table[rank] for rank in range(self.ranks.size)]
        self.barrier.wait()
        return of_all

    def bcast(self, given, root):
        return self.allgather(given)[root]

    def Allgather(self, own, of_all):
        of_all[...] = self.allgather(own)

    def Alltoallv(self, given, taken):
        (own, sizes, starts, _), (of_mine, *_) = given, taken
        parts = self.allgather([own[start:start + size] for start, size in zip(starts, sizes, strict=True)])
        of_mine[...] = [of_rank[self.ranks.rank] for of_rank in parts]

    def Allgatherv(self, own, taken):
        taken[0][...] = np.concatenate(self.allgather(own))


@pytest.fixture
def with_cards(cupy, on_ranks, monkeypatch):
    """with_cards(size, function): [function(NcclRanks, MpiRanks) of every rank]."""
    monkeypatch.setattr("engine.mpi._kind", lambda array: None)

    def call(size, function):
        table = [None] * size

        def work(ranks):
            cupy.cuda.nccl.barrier = ranks._barrier
            host = MpiRanks(Threads(ranks, table))
            return function(NcclRanks(host), host)

        return on_ranks(size, work)
    return call


def numbers(rank, shape, dtype):
    """Of very different sizes, so that another order of additions gives other bits."""
    rng = np.random.default_rng(rank)
    made = rng.standard_normal(shape) * 10.0 ** rng.integers(-6, 6, shape)
    return np.asarray(1e6 * made).astype(dtype)


@pytest.mark.parametrize("shape", [(1,), (), (3, 5), (FEW,), (FEW + 1,), (FEW + 2,), (7, 11, 101)], ids=str)
@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("dtype", KINDS)
def test_the_bits_are_those_of_processes_without_cards(shape, size, dtype, cupy, with_cards):
    cupy.stream.ptr = 1234

    def work(ranks, host):
        own = numbers(ranks.rank, shape, dtype)
        before = own.copy()
        total = ranks.sum(cupy.on_card(own))
        assert isinstance(total, cupy.ndarray) and total.shape == shape and total.dtype == dtype
        assert np.array_equal(own, before)
        return total.view(np.ndarray), host.sum(own)

    (first, _), *_ = of_ranks = with_cards(size, work)
    for total, of_processes in of_ranks:
        assert np.array_equal(total, of_processes) and np.array_equal(total, first)
    assert cupy.cuda.nccl.streams == {1234} and not cupy.cuda.nccl.sent.keys() - set(range(size))


def test_the_order_of_the_ranks_is_in_the_bits():
    parts = [numbers(rank, FEW + 1, "float32") for rank in range(3)]
    assert not np.array_equal(parts[0] + parts[1] + parts[2], parts[2] + parts[1] + parts[0])


def test_ranks_whose_part_is_empty_get_the_sum(cupy, with_cards, monkeypatch):
    """7 numbers of 5 ranks: parts of 2, 2, 2, 1 and 0."""
    monkeypatch.setattr("engine.nccl.FEW", 4)

    def work(ranks, host):
        return ranks.sum(cupy.on_card(numbers(ranks.rank, 7, "float64"))).view(np.ndarray)

    expected = sum(numbers(rank, 7, "float64") for rank in range(5))
    assert all(np.array_equal(total, expected) for total in with_cards(5, work))


def test_arrays_in_pieces_are_summed_as_they_read(cupy, with_cards):
    def work(ranks, host):
        own = numbers(ranks.rank, (120, 90), "float32")[::2, ::-1].T
        return ranks.sum(cupy.on_card(own)).view(np.ndarray)

    expected = sum(numbers(rank, (120, 90), "float32")[::2, ::-1].T for rank in range(2))
    assert all(np.array_equal(total, expected) for total in with_cards(2, work))


def test_what_lies_in_main_memory_is_summed_there(cupy, with_cards):
    def work(ranks, host):
        cupy.cuda.nccl.fails = "allGather"
        return ranks.sum(np.full(3, ranks.rank + 1.0))

    for total in with_cards(2, work):
        assert type(total) is np.ndarray and total.tolist() == [3, 3, 3]


@pytest.mark.parametrize(("name", "shape"), [("allGather", 3), ("send", FEW + 1), ("recv", FEW + 1)])
def test_what_nccl_refuses_is_an_error_of_the_systems_and_no_group_stays_open(name, shape, cupy, with_cards):
    def work(ranks, host):
        cupy.cuda.nccl.fails = name
        with pytest.raises(ConnectionError, match=r"NCCL.* failed: NCCL_ERROR_SYSTEM_ERROR: .*NCCL_DEBUG=INFO"):
            ranks.sum(cupy.on_card(numbers(ranks.rank, shape, "float32")))

    with_cards(2, work)
    groups = cupy.cuda.nccl.groups
    assert groups.count("start") == groups.count("end") == (0 if name == "allGather" else 2)


def test_ranks_that_cannot_be_made_are_an_error_of_the_systems(cupy, with_cards):
    cupy.cuda.nccl.fails = "get_unique_id"
    with pytest.raises(ConnectionError, match="NCCL_ERROR_SYSTEM_ERROR"):
        with_cards(2, lambda ranks, host: None)


def test_another_dtype_is_refused(cupy, with_cards):
    def work(ranks, host):
        with pytest.raises(TypeError, match="an array of complex128; expected one of float32, float64, int64"):
            ranks.sum(cupy.on_card(np.ones(3, complex)))

    with_cards(1, work)


@pytest.mark.parametrize(("version", "wheel"), [(12090, "nvidia-nccl-cu12"), (13000, "nvidia-nccl-cu13")])
def test_without_nccl_the_wheel_is_named(version, wheel, cupy, with_cards, monkeypatch):
    monkeypatch.setattr(cupy.cuda.nccl, "available", False)
    monkeypatch.setattr(cupy.cuda.runtime, "runtimeGetVersion", lambda: version)
    with pytest.raises(ImportError, match=f"CuPy finds no NCCL, .*: pip install {wheel}$"):
        with_cards(2, lambda ranks, host: None)
