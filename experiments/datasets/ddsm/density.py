"""From a digitizer's grey levels to optical density, so that films from different digitizers can be compared.

Without it a network learns the digitizer instead of the breast: the DBA scanned many of DDSM's normal films and no
benign ones, and its grey levels differ from the others' at a glance.
"""
from functools import cache

import numpy as np

LIGHTEST, DARKEST = 0.05, 3.60  # optical densities beyond which the digitizers are not calibrated
LEVELS_PER_DENSITY = 10_000

# 'institution/digitizer' -> (intercept, slope) of the optical density over the grey level g, as USF published them;
# over log10 g for the DBA, whose grey levels grow with the light that passes the film
DIGITIZERS = {
    "A/DBA": (4.26700423, -0.90303290),
    "A/HOWTEK": (3.78928998, -0.00094568009),
    "B/LUMISYS": (4.05977749, -0.00099080942),
    "C/LUMISYS": (4.05977749, -0.00099080942),
    "D/HOWTEK": (3.96604095, -0.00099055808),
}


def optical_density(digitizer: str) -> np.ndarray:
    """(65536,) float64: of every grey level, clipped to 0.05..3.60; 0 counts as 1 where the logarithm is taken."""
    intercept, slope = DIGITIZERS[digitizer]
    grey = np.arange(1 << 16, dtype=np.float64)
    return np.clip(intercept + slope * (np.log10(np.maximum(grey, 1)) if digitizer == "A/DBA" else grey),
                   LIGHTEST, DARKEST)


@cache
def brightness(digitizer: str) -> np.ndarray:
    """(65536,) uint16: 10000 (3.60 - optical density) of every grey level, rounded: 0 to 35500.

    Density is high where the film is dark, brightness where tissue is dense, as in the other data sets. A level is a
    ten-thousandth of a density: less than a grey level of the HOWTEK and the LUMISYS, so that none of theirs merge.
    """
    levels = np.rint(LEVELS_PER_DENSITY * (DARKEST - optical_density(digitizer))).astype(np.uint16)
    levels.setflags(write=False)
    return levels


def about_levels(levels: str) -> str:
    """What to tell the user of images with these levels, density or grey."""
    formulas = "; ".join(f"{name} {intercept} - {-slope} {'log10 g' if name == 'A/DBA' else 'g'}"
                         for name, (intercept, slope) in DIGITIZERS.items())
    density = (f"The optical density of a grey level g is, by institution/digitizer: {formulas}; clipped to {LIGHTEST} "
               f"and {DARKEST:.2f}.")
    if levels == "grey":
        return f"The levels are the digitizer's grey levels g, bit for bit. {density}"
    return (f"A level v stands for the optical density {DARKEST:.2f} - v / {LEVELS_PER_DENSITY}: bright where the film "
            f"is bright, comparable between digitizers. {density} Grey levels of HOWTEK and LUMISYS can be computed "
            "back exactly within these bounds, those of the DBA up to half a level v.")
