"""The model card: what a hub of models, and whoever finds the network there, read first."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.layer import parameter_count
from engine.version import PACKAGE
from experiments.configuration.detector import DetectorConfiguration
from experiments.evaluation import Evaluation
from experiments.evaluation.intervals import Interval
from experiments.evaluation.results import NAME, ClassifierResults
from experiments.evaluation.segmentation import MEASURES, OVERLAP, DetectorResults
from experiments.exporting.description import Description
from experiments.exporting.network import TrainedNetwork
from experiments.reporting.tables import interval, list_markdown, number
from experiments.system.files import as_json
from experiments.system.records import read_record

Figure = tuple[str, float | None, Interval | None]  # what it is, its value, its 95 % interval

CARD = """---
{head}
---

# {title}

**{caution}**

A network of {parameters:,} parameters, made with {software}, which computes it in NumPy or CuPy. It
re-implements Fabian Sinzinger, *Mammography Classification and Nodule Detection using Deep Neural Networks*, KTH
Stockholm 2017.

## Use

{use}

With the project's code, in this folder:

```python
import json

import numpy as np
from safetensors.numpy import load_file

from engine.layer import assign
from models.predict import predict
from models.{module} import {module}

said, rng = json.load(open("config.json")), np.random.default_rng(0)
of = said["configuration"]
network = {build}
assign(network, load_file("model.safetensors"))
x = np.zeros((1, said["side"], said["side"], said["channels"]), np.float32)  # a prepared image in its place
probabilities, logits = predict(network, x)
```

## Training data

{data}

Fingerprint of all that training saw: `{fingerprint}`. No image is part of this folder. Training and test set share no
patient.

## Figures

{tested}
{figures}
## Limits

{limits}
"""
BUILD = {"unet": 'unet(1, of["channels"], of["depth"], rng=rng)',
         "vgg": 'vgg(of["side"], said["channels"], of["classes"], of["width"], rng=rng)'}


def model_card(trained: TrainedNetwork, said: Description) -> str:
    """README.md: a YAML head, then what it is, its use, data, figures and limits."""
    module = "unet" if isinstance(trained.configuration, DetectorConfiguration) else "vgg"
    figures, tested = _figures(trained)
    rows = "".join(f"| {what} | {number(value)} | {interval(ends, '{} to {}')} |\n" for what, value, ends in figures)
    return CARD.format(
        head="\n".join(_head(said, figures)), title=said.title, caution=said.caution, software=said.software,
        parameters=parameter_count(trained.network), module=module, build=BUILD[module],
        use=list_markdown([f"Input: {said.input}", f"Preprocessing: {said.preprocessing}", f"Output: {said.output}"]),
        data=list_markdown(said.trained_on), fingerprint=said.fingerprint or "not recorded", tested=tested,
        figures=rows and f"\n| test images | value | 95 % interval |\n|---|---|---|\n{rows}",
        limits=list_markdown(_limits(trained)))


def _head(said: Description, figures: Sequence[Figure]) -> list[str]:
    """YAML whose texts are JSON's, so that no name can break it."""
    task = "image-classification" if said.classes else "image-segmentation"
    lines = [f"library_name: {PACKAGE}", f"pipeline_tag: {task}",
             "tags: [mammography, breast-cancer, numpy, research, not-for-diagnosis]"]
    known: list[dict[str, Any]] = [{"type": what.partition(",")[0].lower().replace(" ", "_"), "name": what,
                                    "value": value} for what, value, _ in figures if value is not None]
    if known:
        data = said.training_data or "not recorded"
        lines.append("model-index: " + as_json([{"name": said.title, "results": [{
            "task": {"type": task}, "dataset": {"type": data, "name": f"{data}, test images"}, "metrics": known}]}]))
    return lines


def _figures(trained: TrainedNetwork) -> tuple[list[Figure], str]:
    """From results.json beside the checkpoint, and what they are figures of."""
    place = trained.path.with_name(NAME)
    if trained.path.stem != "checkpoint" or not place.exists():
        return [], "No results lie beside the checkpoint: it is not known how good the network is."
    if not isinstance(trained.configuration, DetectorConfiguration):
        return _of_classes(read_record(ClassifierResults, place).test)
    of = read_record(DetectorResults, place).complete["test"]
    return [(name.replace("_", " "), of[name], None) for name in MEASURES if name != "loss"], (
        "On all test images with a lesion, of all sizes: shares of pixels; overlap accuracy is the share of lesions "
        f"with a Szymkiewicz-Simpson coefficient of at least {OVERLAP}. No intervals are computed for a detector.")


def _of_classes(test: Evaluation) -> tuple[list[Figure], str]:
    titles = {"accuracy": "accuracy", "auroc": "AUROC"}
    return [(f"{title}, {of if of == 'mean' else f'{of} against the rest'}", value, test.intervals[key][of])
            for key, title in titles.items() for of, value in test.metrics[key].items()], (
        f"On {test.images} test images of {test.patients} patients; the intervals count patients. Always answering "
        f"“{test.majority.answer}” has a mean accuracy of {number(test.majority.accuracy['mean'])}.")


def _limits(trained: TrainedNetwork) -> list[str]:
    return ["Trained on drawings: what it answers for a mammogram means nothing." if trained.provenance.drawn else
            "Other scanners, views and populations than those of its data are an input that it has never seen.",
            "An image that is not prepared exactly as above has no meaningful answer.",
            "The figures are of one training, and its answers were compared with no reader's.",
            "It is no medical device."]
