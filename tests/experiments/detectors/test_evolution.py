import numpy as np
import pytest

from experiments.detectors.evolution import Evolution, is_snapshot, read_evolution
from experiments.system.errors import Failure


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


@pytest.mark.parametrize("spoil", ["absent", "empty", "cut off", "flipped", "a pickle", "one array"])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, spoil):
    evolution = Evolution(tmp_path / "P0-dice" / "evolution.npz", np.zeros((4, 4), np.float32), np.eye(4, dtype=bool))
    evolution.record(1, np.zeros((4, 4)))
    whole, path = evolution.path.read_bytes(), evolution.path
    if spoil == "absent":
        path.unlink()
    elif spoil in ("a pickle", "one array"):
        with open(path, "wb") as file:
            np.save(file, np.array([{}], object) if spoil == "a pickle" else np.zeros(3))
    else:
        middle = whole.index(b"steps") + 60  # inside the first array's compressed bytes
        path.write_bytes({"empty": b"", "cut off": whole[:len(whole) // 2],
                          "flipped": whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1:]}[spoil])
    with pytest.raises(Failure, match=r"P0-dice/evolution\.npz is absent or damaged.*Delete the folder .*P0-dice; "):
        read_evolution(path)
