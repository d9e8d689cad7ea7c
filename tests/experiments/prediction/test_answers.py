"""The network that answers is prepared for many images: the same answers, and afterwards the network as it was."""
import numpy as np
import pytest

from engine.checkpoint import save_checkpoint
from engine.prepared import kept_bytes
from experiments.classifiers import network as classifier
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.configuration.detector import DetectorConfiguration
from experiments.detectors import network as detector
from experiments.prediction import answers
from experiments.prediction.answers import Wanted, load_answers
from experiments.system.device import beside
from models.predict import predict

SIDE = 64


@pytest.fixture
def loaded(monkeypatch):
    """The networks that were loaded, as they were before anything was made of them."""
    networks = []

    def remembering(load):
        def wrapped(*arguments):
            found = load(*arguments)
            networks.append(found.network)
            return found
        return wrapped

    for name in ("load_classifier", "load_detector"):
        monkeypatch.setattr(answers, name, remembering(getattr(answers, name)))
    return networks


def written(kind, path):
    """A checkpoint of a network wide enough for Winograd's method."""
    trained_on = {"data": "some set", "drawn": False, "images": {"cancer": 7, "normal": 2}, "patients": 5}
    if kind == "classifier":
        configuration = ClassifierConfiguration(preset="quick", side=SIDE, working_side=SIDE, width=0.5)
        network = classifier.build(configuration)
    else:
        configuration = DetectorConfiguration(preset="quick", side=SIDE, working_side=SIDE, channels=32, depth=2)
        network, trained_on["detector"] = detector.build(configuration), "P1-ss"
    save_checkpoint(path, network, None, 100, configuration.record(), trained_on)
    return path


@pytest.mark.parametrize("kind", ["classifier", "detector"])
def test_answers_of_a_prepared_network(kind, loaded, tmp_path):
    path = written(kind, tmp_path / "checkpoint.safetensors")
    wanted = Wanted(masks=tmp_path / "masks") if kind == "detector" else Wanted()
    with load_answers(path, wanted, [tmp_path / "image.png"], "cpu") as found:
        ready, plain = getattr(found, kind).network, *loaded
        kept = []
        for seed in range(3):
            x = np.random.default_rng(seed).random((1, SIDE, SIDE, 1), np.float32)
            result, right = (predict(network, beside(network, x))[0] for network in (ready, plain))
            np.testing.assert_allclose(result, right, rtol=0, atol=1e-4)
            kept.append(kept_bytes(ready))
        assert kept[0] > 0 and len(set(kept)) == 1, "from the first image on"
        assert not all(array.flags.writeable for array in plain.parameters().values())
    assert kept_bytes(ready) == 0
    assert all(array.flags.writeable for array in plain.parameters().values()), "given back as it was"


def test_a_network_is_given_back_where_an_image_fails(loaded, tmp_path):
    path = written("classifier", tmp_path / "checkpoint.safetensors")
    with pytest.raises(RuntimeError, match="the disk is full"), load_answers(path, Wanted(), [path], "cpu"):
        raise RuntimeError("the disk is full")
    assert all(array.flags.writeable for array in loaded[0].parameters().values())
