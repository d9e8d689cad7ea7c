"""One view of DDSM as PNG files, and the table of them all in the `folder` format.

Each PNG file says in a text what it was made of, so that a change of the sources is seen whatever their times say.
"""
import csv
import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from experiments.datasets import ddsm
from experiments.datasets.ddsm.films import Film
from experiments.datasets.images.sizes import require_size
from experiments.datasets.mammogram import FACTS, THESIS
from experiments.system.errors import Failure
from experiments.system.files import write_bytes, write_text

COLUMNS = ("image", "mask", "label", "patient", "source", "collection", "breast", *FACTS, "volume", "pathology",
           "resolution")

README = """DDSM, converted from its .LJPEG files by experiments/convert_ddsm.py.

images/  one 16-bit PNG a view, oriented as distributed; the levels are explained below.
masks/   one 8-bit PNG for each view with lesions: 255 on and inside the outlines of its lesions, 0 elsewhere.
ddsm.csv one line a view. image, mask: paths; an empty mask is a normal breast. label: cancer, normal or benign, by the
         lesions of this view. patient: the woman, whose images must never stand on both sides of a split: her volume
         and number, since a number alone may name two. source: institution/digitizer. collection: DDSM. breast: left or
         right. view: CC or MLO. density: of the breasts, 1 to 4 (ACR). age: in years. scanner: as source. finding:
         kinds of its lesions. volume: where DDSM has the case. pathology: of the lesions, as in the .OVERLAY.
         resolution: micrometres a pixel.
conversion.json  what was left out, and why.

{levels}

Cite: M. Heath, K. Bowyer, D. Kopans, R. Moore, W. P. Kegelmeyer, The Digital Database for Screening Mammography, in:
Proceedings of the Fifth International Workshop on Digital Mammography (2000), 2001.
"""

FORMAT = 2  # of the output: to be raised when it changes
PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
SOURCE = "Source"
HEAD = 1024  # bytes of a PNG file in which its text stands


@dataclass(frozen=True, slots=True)
class LeftOutRecord:
    """A view that was not converted: its file, why, and what exactly is wrong."""
    image: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class ConversionRecord:
    """conversion.json.

    format, levels       of the output; complete: whether the last command came to its end
    data                 the folder of DDSM
    converted, left_out  number of views; those that could not be converted
    """
    format: int
    levels: str
    data: str
    complete: bool = False
    converted: int = 0
    left_out: list[LeftOutRecord] = field(default_factory=list)


def up_to_date(film: Film, output: Path, levels: str) -> bool:
    """Whether all outputs are there and whole, and made of the files that are there now."""
    expected = SOURCE.encode() + b"\0" + source(film, levels).encode()
    return all(_is_whole(output / name, expected) for name in output_names(film) if name)


def _is_whole(path: Path, expected: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD)
            file.seek(-len(PNG_END), io.SEEK_END)
            return expected in head and file.read() == PNG_END
    except OSError:  # absent, or too short to seek
        return False


def source(film: Film, levels: str) -> str:
    """What a film's outputs are made of, as hex: the texts by their content, the image by size and time, since reading
    all images again takes hours.
    """
    image, *texts = film.files
    stat = image.stat()
    digest = hashlib.sha256(f"{FORMAT}|{ddsm.VERSION}|{levels}|{stat.st_size}|{stat.st_mtime_ns}".encode())
    for text in texts:
        digest.update(hashlib.sha256(text.read_bytes()).digest())
    return digest.hexdigest()


def output_names(film: Film) -> tuple[str, str]:
    """Of image and mask, as the CSV gives them; '' where there is no mask. With the volume, since two women may have
    one case number."""
    name = f"{film.volume}-{film.image.stem}.png" if film.volume else f"{film.image.stem}.png"
    return f"images/{name}", f"masks/{name}" if film.overlay else ""


def convert(film: Film, output: Path, levels: str, max_pixels: int) -> str:
    """Writes image and mask; '' or why the film cannot be decoded. `Failure` where it cannot be written."""
    try:
        made_of = source(film, levels)  # before they are read: what changes meanwhile is converted again
        require_size(film.image, *film.size, max_pixels)
        image = ddsm.load(film, max_pixels)[0] if levels == "density" else ddsm.read_ljpeg(film.image, film.size)
        mask = ddsm.load_mask(film)
    except Failure as error:
        return str(error)
    except OSError as error:
        return f"{error.filename or film.image}: cannot be read ({error.strerror or error})"
    image_name, mask_name = output_names(film)
    if mask is not None:
        write_bytes(output / mask_name, png(mask.astype(np.uint8) * 255, made_of))
    write_bytes(output / image_name, png(image, made_of))
    return ""


def png(levels: np.ndarray, made_of: str = "") -> bytes:
    buffer, text = io.BytesIO(), PngInfo()
    text.add_text(SOURCE, made_of)
    # on noise, as films have it, higher levels take twice the time for one per cent
    Image.fromarray(levels).save(buffer, "PNG", compress_level=1, pnginfo=text)
    return buffer.getvalue()


def write_table(path: Path, films: list[Film]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for film in films:
        table.writerow((*output_names(film), film.label, film.patient, film.case.digitizer, THESIS, film.breast,
                        *(dict(film.facts).get(name, "") for name in FACTS), film.volume, " ".join(film.pathologies),
                        film.view.resolution))
    write_text(path, text.getvalue())
