"""A picture as a Secondary Capture (PS3.3 A.8), which any viewer shows."""
from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from experiments.prediction.dicom.reading import CAUTION, Reading

LOSSY = ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod")


def capture(reading: Reading, picture: bytes) -> Any:
    """picture: a PNG file, of which nothing identifies the patient."""
    import highdicom
    from pydicom.dataset import Dataset

    header = reading.source.header
    with Image.open(io.BytesIO(picture)) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    made: Any = highdicom.sc.SCImage.from_ref_dataset(
        header, pixels, "RGB", 8, "PATIENT", patient_orientation=("A", "F"),
        specific_character_set=header.get("SpecificCharacterSet"), **reading.common("overlay"))
    made.copy_patient_and_study_information(header)
    made.PatientOrientation = None  # of a drawing with several panels
    made.ConversionType = "WSD"  # by a program
    made.BurnedInAnnotation = "NO"
    if header.get("LossyImageCompression", None) == "01":  # what was lost once stays lost in all that is made of it
        for name in LOSSY:
            if name in header:
                made[name] = header[name]
    made.DerivationDescription = f"The image as the networks see it, with what the detectors mark. {CAUTION}."
    made.DateOfSecondaryCapture = reading.time.strftime("%Y%m%d")
    made.TimeOfSecondaryCapture = reading.time.strftime("%H%M%S")
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
    made.SourceImageSequence = [reference]
    return made
