import numpy as np

from experiments.evolution import Evolution, is_snapshot


def test_snapshots_are_denser_early_on_and_include_the_last_step():
    assert [step for step in range(1, 701) if is_snapshot(step, 700)] == [1, 2, 5, 10, 20, 50, 100, 200, 500, 700]


def test_a_resumed_training_replaces_what_it_makes_again(tmp_path):
    generator = np.random.default_rng(0)
    evolution = Evolution(tmp_path / "evolution.npz", generator.random((4, 4), np.float32), np.eye(4, dtype=bool))
    answers = generator.random((3, 4, 4), np.float32)
    for step, answer in ((1, answers[0]), (2, answers[1] / 2), (5, answers[2] / 2), (2, answers[1]), (5, answers[2])):
        evolution.record(step, answer)
    with np.load(evolution.path) as kept:
        assert kept["steps"].tolist() == [1, 2, 5]
        assert np.array_equal(kept["probabilities"], answers.astype(np.float16))
        assert np.array_equal(kept["image"], evolution.image) and np.array_equal(kept["mask"], evolution.mask)
