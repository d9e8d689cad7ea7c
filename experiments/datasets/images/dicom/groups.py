"""What an enhanced DICOM object says of its picture in functional groups, one level below where others say it."""
from typing import Any

GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
OF_BRIGHTNESS = ("PixelValueTransformationSequence", "FrameVOILUTSequence")  # rescale; window


def lift_groups(file: Any) -> None:
    """Of a file of one frame: puts the elements of its groups that say how numbers become brightness in the file's own
    place."""
    for name in GROUPS:
        for group in file.get(name, None) or []:
            for item in (item for macro in OF_BRIGHTNESS for item in group.get(macro, None) or []):
                for element in item:
                    file.add(element)
