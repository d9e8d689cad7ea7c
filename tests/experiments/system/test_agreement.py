"""Ranks, here threads, that end together: whoever meets an error, wherever between two steps."""
import pytest

from engine.training import NotFinite, Step
from experiments.system.agreement import Agreement
from experiments.system.errors import Failure


def made(batches):
    for number in batches:
        yield Step(number, 0.0, 0.0)


def broken(at):
    yield from range(1, at)
    raise OSError(5, "no more", "image.png")


class Ended(Exception):
    pass


def train(ranks, batches, watch=lambda step: None):
    """What rank 0 does in a training: (steps made, what ended it)."""
    agreement, steps = Agreement(ranks), []
    ranks.abort = lambda error: (_ for _ in ()).throw(Ended(str(error)))
    try:
        with agreement.steps(made(agreement.batches(iter(batches)))) as given:
            for step in given:
                steps.append(step.number)
                watch(step)
    except Exception as error:
        assert agreement.over or isinstance(error, Ended)
        return steps, error
    assert agreement.over
    return steps, None


def test_all_make_all_steps(on_ranks):
    assert on_ranks(3, lambda ranks: train(ranks, range(1, 5))) == [([1, 2, 3, 4], None)] * 3


@pytest.mark.parametrize("rank", [0, 2])
def test_a_batch_that_one_rank_cannot_make_ends_all_with_its_words(rank, on_ranks):
    of_ranks = on_ranks(3, lambda ranks: train(ranks, broken(3) if ranks.rank == rank else range(1, 9)))
    for number, (steps, error) in enumerate(of_ranks):
        assert steps == [1, 2]
        assert isinstance(error, OSError if number == rank else Failure)
        assert number == rank or str(error).startswith(f"on rank {rank} of 3: image.png: the device cannot be read")


def test_an_error_between_two_steps_ends_all(on_ranks):
    def full(step):
        if step.number == 3:
            raise Failure("metrics.jsonl: the disk is full")

    first, *others = on_ranks(3, lambda ranks: train(ranks, range(1, 9), full if ranks.rank == 0 else lambda _: None))
    assert first[0] == [1, 2, 3] and str(first[1]) == "metrics.jsonl: the disk is full"
    for steps, error in others:
        assert steps == [1, 2, 3] and str(error) == "on rank 0 of 3: metrics.jsonl: the disk is full"


def test_an_error_behind_the_last_step_ends_all(on_ranks):
    def full(step):
        if step.number == 2:
            raise Failure("full")

    of_ranks = on_ranks(2, lambda ranks: train(ranks, [1, 2], full if ranks.rank == 0 else lambda _: None))
    assert [str(error) for _, error in of_ranks] == ["full", "on rank 0 of 2: full"]


def test_an_error_within_a_step_ends_the_processes(on_ranks):
    """Nobody waits: the others may be in a sum that this rank never comes to."""
    def failing(ranks):
        agreement = Agreement(ranks)
        ranks.abort = lambda error: (_ for _ in ()).throw(Ended(str(error)))

        def steps():
            for _ in agreement.batches(iter([1])):
                raise MemoryError("no room")
            yield

        with pytest.raises(Ended, match="no room"), agreement.steps(steps()) as given:
            next(given)

    on_ranks(2, failing)


def test_what_all_have_found_is_not_told(on_ranks):
    def failing(ranks):
        agreement = Agreement(ranks)

        def steps():
            for _ in agreement.batches(iter([1])):
                raise NotFinite(1, "", "the loss is nan")
            yield

        with pytest.raises(NotFinite), agreement.steps(steps()) as given:
            next(given)

    on_ranks(2, failing)
