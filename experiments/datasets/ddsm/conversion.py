"""One view of DDSM as PNG files, and the table of them all in the `folder` format."""
import csv
import io
from pathlib import Path

import numpy as np
from PIL import Image

from experiments.datasets import ddsm
from experiments.datasets.ddsm.films import Film
from experiments.datasets.record import THESIS
from experiments.errors import Failure
from experiments.reporting.files import write_bytes, write_text

COLUMNS = ("image", "mask", "label", "patient", "source", "collection", "view", "volume", "pathology", "resolution")

README = """DDSM, converted from its .LJPEG files by experiments/convert_ddsm.py.

images/  one 16-bit PNG a view, oriented as distributed; the levels are explained below.
masks/   one 8-bit PNG for each view with lesions: 255 on and inside the outlines of its lesions, 0 elsewhere.
ddsm.csv one line a view. image, mask: paths; an empty mask is a normal breast. label: cancer, normal or benign, by the
         lesions of this view. patient: the woman, whose images must never stand on both sides of a split. source:
         institution/digitizer. collection: DDSM. view: LEFT_CC, ... volume: where DDSM has the case. pathology: of the
         lesions, as in the .OVERLAY. resolution: micrometres a pixel.
conversion.json  what was left out, and why.

{levels}

Cite: M. Heath, K. Bowyer, D. Kopans, R. Moore, W. P. Kegelmeyer, The Digital Database for Screening Mammography, in:
Proceedings of the Fifth International Workshop on Digital Mammography (2000), 2001.
"""


def up_to_date(film: Film, output: Path) -> bool:
    """Whether all outputs are there and none is older than what it was made of."""
    outputs = [output / name for name in output_names(film) if name]
    newest = max(file.stat().st_mtime for file in film.files)
    return all(path.is_file() and path.stat().st_mtime >= newest for path in outputs)


def output_names(film: Film) -> tuple[str, str]:
    """Of image and mask, as the CSV gives them; '' where there is no mask."""
    name = f"{film.image.stem}.png"
    return f"images/{name}", f"masks/{name}" if film.overlay else ""


def convert(film: Film, output: Path, levels: str) -> str:
    """Writes image and mask; '' or why the film cannot be decoded. `Failure` where it cannot be written."""
    try:
        image = ddsm.load(film)[0] if levels == "density" else ddsm.read_ljpeg(film.image, film.size)
        mask = ddsm.load_mask(film)
    except Failure as error:
        return str(error)
    image_name, mask_name = output_names(film)
    if mask is not None:
        write_bytes(output / mask_name, png(mask.astype(np.uint8) * 255))
    write_bytes(output / image_name, png(image))
    return ""


def png(levels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    # on noise, as films have it, higher levels take twice the time for one per cent
    Image.fromarray(levels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def write_table(path: Path, films: list[Film]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for film in films:
        table.writerow((*output_names(film), film.label, film.case.patient, film.case.digitizer, THESIS,
                        film.image.name.split(".")[1], film.volume, " ".join(film.pathologies), film.view.resolution))
    write_text(path, text.getvalue())
