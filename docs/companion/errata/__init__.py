"""The errata of the thesis, proven: the printed and the corrected form of each, and a check that only one passes.

    for erratum in ERRATA:
        print(erratum.name, erratum.printed_outcome().verdict, erratum.corrected_outcome().verdict)
"""
from companion.errata import convolution, initialization, losses, measures, network, normalization, tables
from companion.errata.erratum import Erratum, Outcome

THEMES = (network, initialization, normalization, convolution, losses, measures, tables)
ERRATA: tuple[Erratum, ...] = tuple(sorted((erratum for theme in THEMES for erratum in theme.ERRATA),
                                           key=lambda erratum: (erratum.number, erratum.part)))

__all__ = ["ERRATA", "Erratum", "Outcome"]
