"""Height and width of an image file, from its header: no pixel is decoded."""
from pathlib import Path

from PIL import Image

from experiments.datasets.images.dicom import dicom_shape, is_dicom
from experiments.datasets.images.pictures import FORMATS
from experiments.datasets.images.sizes import require_size
from experiments.system.errors import Failure

ORIENTATION, TURNED = 274, 5  # EXIF's tag, and the first of its values that exchange height and width


def image_shape(path: Path, max_pixels: int) -> tuple[int, int]:
    """(H, W) as `reading.read_image` gives them. Raises `Failure`, naming the file, where it cannot be read or has more
    than `max_pixels` pixels.
    """
    try:
        if is_dicom(path):
            return dicom_shape(path, max_pixels)
        with Image.open(path, formats=FORMATS) as picture:
            require_size(path, picture.height, picture.width, max_pixels)
            turned = picture.getexif().get(ORIENTATION, 1) >= TURNED
            return (picture.width, picture.height) if turned else (picture.height, picture.width)
    except (Failure, MemoryError):
        raise
    except Exception as error:  # Pillow's plug-ins raise what their decoders raise
        raise Failure(f"{path}: cannot be read as an image ({getattr(error, 'strerror', None) or error})") from error
