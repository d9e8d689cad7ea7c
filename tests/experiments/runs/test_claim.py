import threading
import time
from dataclasses import dataclass

import pytest

from experiments.runs.claim import Claim, alone, claimed
from experiments.runs.folder import RunFolder
from experiments.system.errors import Failure


def test_the_run_belongs_to_the_one_that_claimed_it_last(tmp_path):
    with claimed(tmp_path) as first:
        first.check()
        with claimed(tmp_path) as second:
            second.check()
            with pytest.raises(Failure, match="was taken over by another command"):
                first.check()
        with pytest.raises(Failure, match="was given up"):
            second.check()
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_gives_the_claim_up(tmp_path):
    with pytest.raises(KeyboardInterrupt), claimed(tmp_path) as claim:
        raise KeyboardInterrupt
    with pytest.raises(Failure, match="was given up"):
        claim.check()


@dataclass(frozen=True)
class Work:
    claim: Claim
    folder: RunFolder


def test_a_worker_is_alone_in_its_folder_and_waits_for_one_that_was_left_behind(tmp_path):
    """The one left behind is in the middle of a step; the other begins when that is written."""
    order, begun = [], threading.Event()

    @alone
    def work(task):
        order.append("begin")
        begun.set()
        time.sleep(0.2)
        order.append("end")

    with claimed(tmp_path) as claim:
        task = Work(claim, RunFolder(tmp_path / "P0-dice"))
        left = threading.Thread(target=work, args=(task,))
        left.start()
        begun.wait()
        work(task)
        left.join()
    assert order == ["begin", "end"] * 2


def test_where_the_run_is_not_to_be_seen_no_folder_is_made(tmp_path):
    with claimed(tmp_path) as claim:
        task = Work(Claim(tmp_path / "elsewhere" / "owner", claim.token), RunFolder(tmp_path / "elsewhere" / "P0-dice"))
        with pytest.raises(Failure, match="not to be seen"):
            alone(lambda task: None)(task)
    assert not (tmp_path / "elsewhere").exists()


def test_a_claim_that_was_taken_over_is_left_to_its_new_owner(tmp_path):
    with claimed(tmp_path) as first:
        first.path.write_text("another")
    assert first.path.read_text() == "another"
