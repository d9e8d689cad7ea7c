"""A classifier's probabilities as a structured report (PS3.3 A.35.3) by TID 1500, Measurement Report (PS3.16)."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.version import PACKAGE
from experiments.prediction.dicom.reading import MODEL, Reading, named_uid, plain

FINDINGS = {"cancer": "Malignant", "normal": "Normal", "benign": "Benign"}  # class -> SNOMED CT, as pydicom names it


def report(reading: Reading, probabilities: Mapping[str, float]) -> Any:
    """probabilities: of the classes, in [0, 1]; each answers for its class against the others.

    For each class a measurement group (TID 1501): the finding, its probability, the image and the algorithm. What the
    networks were trained on, and the caution, stand in every algorithm identification and as comments of the report.
    """
    from highdicom import sr
    from pydicom.sr.codedict import codes

    header, algorithm = reading.source.header, reading.algorithm
    device = sr.ObserverContext(codes.DCM.Device, sr.DeviceObserverIdentifyingAttributes(
        named_uid("device", algorithm.digest), algorithm.name, PACKAGE, MODEL, algorithm.digest[:16]))
    groups = [sr.MeasurementsAndQualitativeEvaluations(
        sr.TrackingIdentifier(reading.uid("finding", name), name),
        finding_type=getattr(codes.SCT, FINDINGS[name]),
        algorithm_id=sr.AlgorithmIdentification(algorithm.name, algorithm.version, list(map(plain, algorithm.remarks)),
                                                codes.DCM.ArtificialIntelligence, PACKAGE),
        measurements=[sr.Measurement(codes.DCM.Probability, value, codes.UCUM.NoUnits)],
        source_images=[sr.SourceImageForMeasurementGroup.from_source_image(header)])
        for name, value in probabilities.items()]
    procedure = codes.SCT.Mammography if header.get("Modality") == "MG" else codes.SCT.ImagingProcedure
    content = sr.MeasurementReport(sr.ObservationContext(observer_device_context=device), procedure, groups,
                                   referenced_images=_described(header))
    content[0].ContentSequence.append(_comments(algorithm.remarks))
    return sr.ComprehensiveSR([header], content[0], is_complete=True, **reading.common("report"))


def _described(header: Any) -> list[Any] | None:
    """The image, for the report's Image Library (TID 1600), if its header tells all that is mandatory there."""
    from highdicom import sr

    try:
        sr.ImageLibrary([header])
    except (AttributeError, ValueError, TypeError, LookupError):  # a projection without orientation or pixel spacing
        return None
    return [header]


def _comments(remarks: tuple[str, ...]) -> Any:
    """Qualitative Evaluations of TID 1500, rows 12 and 14: texts."""
    from highdicom import sr
    from pydicom.sr.codedict import codes

    evaluations = sr.ContainerContentItem(sr.CodedConcept("C0034375", "UMLS", "Qualitative Evaluations"),
                                          relationship_type="CONTAINS")
    evaluations.ContentSequence = sr.ContentSequence(
        [sr.TextContentItem(codes.DCM.Comment, plain(remark), "CONTAINS") for remark in remarks])
    return evaluations
