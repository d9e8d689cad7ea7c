"""What somebody must know who has the exported network alone: what it takes, what it answers, what it was made of."""
from __future__ import annotations

from dataclasses import dataclass, fields

from engine.version import RELEASE
from experiments.configuration.classifier import ClassifierConfiguration, RetrainingConfiguration
from experiments.configuration.decomposition import DecompositionConfiguration
from experiments.configuration.detector import THRESHOLD
from experiments.exporting.network import TrainedNetwork
from experiments.runs.provenance import CAUTION, TrainedOn
from experiments.system.files import as_json
from experiments.system.records import converted
from experiments.system.versions import versions

KINDS = {"classifier": "VGG classifier of mammograms, trained end to end",
         "decomposition": "VGG classifier of mammograms and the heat map of five ROI detectors",
         "retraining": "VGG classifier of mammograms, a decomposition's, trained on with an empty second channel",
         "detector": "U-net that marks regions of interest in mammograms"}


@dataclass(frozen=True)
class Description:
    """caution       that it is not for diagnosis
    kind          as in the configuration; title: in words
    side          of the input, pixels; channels, dtype, range: of the input
    working_side  pixels at which the contrast is enhanced; clip_limit: of that
    input, preprocessing, output     in words
    classes       in the order of the outputs; empty for a detector
    threshold     on a detector's probability, above which a pixel is marked; of a decomposition on its detectors'
    training_data name of the set; fingerprint: of all that training saw; trained_on: in sentences
    steps         of the training; preset: its settings
    versions      of what exported it
    """
    caution: str
    kind: str
    title: str
    side: int
    channels: int
    dtype: str
    range: str
    working_side: int
    clip_limit: float
    input: str
    preprocessing: str
    output: str
    classes: list[str]
    threshold: float | None
    training_data: str | None
    fingerprint: str | None
    trained_on: list[str]
    steps: int
    preset: str
    software: str
    versions: dict[str, str]

    def texts(self) -> dict[str, str]:
        """By name; what is no text as JSON."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value if isinstance(value, str) else as_json(value) for name, value in values.items()}


def describe(trained: TrainedNetwork) -> Description:
    of, known = trained.configuration, converted(TrainedOn, trained.checkpoint.trained_on, trained.path)
    return Description(
        CAUTION, of.kind, KINDS[of.kind], of.side, trained.channels, "float32",
        "[0, 1]" if trained.channels == 1 else "channel 0: [0, 1]; channel 1: whole numbers from 0 to 5",
        of.working_side, of.clip_limit, _input(trained), _preprocessing(trained), _output(trained),
        list(of.class_names) if isinstance(of, ClassifierConfiguration) else [], _threshold(trained), known.data,
        known.fingerprint, trained.provenance.sentences, trained.checkpoint.step, of.preset, RELEASE, versions())


def _input(trained: TrainedNetwork) -> str:
    side, of = trained.configuration.side, trained.configuration
    first = (f"x: (N, {side}, {side}, {trained.channels}) float32, N images, rows from the top, columns from the left, "
             "channels last. Channel 0: grey levels of the prepared image, 0 the darkest, 1 the brightest; bright is "
             "dense tissue, as films show it.")
    if isinstance(of, DecompositionConfiguration):
        return (f"{first} Channel 1: how many of the five ROI detectors, RUN/detectors/P0 ... P4, mark the pixel, that "
                f"is, have there for channel 0 a probability above {of.threshold:g}; a whole number from 0 to 5.")
    if isinstance(of, RetrainingConfiguration):
        return f"{first} Channel 1: 0 everywhere."
    return first


def _preprocessing(trained: TrainedNetwork) -> str:
    of = trained.configuration
    return ("Of the mammogram (one view of one breast): 1. the square whose side is the image's shorter one, its "
            "centre as near as it can be to the centre of mass of the grey levels, the darkest weighing nothing; 2. "
            f"resized bilinearly to {of.working_side} x {of.working_side} pixels; 3. scaled so that the darkest pixel "
            "is 0 and the brightest 1; 4. contrast limited adaptive histogram equalization, 8 x 8 regions, clip limit "
            f"{of.clip_limit:g} (scikit-image's equalize_adapthist); 5. scaled as in 3; 6. averaged over areas to "
            f"{of.side} x {of.side} pixels. In code: experiments.inputs.preprocessing.preprocess.")


def _output(trained: TrainedNetwork) -> str:
    of = trained.configuration
    if isinstance(of, ClassifierConfiguration):
        names = ", ".join(of.class_names)
        return (f"probabilities and logits: (N, {of.classes}) float32, in the order {names}. probabilities = "
                "sigmoid(logits): each answers for its class against the others, and they need not add up to 1. The "
                "answer is the class of the largest.")
    return (f"probabilities and logits: (N, {of.side}, {of.side}, 1) float32, probabilities = sigmoid(logits). A pixel "
            f"is marked where its probability is above {THRESHOLD:g}.")


def _threshold(trained: TrainedNetwork) -> float | None:
    of = trained.configuration
    if isinstance(of, DecompositionConfiguration):
        return of.threshold
    return None if isinstance(of, ClassifierConfiguration) else THRESHOLD
