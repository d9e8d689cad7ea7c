"""Small cases of DDSM, made here."""
import importlib.util
from pathlib import Path

import numpy as np
import pytest

import experiments

ROOT = Path(experiments.__file__).parents[1]


@pytest.fixture(scope="session")
def encode():
    """The encoder of benchmarks/pvrg_encoder.py."""
    module = importlib.util.module_from_spec(
        spec := importlib.util.spec_from_file_location("pvrg_encoder", ROOT / "benchmarks" / "pvrg_encoder.py"))
    spec.loader.exec_module(module)
    return module.encode


@pytest.fixture(scope="session")
def real():
    """The folder of DDSM's own files."""
    folder = ROOT / "../shared/data/ddsm"
    if not folder.is_dir():
        pytest.skip("DDSM's own files are not beside the project")
    return folder


BOX = "2 2 2 2 4 4 4 6 6 6 6 0 0 0"  # from its top left corner, 5 pixels wide and 4 high
SIZE = (40, 30)


def overlay_text(*lesions):
    """Of lesions (pathology, chain)."""
    text = f"TOTAL_ABNORMALITIES {len(lesions)}\n"
    for number, (pathology, chain) in enumerate(lesions, start=1):
        text += (f"ABNORMALITY {number} \nLESION_TYPE MASS SHAPE OVAL MARGINS ILL_DEFINED\nASSESSMENT 4 \nSUBTLETY 3 \n"
                 f"PATHOLOGY {pathology}\nTOTAL_OUTLINES 1 \nBOUNDARY\n{chain} #\n")
    return text


@pytest.fixture(scope="session")
def make_case(encode):
    """make_case(folder, 'D-0001', LEFT_CC=[('MALIGNANT', chain)], RIGHT_CC=[]) writes a case; view -> its pixels."""
    def make(folder, name, digitizer="HOWTEK 43.5", **views):
        folder.mkdir(parents=True, exist_ok=True)
        stem, pixels = f"{name}-1", {}
        ics = f"\n\nics_version 1.0\nfilename {stem}\nDATE_OF_STUDY 21 6 1995\nPATIENT_AGE 37\nFILM \n"
        ics += f"FILM_TYPE REGULAR\nDENSITY 3\nDATE_DIGITIZED 4 5 1999 \nDIGITIZER {digitizer}\nSEQUENCE\n"
        for number, (view, lesions) in enumerate(views.items()):
            path = folder / f"{stem.replace('-', '_')}.{view}.LJPEG"
            pixels[view] = np.random.default_rng((int(name[2:]), number)).integers(300, 3900, SIZE).astype(np.uint16)
            path.write_bytes(encode(pixels[view]))
            ics += (f"{view} LINES {SIZE[0]} PIXELS_PER_LINE {SIZE[1]} BITS_PER_PIXEL 12 RESOLUTION 43.5 "
                    f"{'OVERLAY' if lesions else 'NON_OVERLAY'}\n")
            if lesions:
                path.with_suffix(".OVERLAY").write_text(overlay_text(*lesions))
        (folder / f"{stem}.ics").write_text(ics)
        return pixels

    return make


@pytest.fixture(scope="session")
def box():
    """box(row, column): the chain of a box of 4 x 5 pixels with that top left corner."""
    return lambda row, column: f"{column} {row}  {BOX}"
