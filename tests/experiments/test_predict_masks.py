"""predict.py --masks: the detector's mask lies on the image's own pixels, whatever the image's size and orientation."""
import json

import numpy as np
import pytest
from PIL import Image

from engine.checkpoint import save_checkpoint
from engine.layers import Conv2D
from experiments import predict
from experiments.configuration.detector import DetectorConfiguration
from experiments.detectors import network as detector
from experiments.detectors.trained import TrainedDetector
from experiments.inputs.crop import breast_square, enlarge_mask
from experiments.inputs.preprocessing import Preprocessing, preprocess, shrink_mask
from experiments.runs.provenance import Provenance

SIZES = [(96, 96), (97, 64), (64, 97), (301, 203), (203, 301), (101, 74), (33, 50)]  # height, width
KNOWN = Provenance("set", False, {"cancer": 3}, 2, "P0-dice", "quick", 5, None)


def bright_spot(shape, at, radius):
    """A dim image with one bright disc, and the disc as a mask."""
    rows, columns = np.mgrid[:shape[0], :shape[1]]
    disc = (rows - at[0]) ** 2 + (columns - at[1]) ** 2 <= radius**2
    return np.where(disc, 250, 30 + (rows + columns) % 7).astype(np.uint8), disc


def marks_bright_pixels(side):
    """A detector whose output is above one half where the prepared image is above one half."""
    layer = Conv2D(1, 1, kernel_size=1, rng=np.random.default_rng(0))
    layer.params["W"][...], layer.params["b"][...] = 100, -50
    configuration = DetectorConfiguration(side=side, depth=1, working_side=128)
    return TrainedDetector(layer, configuration, KNOWN)


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("place", [(0.3, 0.4), (0.7, 0.6), (0.5, 0.2)])
def test_the_mask_lies_where_the_image_is_bright(shape, place, tmp_path):
    short = min(shape)
    image, disc = bright_spot(shape, (place[0] * shape[0], place[1] * shape[1]), short / 6)
    Image.fromarray(image).save(tmp_path / "image.png")
    mask = marks_bright_pixels(32).mask(tmp_path / "image.png")
    assert mask.shape == shape and mask.dtype == bool
    pixel = short / 32  # of the network, in the image's
    for axis in (0, 1):
        found, wanted = (np.flatnonzero(each.any(axis=axis)) for each in (mask, disc))
        assert abs(found[0] - wanted[0]) <= 1 + pixel and abs(found[-1] - wanted[-1]) <= 1 + pixel
        assert np.abs(np.mean(np.nonzero(mask)[axis]) - np.mean(np.nonzero(disc)[axis])) <= pixel / 3
    assert (mask & disc).sum() / (mask | disc).sum() > 0.75


@pytest.mark.parametrize("shape", [(64, 96), (96, 64), (128, 200), (64, 64)])
def test_enlarging_undoes_shrinking_where_pixels_are_whole_multiples(shape):
    settings = Preprocessing(side=16, working_side=64)
    small = np.random.default_rng(0).random((16, 16)) > 0.5
    image = np.random.default_rng(1).random(shape).astype(np.float32)
    crop = breast_square(image, "image")
    whole = enlarge_mask(small, crop, shape)
    assert whole.shape == shape and whole.sum() == small.sum() * (min(shape) // 16) ** 2
    np.testing.assert_array_equal(shrink_mask(whole[crop], settings), small)
    np.testing.assert_array_equal(preprocess(image, whole, settings, "image").mask, small)


def test_an_image_smaller_than_the_network_s_input_has_a_mask_of_its_own_size():
    small = np.zeros((32, 32), bool)
    small[:16] = True
    whole = enlarge_mask(small, (slice(0, 9), slice(3, 12)), (9, 20))
    np.testing.assert_array_equal(whole.any(axis=1), [True] * 4 + [False] * 5)
    np.testing.assert_array_equal(whole.any(axis=0), [False] * 3 + [True] * 9 + [False] * 8)


@pytest.fixture
def checkpoint(tmp_path):
    configuration = DetectorConfiguration(preset="quick", side=32, working_side=64, channels=2, depth=1)
    network = detector.build(configuration)
    network.parameters()["logits.b"][...] = 3  # so that it marks most of what it sees
    path = tmp_path / "P1-ss" / "checkpoint.safetensors"
    path.parent.mkdir()
    save_checkpoint(path, network, None, 100, configuration.record(), {
        "data": "some set", "drawn": False, "images": {"cancer": 7, "benign": 2}, "patients": 5, "detector": "P1-ss"})
    return path


@pytest.mark.parametrize("shape", [(81, 60), (60, 81)])
def test_masks_are_png_files_of_the_images_sizes(shape, checkpoint, tmp_path, command):
    Image.fromarray(bright_spot(shape, (30, 30), 15)[0]).save(tmp_path / "image.png")
    code, output, errors = command(predict.main, checkpoint.parent, tmp_path / "image.png", "--masks", tmp_path / "out",
                                   "--json", tmp_path / "p.json")
    assert code == 0, errors
    with Image.open(tmp_path / "out" / "image.png.mask.png") as picture:
        levels = np.asarray(picture)
    assert levels.shape == shape and levels.dtype == np.uint8 and set(np.unique(levels)) == {0, 255}
    crop = breast_square(np.asarray(Image.open(tmp_path / "image.png")).astype(np.float32), "")
    outside = np.ones(shape, bool)
    outside[crop] = False
    assert not levels[outside].any()
    row, = json.loads((tmp_path / "p.json").read_text())["images"]
    assert row == {"image": str(tmp_path / "image.png"), "marked": pytest.approx((levels > 0).mean()),
                   "mask": str(tmp_path / "out" / "image.png.mask.png")}
    assert "some set, 9 images of 5 patients (7 cancer, 2 benign); 100 steps" in output and "detector P1-ss" in output
    assert "WARNING" not in output and "not for diagnosis" in output


def test_calls_that_do_not_fit_a_detector(checkpoint, tmp_path, command):
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "image.png")
    for flags, message in (((), "--masks DIR"), (("--masks", tmp_path, "--saliency", tmp_path), "--saliency: "),
                           (("--masks", tmp_path, "--overlay", tmp_path), "--overlay: ")):
        code, output, errors = command(predict.main, checkpoint, tmp_path / "image.png", *flags)
        assert (code, output, message in errors) == (2, "", True)
