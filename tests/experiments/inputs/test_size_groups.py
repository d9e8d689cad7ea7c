import numpy as np
import pytest

from experiments.datasets import Mammogram
from experiments.inputs.image_set import prepare
from experiments.inputs.preprocessing import Preprocessing
from experiments.inputs.size_groups import GROUPS, GroupsRecord, annotation_sizes, size_groups
from experiments.system.errors import Failure


def everything(sizes, test=()):
    """Groups of all images as training images, but those at `test`."""
    return size_groups(np.array(sizes), np.setdiff1d(np.arange(len(sizes)), test), np.array(test, dtype=int))


def test_the_bounds_are_the_percentiles_of_the_training_set_alone():
    sizes = np.r_[np.arange(1, 102), 100000, 100001]  # 1 .. 101: the percentiles are 21, 41, 61 and 81
    groups = everything(sizes, test=[101, 102])
    assert groups.bounds.tolist() == [21, 41, 61, 81]
    assert [len(members) for members in groups.train] == [21, 20, 20, 20, 20]
    assert [sizes[members].max() for members in groups.train] == [21, 41, 61, 81, 101]
    assert [members.tolist() for members in groups.test] == [[], [], [], [], [101, 102]]


def test_test_images_are_sorted_by_the_same_bounds():
    sizes = np.r_[np.arange(1, 102), 1, 21, 22, 41, 81, 82, 500]
    groups = everything(sizes, test=np.arange(101, 108))
    assert [sizes[members].tolist() for members in groups.test] == [[1, 21], [22, 41], [], [81], [82, 500]]


def test_images_without_a_lesion_take_no_part():
    sizes = np.array([0, 10, 20, 0, 30, 40, 50, 0, 60])
    groups = everything(sizes, test=[7, 8])
    assert groups.all_train.tolist() == [1, 2, 4, 5, 6] and groups.all_test.tolist() == [8]


def test_equal_sizes_are_never_torn_apart():
    generator = np.random.default_rng(0)
    for _ in range(20):
        sizes = generator.integers(1, 40, size=200)
        groups = everything(sizes, test=np.arange(60))
        for members in (groups.train, groups.test):
            present = [set(sizes[group].tolist()) for group in members]
            assert sum(map(len, present)) == len(set.union(*present))
        assert np.array_equal(groups.all_train, np.arange(60, 200))


def test_all_of_one_size_leave_groups_empty_which_is_said():
    with pytest.raises(Failure, match=r"no training image in size group P1 and P2 and P3 and P4: of 50 annotations 50 "
                                      r"cover exactly 7 pixels.*--side"):
        everything([7] * 50 + [7], test=[50])


def test_a_frequent_size_is_named_with_the_groups_that_it_empties():
    with pytest.raises(Failure, match=r"in size group P2 and P3:.*exactly 30 pixels"):
        everything([10] * 2 + [20] * 2 + [30] * 6 + [40, 50] + [9], test=[12])


@pytest.mark.parametrize(("sizes", "test", "found"), [
    ([0, 0, 0], [2], "0 training images and 0 test images"), ([5, 6, 0], [2], "2 training images and 0 test images")])
def test_without_masks_there_is_nothing_to_detect(sizes, test, found):
    with pytest.raises(Failure, match=rf"{found} have an annotated lesion.*column mask"):
        everything(sizes, test)


def test_a_group_without_a_test_image_is_allowed():
    groups = everything([1, 2, 3, 4, 5, 1], test=[5])
    assert groups.record(side=4) == GroupsRecord(
        groups.bounds.tolist(), dict.fromkeys(GROUPS, 1), {"P0": 1, "P1": 0, "P2": 0, "P3": 0, "P4": 0},
        {"P0": 1 / 16, "P1": None, "P2": None, "P3": None, "P4": None})


def test_sizes_are_those_of_the_prepared_masks(tmp_path):
    mammograms = []
    for rows in (0, 4, 8):
        image, mask = np.random.default_rng(0).integers(1, 255, (64, 64)), np.zeros((64, 64), bool)
        mask[:rows, :32] = True
        mammograms.append(Mammogram(str(rows), "a", "benign", "", str(rows), lambda pair=(image, mask): pair))
    prepared = prepare(mammograms, Preprocessing(side=32, working_side=64, clip_limit=0.02), tmp_path, progress=False)
    assert annotation_sizes(prepared).tolist() == [0, 2 * 16, 4 * 16]
