"""The optional columns of the folder format that say more of an image: breast, split, and the facts of a mammogram.

A row may leave each empty. What is written there is understood or refused with file and line, never passed over.

    breast   left or right; L or R
    split    training (or train) or test: the collection's own split, which is then kept
    view     CC, MLO, ...; LEFT_CC tells the breast, too
    density  1 to 4 or a to d (ACR)
    age      whole years
    scanner, finding    any text
"""
import re

from experiments.datasets.mammogram import FACTS, TEST, TRAINING
from experiments.system.errors import Failure

COLUMNS = ("breast", "split", *FACTS)
SIDES = {"l": "left", "left": "left", "r": "right", "right": "right"}
SPLITS = {"training": TRAINING, "train": TRAINING, "test": TEST}
DENSITIES = {**dict(zip("abcd", "1234", strict=True)), **{number: number for number in "1234"}}
OLDEST = 130  # years
WHOLE = re.compile(r"(\d{1,3})(\.0*)?", re.ASCII)  # spreadsheets write 58.0


def told(cells: dict[str, str], place: str) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """Breast, part and facts of a row, as `Mammogram` has them. Raises `Failure` for what cannot be understood."""
    breast = _one_of(SIDES, "breast", cells, place)
    side, _, projection = cells["view"].partition("_")
    if projection and side.lower() in SIDES:
        if breast not in ("", SIDES[side.lower()]):
            raise Failure(f"{place}: the breast is {cells['breast']!r}, the view {cells['view']!r}. Correct one of "
                          "them")
        breast = SIDES[side.lower()]
    else:
        projection = cells["view"]
    facts = {"view": projection.upper(), "density": _one_of(DENSITIES, "density", cells, place),
             "age": _age(cells["age"], place), "scanner": cells["scanner"], "finding": cells["finding"]}
    return breast, _one_of(SPLITS, "split", cells, place), tuple((name, text) for name, text in facts.items() if text)


def _one_of(words: dict[str, str], column: str, cells: dict[str, str], place: str) -> str:
    word = cells[column].lower()
    if word and word not in words:
        raise Failure(f"{place}: unknown {column} {cells[column][:100]!r}; expected nothing or one of "
                      f"{', '.join(words)}. A column that means something else needs another name")
    return words.get(word, "")


def _age(text: str, place: str) -> str:
    match = WHOLE.fullmatch(text)
    if text and (match is None or int(match[1]) > OLDEST):
        raise Failure(f"{place}: the age {text[:100]!r} is no whole number of years up to {OLDEST}. A column that "
                      "means something else needs another name")
    return str(int(match[1])) if match else ""
