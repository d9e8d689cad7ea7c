"""Who says it, of what and when: what the objects of one image have in common.

The UID of an object is a name-based UUID (RFC 9562, version 5) below 2.25 (PS3.5 B.2), of all that decides on the
object's content: the image file, the networks, the versions of this program and of highdicom, the answers, the time.
So equal UIDs mean equal content, as the standard asks, without a random number: the same call at the same time
(`SOURCE_DATE_EPOCH` sets one) writes the same bytes, and a later one writes other objects, as a second reading is
another document.
"""
from __future__ import annotations

import os
import uuid
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import Any

from engine.version import PACKAGE, __version__
from experiments.prediction.dicom.source import Source
from experiments.system.errors import UsageError

CAUTION = "Research and teaching tool, not for diagnosis"  # at most 64 characters, for elements of type LO
MODEL = "experiments/predict.py"
SERIES = {"report": 9001, "segmentation": 9002, "overlay": 9003}  # behind the series of the devices, in this order


@dataclass(frozen=True, slots=True)
class Algorithm:
    """The networks that answer.

    name      PACKAGE and the command that trained them; digest: of their parameters, hex
    remarks   sentences on what they were trained on, the caution last
    """
    name: str
    digest: str
    remarks: tuple[str, ...]

    @property
    def version(self) -> str:
        return f"{__version__}, networks {self.digest[:16]}"

    def identification(self) -> Any:
        """Segmentation Algorithm Identification (PS3.3 10.16)."""
        import highdicom
        from pydicom.sr.codedict import codes

        parameters = {f"remark {number}": plain(remark) for number, remark in enumerate(self.remarks, 1)}
        return highdicom.AlgorithmIdentificationSequence(
            self.name, codes.DCM.ArtificialIntelligence, self.version, PACKAGE, parameters)


@dataclass(frozen=True, slots=True)
class Reading:
    """What an algorithm says of an image at a time. answers: a digest of it."""
    algorithm: Algorithm
    source: Source
    time: datetime
    answers: str

    def uid(self, *what: object) -> str:
        """Of an object, or of something in it, by its name."""
        from highdicom.version import __version__ as library

        return named_uid(*what, self.source.digest, *astuple(self.algorithm), self.answers, self.time.isoformat(),
                         library)

    def series_uid(self, kind: str) -> str:
        """The results of one kind for the images of a series are a series."""
        header = self.source.header
        return named_uid("series", kind, header.StudyInstanceUID, header.SeriesInstanceUID, self.algorithm.digest,
                         self.time.isoformat())

    def common(self, kind: str) -> dict[str, Any]:
        """What every object is made with, as highdicom's constructors take it."""
        return {"series_instance_uid": self.series_uid(kind), "series_number": SERIES[kind],
                "sop_instance_uid": self.uid(kind), "instance_number": self.source.instance_number,
                "manufacturer": PACKAGE, "manufacturer_model_name": MODEL, "software_versions": __version__,
                "device_serial_number": self.algorithm.digest[:16], "transfer_syntax_uid": "1.2.840.10008.1.2.1",
                "series_description": f"{kind.capitalize()}. {CAUTION}"}

    def date(self, made: Any) -> None:
        """The time of the reading, wherever the library has put its own."""
        day, clock = self.time.strftime("%Y%m%d"), self.time.strftime("%H%M%S")
        for name in ("InstanceCreation", "Content", "Series"):
            setattr(made, f"{name}Date", day)
            setattr(made, f"{name}Time", clock)
        made.ContributingEquipmentSequence[-1].ContributionDateTime = day + clock  # of highdicom, which comes last


def named_uid(*parts: object) -> str:
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, '|'.join(map(str, (PACKAGE, __version__, *parts)))).int}"


def reading_time() -> datetime:
    """Now, in local time; or SOURCE_DATE_EPOCH, in UTC, for results that are to be the same bytes again
    (https://reproducible-builds.org/specs/source-date-epoch). Raises UsageError where that is no number of seconds."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is None:
        return datetime.now().replace(microsecond=0)
    try:
        return datetime.fromtimestamp(int(given), UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"SOURCE_DATE_EPOCH is {given[:40]!r}; expected a number of seconds since 1970") from error


def plain(text: str) -> str:
    """In ASCII, which every character set that the image's header may declare has."""
    return text.encode("ascii", "replace").decode()
