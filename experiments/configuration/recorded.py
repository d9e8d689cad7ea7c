"""The configuration in a run's config.json or in a checkpoint, read without trust."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

from experiments.configuration.training import Kind
from experiments.system.errors import Failure, UsageError


def recorded_configuration(kind: type[Kind], values: Mapping[str, Any], place: object) -> Kind:
    """The configuration that config.json or a checkpoint holds as a JSON object.

    place: the file, for messages. Raises Failure where a setting is missing, unknown, of another type or a value that
    cannot be: it is never replaced by a default.
    """
    expected = get_type_hints(kind)
    unknown, missing = values.keys() - expected.keys(), expected.keys() - values.keys()
    if unknown or missing:
        told = [f"{word} {', '.join(sorted(map(repr, names)))}"[:200]
                for word, names in (("it lacks", missing), ("it has the unknown", unknown)) if names]
        raise Failure(f"{place} does not hold the settings of such a run: {' and '.join(told)}")
    for name, value in values.items():
        kinds = get_args(expected[name]) or (expected[name],)
        if type(value) not in (*kinds, *((int,) if float in kinds else ())):
            raise Failure(f"{place}: {name} is {str(value)[:80]!r}, expected is a value of the type "
                          f"{' or '.join(each.__name__ for each in kinds)}")
    converted: dict[str, Any] = {}
    try:
        for name, value in values.items():
            converted[name] = float(value) if expected[name] is float else value
        return kind(**converted)
    except (UsageError, OverflowError) as error:
        raise Failure(f"{place}: {error}") from error
