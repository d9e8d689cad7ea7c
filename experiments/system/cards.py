"""A GPU for each of the processes that train together, between which the sums go by NCCL."""
from __future__ import annotations

from contextlib import suppress

from engine.nccl import load_nccl
from experiments.system.device import array_module
from experiments.system.errors import UsageError
from experiments.system.ranks import ProcessRanks, on_this_machine


def take_cards(ranks: ProcessRanks) -> None:
    """On rank 0: every rank takes a GPU, and from now on sums of CuPy's arrays go between them.

    Raises UsageError where one of them has none of its own, or no NCCL; ConnectionError where NCCL fails.
    """
    ranks.call(take_card)
    refused = take_card(ranks)
    ranks.engaged = False
    if refused:
        raise UsageError(refused)


def take_card(ranks: ProcessRanks) -> str:
    """Every rank's part: why one of them has no GPU, the same on all; "" where all have."""
    beside = on_this_machine(ranks.communicator)
    card, refused = "", ""
    try:
        card = _card(beside.Get_rank())
    except UsageError as error:
        refused = str(error)
    cards = [each for each in beside.allgather(card) if each]
    if len(set(cards)) < len(cards):
        refused = (f"--device cuda: {len(cards)} processes on one machine and {len(set(cards))} of its GPUs for them; "
                   "NCCL wants one for each. Start fewer processes, or on more machines")
    for rank, said in enumerate(ranks.communicator.allgather(refused)):
        if said:
            return said if rank == 0 else f"on rank {rank} of {ranks.size}: {said}"
    ranks.sum_on_cards()
    return ""


def _card(place: int) -> str:
    """Take a GPU of this machine: this thread computes on it from now on, others where the arrays are. Its PCI bus id.

    place: the number of the process among those on the machine. Where a launcher shows each process a GPU of its own,
    all of them have number 0. Rank 0 has number 0 in any case, which its threads have without being told.
    """
    with suppress(Exception):  # `array_module` says what it was
        import cupy

        cupy.cuda.Device(place % cupy.cuda.runtime.getDeviceCount()).use()
    cupy = array_module("cuda")
    try:
        load_nccl()
    except ImportError as error:
        raise UsageError(f"--device cuda: {error}") from None
    return cupy.cuda.runtime.deviceGetPCIBusId(cupy.cuda.runtime.getDevice())
