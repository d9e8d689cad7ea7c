"""The synthetic placeholder set."""
import numpy as np
import pytest
from scipy import ndimage
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from experiments.datasets import CLASSES, open_dataset, synthetic
from experiments.inputs.preprocessing import Preprocessing, preprocess
from experiments.inputs.splitting import split


def test_pure_function_of_seed_and_index():
    image, mask = synthetic.draw(3, 5)
    again, mask_again = synthetic.draw(3, 5)
    np.testing.assert_array_equal(image, again)
    np.testing.assert_array_equal(mask, mask_again)
    assert image.shape == mask.shape == (320, 256) and image.dtype == np.uint8 and mask.dtype == bool
    assert not np.array_equal(image, synthetic.draw(4, 5)[0])
    assert not np.array_equal(image, synthetic.draw(3, 4)[0])


def test_classes_patients_and_masks():
    data = open_dataset(None, seed=1)
    assert len(data.mammograms) == synthetic.IMAGES == len({one.name for one in data.mammograms})
    labels = [one.label for one in data.mammograms]
    assert {name: labels.count(name) for name in CLASSES} == dict.fromkeys(CLASSES, synthetic.IMAGES // 3)
    first, second, third = (one.patient for one in data.mammograms[:3])
    assert first == second != third
    assert [dict(one.facts)["view"] for one in data.mammograms[:4]] == ["CC", "MLO", "CC", "MLO"]
    assert [one.breast for one in data.mammograms[::2]] == [one.breast for one in data.mammograms[1::2]]
    for one in data.mammograms[:12]:
        image = one.image()  # the chest wall, where the breast is widest, is on the side of the breast's name
        near, far = ((image[:, -20:], image[:, :20]) if one.breast == "right" else (image[:, :20], image[:, -20:]))
        assert near.mean() > far.mean()
    for one in data.mammograms[:12]:
        mask = one.mask()
        assert (mask is None) == (one.label == "normal")
        if mask is not None:
            assert 0.003 < mask.mean() < 0.1
            assert ndimage.label(mask, structure=np.ones((3, 3)))[1] == 1


def test_lesions_are_brighter_than_their_surroundings():
    for index in (0, 1, 4, 5):
        image, mask = synthetic.draw(0, index)
        ring = ndimage.binary_dilation(mask, iterations=10) & ~ndimage.binary_dilation(mask, iterations=3)
        assert image[mask].mean() > image[ring & (image > 20)].mean()


def test_round_masses_are_rounder_than_spiculated_ones():
    def roundness(index):  # 4 pi area / perimeter^2
        mask = synthetic.draw(0, index)[1]
        border = mask & ~ndimage.binary_erosion(mask)
        return 4 * np.pi * mask.sum() / border.sum() ** 2

    assert min(roundness(index) for index in (4, 5, 10, 11)) > 2 * max(roundness(index) for index in (0, 1, 6, 7))


@pytest.mark.parametrize("height", [128, 512])
def test_other_resolutions_and_lesions_within_the_crop(height):
    for index in (0, 1, 4, 5):
        image, mask = synthetic.draw(2, index, height)
        assert image.shape == (height, round(0.8 * height))
        assert not preprocess(image, mask, Preprocessing(32, 64), "drawn").lost


def test_grey_levels_alone_do_not_tell_the_classes():
    """Logistic regression on each image's histogram, before and after preprocessing, on held-out patients."""
    mammograms = synthetic.dataset(seed=0, images=360, height=128).mammograms
    labels = np.array([CLASSES.index(one.label) for one in mammograms])
    training, test = split(labels, np.array([one.patient for one in mammograms]), seed=0)
    images = [one.image() for one in mammograms]
    raw = [np.histogram(image, 64, (0, 256))[0] for image in images]
    prepared = [np.histogram(preprocess(image, None, Preprocessing(64, 128), "drawn").image, 64, (0, 1))[0]
                for image in images]
    for histograms in (np.array(raw), np.array(prepared)):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
        model.fit(histograms[training], labels[training])
        assert model.score(histograms[test], labels[test]) < 0.6


def test_written_set_reads_back(tmp_path, command):
    folder = tmp_path / "drawn"
    assert command(synthetic.main, folder, "--images", 6, "--seed", 7, "--height", 64)[0] == 0
    drawn = synthetic.dataset(7, 6, 64).mammograms
    read = open_dataset(folder, seed=0).mammograms
    assert [(one.patient, one.label, one.breast, one.facts) for one in read] == [
        (one.patient, one.label, one.breast, one.facts) for one in drawn]
    for one, other in zip(read, drawn, strict=True):
        np.testing.assert_array_equal(one.image(), other.image())
        assert (one.mask() is None) == (other.mask() is None)
        if one.mask() is not None:
            np.testing.assert_array_equal(one.mask(), other.mask())
    (tmp_path / "file").write_text("")
    for place, flags, code, message in (
            (folder, ("--images", 6), 2, "expected a new or an empty folder"),
            (tmp_path / "x", ("--images", 0), 2, "--images of at least 1"),
            (tmp_path / "x", ("--height", 80000), 2, "--height of 32 to 8192"),
            (tmp_path / "file" / "x", ("--images", 1), 1, "is no folder")):
        ended = command(synthetic.main, place, *flags)
        assert ended[0] == code and message in ended[2]
