"""Data sets of mammograms: each reader is a module with `LOOKS_LIKE`, `recognise(folder)` and `read(folder, limit)`."""
from pathlib import Path

from experiments.datasets import cbis_ddsm, ddsm, mini_mias
from experiments.datasets import folder as csv_folder
from experiments.datasets.images.sizes import MAX_PIXELS
from experiments.datasets.mammogram import CLASSES, Dataset, Mammogram
from experiments.system.errors import Failure, UsageError

__all__ = ["CLASSES", "READERS", "Dataset", "Mammogram", "open_dataset"]

# tried in this order; the folder format comes last because other collections bring CSV files of their own
READERS = (mini_mias, ddsm, cbis_ddsm, csv_folder)


def open_dataset(path: Path | None, seed: int, max_pixels: int = MAX_PIXELS) -> Dataset:
    """The data set in the folder, of whichever format it is; without a folder the synthetic set of this seed.

    max_pixels: the most that an image may have. Raises `UsageError` where there is no such folder or its format is not
    recognised, and `Failure` for what is wrong inside it, be it that something may not be read.
    """
    if path is None:
        from experiments.datasets import synthetic

        return synthetic.dataset(seed)
    path = Path(path)
    try:
        if not path.is_dir():
            raise UsageError(f"{path}: {'is not a folder' if path.exists() else 'there is no such folder'}; --data "
                             "takes the folder of a data set")
        for reader in READERS:
            if reader.recognise(path):
                return reader.read(path, max_pixels)
    except OSError as error:
        raise Failure(f"{error.filename or path}: cannot be read ({error.strerror or error})") from error
    formats = "".join(f"\n  {reader.LOOKS_LIKE}" for reader in READERS)
    raise UsageError(f"{path}: no data set was recognised in it. The formats are:{formats}")
