"""Records in files: dataclasses as JSON, read without trust, since people edit such files and disks damage them.

What a field's annotation says is what the file must hold: a text where it says str, whole numbers where it says int.
Fields with a default may be absent, and what no field is named after is passed over.
"""
from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from experiments.system.errors import Failure
from experiments.system.files import write_json

Kind = TypeVar("Kind")
REMEDY = "Restore it from a copy, or start another run"


def write_record(path: Path, record: object) -> None:
    """The dataclass as JSON, whole or not at all. Raises Failure where the file cannot be written."""
    write_json(path, record)


def read_record(kind: type[Kind], path: Path) -> Kind:
    """What `write_record` wrote. Raises Failure, naming the file, where it is absent, cannot be read or is no such
    record."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror or error}") from error
    return decoded(kind, content, path)


def decoded(kind: type[Kind], content: bytes | str, place: object) -> Kind:
    """The record in a JSON text. place: where it stands, for messages. Raises Failure where it is none."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Failure(f"{place} is damaged: {error}. {REMEDY}") from error


def converted(kind: type[Kind], values: Any, place: object) -> Kind:
    """The record in JSON's own types, read already. Raises Failure where it is none."""
    try:
        return msgspec.convert(values, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise Failure(f"{place} is damaged: {error}. {REMEDY}") from error
