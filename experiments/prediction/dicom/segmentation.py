"""The masks of the detectors on the image's own grid, as a Segmentation object (PS3.3 A.51): a segment for each."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.prediction.dicom.reading import CAUTION, Reading


def segmentation(reading: Reading, marks: Mapping[str, np.ndarray]) -> Any:
    """marks: of each detector by its name the mask (Rows, Columns) bool. All segments have a frame, empty or not."""
    import highdicom
    from highdicom.seg import Segmentation
    from pydicom.sr.codedict import codes

    segments = []
    for number, name in enumerate(marks, 1):
        segment = highdicom.seg.SegmentDescription(
            number, name, codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Lesion, "AUTOMATIC",
            reading.algorithm.identification(), tracking_uid=reading.uid("segment", name), tracking_id=name)
        segment.SegmentDescription = (
            f"Marked by the ROI detector {name}. P0 to P4 learned from annotations of five sizes, smallest to largest. "
            f"{CAUTION}.")
        segments.append(segment)
    made = Segmentation(
        [reading.source.header], np.stack(list(marks.values()), axis=-1)[None].astype(np.uint8), "BINARY", segments,
        content_label="LESIONS", content_description=CAUTION, omit_empty_frames=False,
        **reading.common("segmentation"))
    organization = reading.uid("dimensions")
    for item in (*made.DimensionOrganizationSequence, *made.DimensionIndexSequence):
        item.DimensionOrganizationUID = organization
    return made
