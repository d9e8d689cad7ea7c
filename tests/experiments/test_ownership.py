import pytest

from experiments.errors import Failure
from experiments.ownership import claimed


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


def test_a_claim_that_was_taken_over_is_left_to_its_new_owner(tmp_path):
    with claimed(tmp_path) as first:
        first.path.write_text("another")
    assert first.path.read_text() == "another"
