"""What predict.py says of a DICOM image, as DICOM objects beside it in its study: --dicom."""
