"""The training time of a run: the sum over its interruptions, and a mark where a part was not timed."""
import pytest

from experiments.runs import training_time
from experiments.runs.training_time import FILE, TrainingTime, timing, total_time


@pytest.fixture
def clock(monkeypatch):
    """clock(seconds) lets time pass."""
    now = [0.0]
    monkeypatch.setattr(training_time.time, "monotonic", lambda: now[0])
    return lambda seconds: now.__setitem__(0, now[0] + seconds)


def test_parts_add_up_also_when_they_end_by_an_error_or_ctrl_c(tmp_path, clock):
    assert training_time.training_time(tmp_path) is None
    with timing(tmp_path):
        clock(3)
    clock(100)
    for error in (KeyboardInterrupt, ValueError):
        with pytest.raises(error), timing(tmp_path):
            clock(2)
            raise error
    assert training_time.training_time(tmp_path) == TrainingTime(7, False)


def test_a_part_that_was_killed_is_marked_for_good(tmp_path, clock):
    with timing(tmp_path):
        clock(3)
        at_the_kill = (tmp_path / FILE).read_text()
    (tmp_path / FILE).write_text(at_the_kill)
    assert training_time.training_time(tmp_path) == TrainingTime(0, True)
    with timing(tmp_path):
        clock(4)
    assert training_time.training_time(tmp_path) == TrainingTime(4, True)


def test_of_several_runs(tmp_path, clock):
    for name in "ab":
        (tmp_path / name).mkdir()
        with timing(tmp_path / name):
            clock(5)
    assert total_time([tmp_path / "a", tmp_path / "b"]) == (10, False)
    assert total_time([tmp_path / "a", tmp_path / "c"]) == (5, True)
    assert total_time([tmp_path / "c"]) == (None, True)
