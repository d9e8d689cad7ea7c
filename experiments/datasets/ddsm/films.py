"""Which views of a DDSM folder can be used, as what, and which are left out and why."""
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.datasets.ddsm.cases import is_repeat, volume_of
from experiments.datasets.ddsm.ics import Case, View, ics_of, read_ics
from experiments.datasets.ddsm.overlay import read_overlay
from experiments.datasets.mammogram import printable
from experiments.system.errors import Failure

HYBRID = "hybrid: benign and malignant lesions in one view"
UNPROVEN = "a lesion of unproven pathology"
UNMARKED = "no lesion marked in this view of a case with lesions"
CONTRADICTION = "its lesions contradict the volume or the .ics file"
BAD_OVERLAY = "its .OVERLAY file is absent or cannot be used"
BAD_ICS = "the case's .ics file is absent or cannot be used"
UNLISTED = "not listed in the case's .ics file"
REPEATED = "the case stands in the folder twice"
ABSENT = "its .LJPEG file is absent"

# a woman with cancer may have a benign lesion in another view
FOUND_IN = {"": ("cancer", "benign"), "cancer": ("cancer", "benign"), "benign": ("benign",),
            "benign_without_callback": ("benign",), "normal": ()}
LABELS = {"MALIGNANT": "cancer", "BENIGN": "benign", "BENIGN_WITHOUT_CALLBACK": "benign"}


@dataclass(frozen=True, slots=True)
class Film:
    """One view that can be used. volume: the name of its folder, such as cancer_01, or '' where the case is in none;
    overlay: None for a normal breast; pathologies, kinds (MASS,
    CALCIFICATION, ...): of its lesions, sorted, each once.
    """

    image: Path
    name: str
    label: str
    volume: str
    case: Case
    view: View
    overlay: Path | None
    pathologies: tuple[str, ...]
    kinds: tuple[str, ...]

    @property
    def patient(self) -> str:
        """The woman: 'cancer_01/A-1500', since another volume may have another woman of that number."""
        return f"{self.volume}/{self.case.patient}" if self.volume else self.case.patient

    @property
    def breast(self) -> str:
        return "left" if self._side_and_projection[0] == "LEFT" else "right"

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """Of `mammogram.FACTS`."""
        told = {"view": self._side_and_projection[1], "density": self.case.density, "age": self.case.age,
                "scanner": self.case.digitizer, "finding": ", ".join(self.kinds).lower()}
        return tuple((name, value) for name, value in told.items() if value)

    @property
    def _side_and_projection(self) -> list[str]:
        return self.image.name.split(".")[1].split("_")

    @property
    def files(self) -> list[Path]:
        """All that image, mask and label come from."""
        return [self.image, ics_of(self.image)] + ([self.overlay] if self.overlay else [])

    @property
    def size(self) -> tuple[int, int]:
        return self.view.lines, self.view.pixels_per_line


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A view that cannot be used: its image, or the .ics file of a case without images; one of the reasons above; what
    exactly is wrong, or '' where the reason says it.
    """

    image: Path
    reason: str
    detail: str = ""


def survey(folder: Path, cases: Iterator[tuple[Path, list[Path]]]) -> tuple[list[Film], list[LeftOut]]:
    """The views to use, in the order of the cases, and the others. Reads the text files, and images only where two
    cases have one number, to know whether they are repeats.
    """
    films: list[Film] = []
    left_out: list[LeftOut] = []
    seen: dict[str, list[tuple[str, Path, Sequence[Path]]]] = defaultdict(list)
    for ics, images in cases:
        kind, volume = volume_of(ics.parent, folder)
        repeated = next((earlier for earlier in seen[ics.name] if is_repeat((volume, ics, images), earlier)), None)
        if repeated:
            left_out += [LeftOut(image, REPEATED, f"first in {repeated[1].parent}") for image in images or [ics]]
            continue
        try:
            case = read_ics(ics)
        except Failure as error:
            left_out += [LeftOut(image, BAD_ICS, str(error)) for image in images or [ics]]
            continue
        seen[ics.name].append((volume, ics, images))
        expected = {ics.with_name(f"{ics.stem.replace('-', '_')}.{view}.LJPEG"): view for view in case.views}
        left_out += [LeftOut(image, UNLISTED) for image in images if image not in expected]
        has_lesions = kind not in ("", "normal") or any(
            case.views[view].overlay or image.with_suffix(".OVERLAY").is_file() for image, view in expected.items())
        for image, view in expected.items():
            found = _film(image, case, case.views[view], (kind, volume), has_lesions, folder)
            if isinstance(found, LeftOut):
                left_out.append(found)
            else:
                films.append(found)
    return films, left_out


def _film(image: Path, case: Case, view: View, volume: tuple[str, str], has_lesions: bool, folder: Path
          ) -> Film | LeftOut:
    overlay: Path | None = image.with_suffix(".OVERLAY")
    pathologies: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    if view.overlay:
        try:
            lesions = read_overlay(image.with_suffix(".OVERLAY"), (view.lines, view.pixels_per_line))
        except Failure as error:
            return LeftOut(image, BAD_OVERLAY, str(error))
        pathologies = tuple(sorted({lesion.pathology for lesion in lesions}))
        kinds = tuple(sorted({kind for lesion in lesions for kind in lesion.kinds}))
        if "UNPROVEN" in pathologies:
            return LeftOut(image, UNPROVEN)
        labels = {LABELS[pathology] for pathology in pathologies}
        if len(labels) > 1:
            return LeftOut(image, HYBRID)
        label = labels.pop()
        if label not in FOUND_IN[volume[0]]:
            return LeftOut(image, CONTRADICTION, f"{label} lesions in a {volume[0]} volume")
    elif image.with_suffix(".OVERLAY").is_file():
        return LeftOut(image, CONTRADICTION, "the .ics file says NON_OVERLAY, and there is an .OVERLAY file")
    elif has_lesions:
        return LeftOut(image, UNMARKED)
    else:
        label, overlay = "normal", None
    if not image.is_file():
        return LeftOut(image, ABSENT)
    name = printable(image.relative_to(folder).as_posix())
    return Film(image, name, label, volume[1], case, view, overlay, pathologies, kinds)
