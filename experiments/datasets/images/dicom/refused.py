"""What a DICOM file may be, or say of its brightness, that is not applied here: refused by its name, never ignored.

Ignored rightly: RealWorldValueMappingSequence, which is for measuring and not for showing; the smallest and largest
pixel values; overlays and what is burned in; and how numbers came from X-rays (PixelIntensityRelationship).
"""
from pathlib import Path
from typing import Any

from experiments.system.errors import Failure

TOMOSYNTHESIS = "1.2.840.10008.5.1.4.1.1.13.1."  # the classes of breast tomosynthesis and of its projections
PROJECTION = "TOMO_PROJ"  # a value of ImageType
SHAPES = ("", "IDENTITY", "INVERSE")
TABLES = ("PresentationLUTSequence", "SoftcopyVOILUTSequence", "GrayLookupTableDescriptor", "GrayLookupTableData")
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
ASKED = ("SOPClassUID", "ImageType", "Rows", "Columns", "NumberOfFrames", *PIXELS)  # by `require_one_picture`


def require_one_picture(file: Any, path: Path) -> None:
    """Raises `Failure` for tomosynthesis and several frames, ValueError where there are no pixels or no sizes."""
    kind = str(getattr(file.get("SOPClassUID", None), "name", None) or "DICOM object")
    types = file.get("ImageType", None) or ()
    if str(file.get("SOPClassUID", "")).startswith(TOMOSYNTHESIS) or PROJECTION in types:
        raise Failure(f"{path}: is tomosynthesis ({kind}), layers or projections of a breast; expected an ordinary "
                      "mammogram")
    if not any(name in file for name in PIXELS):
        raise ValueError(f"it holds no pixels, it is a {kind}")
    if "Rows" not in file or "Columns" not in file:
        raise ValueError("it does not say how many rows and columns it has")
    frames = int(file.get("NumberOfFrames", None) or 1)
    if frames != 1:
        raise Failure(f"{path}: holds {frames} images (NumberOfFrames), expected one. Save the frame that shows the "
                      "mammogram as a file of its own")


def require_known_brightness(file: Any) -> None:
    """Raises ValueError, naming the element, for one that would change the picture."""
    shape = str(file.get("PresentationLUTShape", None) or "")
    if shape not in SHAPES:
        raise ValueError(f"its Presentation LUT {shape} is not applied here; expected the shape IDENTITY or INVERSE")
    for name in TABLES:
        if file.get(name, None):
            raise ValueError(f"its {name} is not applied here")
    if str(file.get("PixelPresentation", None) or "MONOCHROME") not in ("MONOCHROME", "TRUE_COLOR"):
        raise ValueError(f"its PixelPresentation is {file.PixelPresentation}: a palette of colours over grey levels, "
                         "which is not applied here")
