"""The configuration in a run's config.json or in a checkpoint, read without trust."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from experiments.configuration.classifier import ClassifierConfiguration, RetrainingConfiguration
from experiments.configuration.decomposition import DecompositionConfiguration
from experiments.configuration.detector import DetectorConfiguration
from experiments.configuration.training import Kind, TrainingConfiguration
from experiments.system.errors import Failure, UsageError
from experiments.system.records import converted

KINDS: dict[str, type[TrainingConfiguration]] = {each.kind: each for each in (
    ClassifierConfiguration, DecompositionConfiguration, RetrainingConfiguration, DetectorConfiguration)}


def recorded_configuration(expected: type[Kind], record: Mapping[str, Any], place: object) -> Kind:
    """What `record()` of a configuration gave, of the expected kind.

    place: where it stands, for messages. Raises Failure where it is of another kind, and where a setting is missing,
    unknown, of another type or a value that cannot be: it is never replaced by a default.
    """
    values = {name: value for name, value in record.items() if name != "kind"}
    if record.get("kind") != expected.kind:
        raise Failure(f"{place} does not hold the settings of such a run: their kind is {record.get('kind')!r:.80}, "
                      f"expected is {expected.kind!r}")
    names = {entry.name for entry in fields(expected)}
    unknown, missing = values.keys() - names, names - values.keys()
    if unknown or missing:
        told = [f"{word} {', '.join(sorted(map(repr, names)))}"[:200]
                for word, names in (("it lacks", missing), ("it has the unknown", unknown)) if names]
        raise Failure(f"{place} does not hold the settings of such a run: {' and '.join(told)}")
    try:
        return converted(expected, values, place)
    except UsageError as error:
        raise Failure(f"{place}: {error}") from error


def kind_of(record: Mapping[str, Any]) -> type[TrainingConfiguration]:
    """The class whose settings these are. Raises UsageError where they do not say it."""
    kind = KINDS.get(record["kind"]) if isinstance(record.get("kind"), str) else None
    if kind is None:
        raise UsageError(f"its configuration does not say of which kind it is; expected one of {', '.join(KINDS)}")
    return kind
