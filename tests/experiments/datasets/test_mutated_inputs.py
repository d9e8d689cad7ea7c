"""Whatever stands in a file, a reader ends in a result or in one message: a few seeded mutations of every kind."""
import io
import plistlib
import random

import numpy as np
import pytest
from PIL import Image

from experiments.datasets import open_dataset, rsna, vindr
from experiments.datasets.cbis_ddsm.tables import COLUMNS, NAMES, read_tables
from experiments.datasets.cdd_cesm.annotator import read_outlines as read_annotator
from experiments.datasets.cmmd.table import find_tables, read_breasts
from experiments.datasets.ddsm.ics import read_ics
from experiments.datasets.ddsm.overlay import lesions_mask, read_overlay
from experiments.datasets.dmid.table import read_rows
from experiments.datasets.images.reading import read_image, read_mask
from experiments.datasets.inbreast.outlines import read_outlines
from experiments.datasets.outlines import filled
from experiments.system.errors import Failure, UsageError

GREY = np.random.default_rng(0).integers(0, 256, (12, 10)).astype(np.uint8)
OVERLAY = ("TOTAL_ABNORMALITIES 1\nABNORMALITY 1\nLESION_TYPE MASS\nASSESSMENT 4\nSUBTLETY 3\nPATHOLOGY BENIGN\n"
           "TOTAL_OUTLINES 1\nBOUNDARY\n5 10 2 2 2 2 4 4 4 6 6 6 6 0 0 0 #\n")
ICS = ("ics_version 1.0\nfilename A-0001-1\nDIGITIZER DBA 21\nLEFT_CC LINES 40 PIXELS_PER_LINE 30 BITS_PER_PIXEL 12 "
       "RESOLUTION 43.5 OVERLAY\n")
VIA = ("#filename,region_count,region_shape_attributes\n"
       'P1_L_DM_CC.jpg,1,"{""name"":""polygon"",""all_points_x"":[1,9,9],""all_points_y"":[1,1,7]}"\n'
       'P1_L_DM_CC.jpg,1,"{""name"":""ellipse"",""cx"":4,""cy"":5,""rx"":3,""ry"":2.5,""theta"":1}"\n')
ROI = {"Name": "Mass", "NumberOfPoints": 3, "Point_px": ["(1.5, 2.5)", "(7.25, 2.5)", "(7.25, 9.0)"]}
WORDS = (b"9" * 5000, "²".encode(), b"nan", b"-1", b'"', b"\0", b"\xff", b"\n", b",", b";", b"../", b"1e999")


def picture(kind, pixels=GREY):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def read_both(path):
    read_mask(path)
    assert read_image(path).ndim == 2


def read_folder(path):
    Image.fromarray(GREY).save(path.with_name("a.png"))
    for mammogram in open_dataset(path.parent, 0).mammograms:
        mammogram.load()


def refuse():
    raise UsageError("no data set was recognised")


def read_mias(path):
    path.with_name("mdb001.pgm").write_bytes(b"P5 10 12 255\n" + GREY.tobytes())
    read_folder(path)


def fill_annotator(path):
    for outlines in read_annotator(path).values():
        filled(outlines, GREY.shape, "a")


def read_vindr(path):
    for name, table in VINDR.items():
        if not path.with_name(name).exists():
            path.with_name(name).write_bytes(table)
    path.parent.joinpath("images", "s").mkdir(parents=True, exist_ok=True)
    path.parent.joinpath("images", "s", "a.dicom").touch()
    vindr.read(path.parent)


def read_rsna(path):
    path.parent.joinpath("train_images", "2").mkdir(parents=True, exist_ok=True)
    path.parent.joinpath("train_images", "2", "3.dcm").touch()
    rsna.read(path.parent)


VINDR = {
    vindr.BREASTS: b"study_id,image_id,laterality,view_position,height,width,breast_birads,breast_density,split\n"
                   b"s,a,L,CC,40,30,BI-RADS 4,DENSITY C,test\n",
    vindr.FINDINGS: b"study_id,image_id,laterality,view_position,breast_birads,breast_density,finding_categories,xmin,"
                    b"ymin,xmax,ymax,split\ns,a,L,CC,BI-RADS 4,DENSITY C,\"['Mass', 'Asymmetry']\",3.5,4,9,12,test\n",
    "metadata.csv": b"SOP Instance UID,Manufacturer's Model Name,Patient's Age\na,X,053Y\n"}
KINDS = {
    "a.png": (picture("PNG"), read_both), "a16.png": (picture("PNG", GREY.astype(np.uint16) << 8), read_both),
    "colours.png": (picture("PNG", np.dstack(3 * [GREY])), read_both), "a.tif": (picture("TIFF"), read_both),
    "a.jpg": (picture("JPEG"), read_both), "a.pgm": (b"P5 10 12 255\n" + GREY.tobytes(), read_both),
    "a.csv": (b"image,mask,label,patient\na.png,,cancer,P1\n", read_folder),
    "Info.txt": (b"mdb001 G CIRC B 5 6 3\n", read_mias),
    NAMES[0]: ((",".join(COLUMNS) + "\nP_1,LEFT,CC,BENIGN,a/b/c/0.dcm,\"b/b/c/0.dcm\n\",b/b/c/1.dcm\n").encode(),
               lambda path: read_tables(path.parent)),
    "saved.csv": (b"ID1,LeftRight,Age,number,abnormality,classification\nD1-0001,R,44,2,mass,Benign\n",
                  lambda path: read_breasts(path.parent) if find_tables(path.parent) else refuse()),
    "Metadata.txt": (b"IMG001 CCLT G CIRC B 535 425 197\nIMG002 MLORT D NORM\nIMG003 CCRT F SPIC M 9 9 9\n", read_rows),
    **{name: (table, read_vindr) for name, table in VINDR.items()},
    "train.csv": (b"site_id,patient_id,image_id,laterality,view,age,cancer,biopsy,BIRADS,density\n"
                  b"1,2,3,L,CC,61.0,0,1,0,B\n", read_rsna),
    "A_0001_1.LEFT_CC.OVERLAY": (OVERLAY.encode(), lambda path: lesions_mask(read_overlay(path, (40, 30)), (40, 30))),
    "A-0001-1.ics": (ICS.encode(), read_ics), "via.csv": (VIA.encode(), fill_annotator),
    "20586908.xml": (plistlib.dumps({"Images": [{"NumberOfROIs": 1, "ROIs": [ROI]}]}),
                     lambda path: filled(read_outlines(path)[0], GREY.shape, "a")),
}


def mutate(data, generator):
    changed = bytearray(data)
    for _ in range(generator.choice((1, 1, 2, 4))):
        at = generator.randrange(len(changed) + 1)
        if (what := generator.randrange(5)) == 0:
            changed[at:at + 1] = generator.randbytes(1)
        elif what == 1:
            changed[at:] = b""
        elif what == 2:
            changed[at:at + generator.randrange(1, 20)] = b""
        elif what == 3:
            changed[at:at] = generator.choice(WORDS)
        else:
            changed[at:at + 4] = generator.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"))
    return bytes(changed)


@pytest.mark.parametrize("name", KINDS)
def test_a_mutated_file_ends_in_a_result_or_a_message(tmp_path, name, capfd):
    whole, read = KINDS[name]
    path = tmp_path / name
    path.write_bytes(whole)
    read(path)
    generator, refused = random.Random(name), 0
    for _ in range(60):
        path.write_bytes(mutate(whole, generator))
        try:
            read(path)
        except (Failure, UsageError) as error:
            refused += 1
            assert "force=True" not in str(error)
    assert refused > 10
