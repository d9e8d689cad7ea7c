"""Networks from checkpoints that say of themselves what is not so: none is built that the file does not hold."""
import numpy as np
import pytest

from engine.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from experiments.classifiers import network as classifier
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.configuration.detector import DetectorConfiguration
from experiments.configuration.recorded import recorded_configuration
from experiments.detectors import network as detector
from experiments.runs.restoring import restored
from experiments.system.errors import Failure

TINY = {classifier: ClassifierConfiguration(side=32, width=0.05),
        detector: DetectorConfiguration(side=8, channels=2, depth=1)}


@pytest.mark.parametrize("kind", [classifier, detector])
def test_the_network_has_the_numbers_of_the_file(kind, tmp_path):
    network = kind.build(TINY[kind])
    save_checkpoint(tmp_path / "x", network, None, 0, TINY[kind].record())
    again = restored(load_checkpoint(tmp_path / "x"), lambda rng: kind.build(TINY[kind], rng=rng))
    assert again.parameters().keys() == network.parameters().keys()
    assert all(np.array_equal(array, again.parameters()[path]) and array.dtype == again.parameters()[path].dtype
               for path, array in network.parameters().items())


@pytest.mark.parametrize(("kind", "changed"), [
    (classifier, {"side": 32 * 10**9}), (classifier, {"width": 16.0}), (classifier, {"width": 0.1}),
    (detector, {"channels": 1024}), (detector, {"depth": 3}), (detector, {"channels": 3})])
def test_a_larger_network_than_the_file_holds_is_never_built(kind, changed, tmp_path):
    save_checkpoint(tmp_path / "x", kind.build(TINY[kind]), None, 0, TINY[kind].record() | changed)
    checkpoint = load_checkpoint(tmp_path / "x")
    configuration = recorded_configuration(type(TINY[kind]), checkpoint.configuration, "x")
    with pytest.raises(CheckpointError, match="a larger network than it holds"):
        restored(checkpoint, lambda rng: kind.build(configuration, rng=rng))


@pytest.mark.parametrize(("changed", "message"), [
    ({"side": "8"}, "Expected `int`, got `str` - at `$.side`"),
    ({"bias": None}, "Expected `float`, got `null` - at `$.bias`"), ({"side": 8.5}, "got `float` - at `$.side`"),
    ({"preset": 3}, "got `int` - at `$.preset`"), ({"bias": 10**400}, "$.bias"),
    ({"kind": "classifier"}, "their kind is 'classifier'"),
    ({"kind": None}, "their kind is None"), ({"kind": [1]}, "their kind is [1]"),
    ({"learning_rate": float("inf")}, "--learning-rate inf: expected a finite number"),
    ({"steps": 2**53 + 1}, "--steps: expected at most 9007199254740992"), ({"depth": 9}, "--depth 9: expected"),
    ({"width": 1.0}, "has the unknown 'width'")])
def test_a_configuration_that_cannot_be_is_named_with_its_file(changed, message):
    with pytest.raises(Failure, match=r"^the file") as caught:
        recorded_configuration(DetectorConfiguration, TINY[detector].record() | changed, "the file")
    assert message in str(caught.value)


def test_a_whole_number_stands_for_a_fraction_and_nothing_for_a_setting():
    values = TINY[detector].record() | {"bias": 1}
    assert recorded_configuration(DetectorConfiguration, values, "the file").bias == 1.0
    values.pop("seed")
    with pytest.raises(Failure, match="it lacks 'seed'"):
        recorded_configuration(DetectorConfiguration, values, "the file")
