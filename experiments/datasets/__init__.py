"""Data sets of mammograms: each reader is a module with `LOOKS_LIKE`, `recognise(folder)`, `read(folder, choices)` and,
where it honours more of the choices than the number of pixels, their names in `TAKES`.
"""
from pathlib import Path
from types import ModuleType

from experiments.datasets import cbis_ddsm, cdd_cesm, ddsm, inbreast, mini_mias
from experiments.datasets import folder as csv_folder
from experiments.datasets.choices import DEFAULT, Choices
from experiments.datasets.mammogram import CLASSES, Dataset, Mammogram
from experiments.system.errors import Failure, UsageError

__all__ = ["CLASSES", "READERS", "Choices", "Dataset", "Mammogram", "open_dataset", "reader_of"]

# tried in this order; the folder format comes last because other collections bring CSV files of their own
READERS = (mini_mias, ddsm, cbis_ddsm, cdd_cesm, inbreast, csv_folder)


def open_dataset(path: Path | None, seed: int, choices: Choices = DEFAULT) -> Dataset:
    """The data set in the folder, of whichever format it is; without a folder the synthetic set of this seed.

    Raises `UsageError` as `reader_of`, and `Failure` for what is wrong inside it, be it that something may not be read.
    """
    if path is None:
        from experiments.datasets import synthetic

        return synthetic.dataset(seed)
    reader = reader_of(path)
    try:
        return reader.read(Path(path), choices)
    except OSError as error:
        raise _unreadable(path, error) from error


def reader_of(path: Path) -> ModuleType:
    """The reader that recognises the folder. Raises `UsageError` where there is no such folder or none does, and
    `Failure` where it may not be read."""
    path = Path(path)
    try:
        if not path.is_dir():
            raise UsageError(f"{path}: {'is not a folder' if path.exists() else 'there is no such folder'}; --data "
                             "takes the folder of a data set")
        found = next((reader for reader in READERS if reader.recognise(path)), None)
    except OSError as error:
        raise _unreadable(path, error) from error
    if found is None:
        formats = "".join(f"\n  {reader.LOOKS_LIKE}" for reader in READERS)
        raise UsageError(f"{path}: no data set was recognised in it. The formats are:{formats}")
    return found


def _unreadable(path: Path, error: OSError) -> Failure:
    return Failure(f"{error.filename or path}: cannot be read ({error.strerror or error})")
