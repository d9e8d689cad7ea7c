"""Where the files of a download are: by the names of the folders above them, which every way of downloading keeps.

    Mass-Training_P_00001_LEFT_CC / <study UID> / <series UID> / 000000.dcm                 the paths in the CSV files
    Mass-Training_P_00001_LEFT_CC / 07-20-2016-DDSM-NA-74994 / 1.000000-full mammogram images-24515 / 1-1.dcm
    <series UID> / 1-1.dcm                                                                  series downloaded singly
    jpeg / <series UID> / 1-101.jpg                                                         repackaged as JPEG

Other pictures may stand in the place of the DICOM files; where there are both of a series, DICOM counts.
"""
from collections import defaultdict
from pathlib import Path

from experiments.datasets.cbis_ddsm.tables import Cell
from experiments.datasets.folders import folders_below

DICOM = ".dcm"
JPEG = (".jpg", ".jpeg")
PICTURES = (".png", ".tif", ".tiff", *JPEG)


class Tree:
    """The images below a folder; links are followed, since they often lie on another disk."""

    def __init__(self, folder: Path) -> None:
        self._below: dict[str, list[Path]] = defaultdict(list)
        for above, names in folders_below(folder):
            for name in names:
                if Path(name).suffix.lower() in (DICOM, *PICTURES):
                    for part in Path(above).relative_to(folder).parts:
                        self._below[part].append(Path(above, name))

    def find(self, cell: Cell) -> list[Path]:
        """The files of the cell's series where a folder has its name, else those of its subject; none if absent."""
        found = self._below.get(cell.series) or self._below.get(cell.subject) or []
        return [path for path in found if path.suffix.lower() == DICOM] or found
