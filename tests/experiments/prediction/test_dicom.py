"""predict.py --dicom: objects of the image's study that say what the table says, on the image's own pixels."""
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.checkpoint import load_checkpoint
from experiments import predict
from experiments.classifiers.trained import load_classifier
from experiments.detectors.kept import kept_detectors
from experiments.inputs.crop import breast_square, enlarge_mask
from experiments.reporting.figures import overlay_figure

pydicom = pytest.importorskip("pydicom")
highdicom = pytest.importorskip("highdicom", reason='needs highdicom: pip install -e ".[test]"')
uid = pydicom.uid

FORMS = ("MONOCHROME2", "MONOCHROME1", "RGB", "8 bits", "rescaled")
PATIENT = {"PatientName": "Müller^Änne", "PatientID": "X-1", "PatientBirthDate": "19600131", "PatientSex": "F"}
STUDY = {"StudyInstanceUID": "1.2.3", "StudyDate": "20200102", "StudyTime": "030405", "StudyID": "S1",
         "AccessionNumber": "A1", "ReferringPhysicianName": "Doctor^Who"}
GROUPS = (["SharedFunctionalGroupsSequence"], ["PerFrameFunctionalGroupsSequence"])  # an element of one or the other
KINDS = ("report", "segmentation", "overlay")
SIZES = ((97, 64), (64, 97), (80, 80), (120, 71), (51, 40))  # height, width


def mammogram(path, levels, form="MONOCHROME2", number=1, **given):
    """levels (H, W) uint8 as a DICOM file of that form, which shows as they do. given: elements, None for absent."""
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = uid.DigitalMammographyXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = f"1.2.3.4.{number}"
    file = pydicom.dataset.FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    file.SpecificCharacterSet = "ISO_IR 100"
    file.SOPClassUID, file.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    file.SeriesInstanceUID, file.SeriesNumber, file.InstanceNumber, file.Modality = "1.2.3.4", 2, number, "MG"
    file.PatientOrientation, file.ImageLaterality, file.ImagerPixelSpacing = ["A", "FR"], "L", [0.1, 0.1]
    cells = {"RGB": levels, "8 bits": levels, "rescaled": levels.astype("<u2") + 100}.get(
        form, levels.astype("<u2") * 16)
    if form == "MONOCHROME1":
        cells = (4095 - cells).astype("<u2")
    if form == "RGB":
        cells = np.repeat(levels[..., None], 3, axis=2)
        file.PlanarConfiguration = 0
    if form == "rescaled":
        file.RescaleSlope, file.RescaleIntercept = 2, -200
    file.Rows, file.Columns, file.SamplesPerPixel = *levels.shape, 3 if form == "RGB" else 1
    file.PhotometricInterpretation = form if form in ("RGB", "MONOCHROME1") else "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit = (16, 12, 11) if cells.dtype.itemsize == 2 else (8, 8, 7)
    file.PixelRepresentation = 0
    data = cells.tobytes()
    file.add_new("PixelData", "OW" if cells.dtype.itemsize == 2 else "OB", data + b"\0" * (len(data) % 2))
    for name, value in {**PATIENT, **STUDY, **given}.items():
        if value is None:
            file.pop(name, None)
        else:
            setattr(file, name, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save_as(path)
    return path


def faults(dataset):
    """Elements of types 1 and 2 that the mandatory modules of the object's IOD ask for (PS3.3) and it lacks, as paths.

    By the standard's tables that highdicom carries. Not the content tree of a report: there they list what each kind
    of item needs, and highdicom reads it back by its template.
    """
    tables = Path(highdicom.__file__).parent / "_standard"
    iods, modules = (json.loads((tables / f"{name}.json").read_text()) for name in (
        "iod_module_map", "module_attribute_map"))
    iod = {uid.SegmentationStorage: "segmentation", uid.ComprehensiveSRStorage: "comprehensive-sr",
           uid.SecondaryCaptureImageStorage: "secondary-capture-image"}[dataset.SOPClassUID]
    wanted = [entry["key"] for entry in iods[iod] if entry["usage"] == "M" and entry["key"] != "sr-document-content"]
    return [found for module in wanted for entry in modules[module] for found in _lacks(dataset, entry, entry["path"])]


def _lacks(dataset, entry, path):
    if path:
        items = dataset.get(path[0]) or []
        return [f"{path[0]}.{found}" for item in items for found in _lacks(item, entry, path[1:])]
    name, kind = entry["keyword"], entry["type"]
    if kind not in ("1", "2") or entry["path"] in GROUPS:
        return []
    missing = name not in dataset or (kind == "1" and dataset[name].is_empty)
    return [f"{name} (type {kind})"] if missing else []


def levels(drawn, shape, number=0):
    """A drawn mammogram at that size, with a black margin, so that the crop is no middle."""
    with Image.open(sorted((drawn / "images").iterdir())[number]) as picture:
        small = np.asarray(picture.convert("L").resize((shape[1] - 10, shape[0] - 7)))
    return np.pad(small, ((7, 0), (0, 10)))


@pytest.fixture
def one(drawn, tmp_path):
    return mammogram(tmp_path / "in" / "name-of-patient.dcm", levels(drawn, (97, 64)))


@pytest.fixture(autouse=True)
def same_time(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767323045")


def objects(folder, image):
    return {kind: pydicom.dcmread(folder / f"{image.name}.{kind}.dcm") for kind in KINDS
            if (folder / f"{image.name}.{kind}.dcm").exists()}


def probabilities(report):
    """By tracking identifier, as highdicom reads the report by its template."""
    read = highdicom.sr.ComprehensiveSR.from_dataset(report)
    groups = read.content.get_image_measurement_groups()
    return {group.tracking_identifier: group.get_measurements()[0].value for group in groups}


def segments(dataset, source):
    """(segments, Rows, Columns) bool by highdicom, for the frame of the source image."""
    read = highdicom.seg.Segmentation.from_dataset(dataset)
    return read.get_pixels_by_source_instance([source.SOPInstanceUID])[0].transpose(2, 0, 1).astype(bool)


@pytest.mark.parametrize(("form", "shape"), list(zip(FORMS, SIZES, strict=True)))
def test_report_segmentation_and_overlay_say_what_the_networks_say(form, shape, decomposed, drawn, tmp_path, command):
    image = mammogram(tmp_path / "in" / "a.dcm", levels(drawn, shape), form, FrameOfReferenceUID="1.2.9")
    code, _, errors = command(predict.main, decomposed, image, "--dicom", tmp_path / "out", "--json",
                              tmp_path / "p.json")
    assert code == 0, errors
    source, made = pydicom.dcmread(image), objects(tmp_path / "out", image)
    assert list(made) == list(KINDS)
    row, = json.loads((tmp_path / "p.json").read_text())["images"]
    assert probabilities(made["report"]) == row["probabilities"]

    path = decomposed / "checkpoint.safetensors"
    classifier = load_classifier(path, "cpu", load_checkpoint(path))
    prepared = classifier.prepare(image)
    counts = kept_detectors(decomposed, 0.5).heat_map(prepared)
    found = segments(made["segmentation"], source)
    assert found.shape == (5, *shape) and 0 < found.mean() < 1
    crop = breast_square(classifier.read(image), "")
    np.testing.assert_array_equal(found.sum(axis=0), sum(
        enlarge_mask(counts[0] > number, crop, shape).astype(int) for number in range(5)))
    title = ", ".join(f"{name} {value:.2f}" for name, value in row["probabilities"].items())
    with Image.open(io.BytesIO(overlay_figure(prepared[0, ..., 0], counts[0], title,
                                              "\n".join(classifier.provenance.sentences)))) as picture:
        np.testing.assert_array_equal(made["overlay"].pixel_array, np.asarray(picture.convert("RGB")))


def test_patient_and_study_are_the_source_s_and_nothing_is_lacking(decomposed, drawn, one, tmp_path, command):
    assert command(predict.main, decomposed, one, "--dicom", tmp_path / "out")[0] == 0
    source, made = pydicom.dcmread(one), objects(tmp_path / "out", one)
    for kind, dataset in made.items():
        assert {name: dataset[name].value for name in (*PATIENT, *STUDY)} == {**PATIENT, **STUDY}, kind
        assert dataset.SpecificCharacterSet == source.SpecificCharacterSet and dataset.InstanceNumber == 1
        assert "FrameOfReferenceUID" not in dataset
        assert faults(dataset) == [], kind
        assert dataset.Manufacturer == "mammography-from-scratch" and "not for diagnosis" in dataset.SeriesDescription
        assert all(each.SOPInstanceUID.is_valid and each.SeriesInstanceUID.is_valid for each in made.values())
    uids = [value for each in made.values() for value in (each.SOPInstanceUID, each.SeriesInstanceUID)]
    assert len({*uids, source.SOPInstanceUID, source.SeriesInstanceUID}) == 8
    evidence = highdicom.sr.ComprehensiveSR.from_dataset(made["report"]).get_evidence()
    assert evidence == [tuple(source[name].value for name in (
        "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"))]
    assert made["overlay"].SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert [each.SegmentLabel for each in made["segmentation"].SegmentSequence] == [f"P{n}-dice" for n in range(5)]
    assert made["report"].VerificationFlag == "UNVERIFIED" and made["report"].PreliminaryFlag == "PRELIMINARY"
    files = {kind: (tmp_path / "out" / f"{one.name}.{kind}.dcm").read_bytes() for kind in KINDS}
    assert files["report"].count(b"A research and teaching tool, not for diagnosis.") == 4  # 3 groups, the comments
    assert all(b"name-of-patient" not in content for content in files.values())  # which a file's name may be


def test_the_check_of_the_attributes_finds_what_is_lacking(decomposed, one, tmp_path, command):
    assert command(predict.main, decomposed, one, "--dicom", tmp_path / "out")[0] == 0
    made = objects(tmp_path / "out", one)
    del made["segmentation"].SegmentSequence[2].SegmentLabel
    made["overlay"].PatientOrientation, made["overlay"].Modality = None, ""
    del made["report"].PatientID
    assert {fault for kind in KINDS for fault in faults(made[kind])} == {
        "SegmentSequence.SegmentLabel (type 1)", "Modality (type 1)", "PatientID (type 2)"}


def test_the_same_call_at_the_same_time_gives_the_same_bytes_and_later_other_objects(
        decomposed, one, tmp_path, command, monkeypatch):
    for name, time in (("a", "1767323045"), ("b", "1767323045"), ("c", "1767323046")):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", time)
        assert command(predict.main, decomposed, one, "--dicom", tmp_path / name)[0] == 0
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name
    first, later = objects(tmp_path / "a", one), objects(tmp_path / "c", one)
    assert first["report"].ContentDate == "20260102" and first["report"].ContentTime == "030405"
    for kind in KINDS:
        assert first[kind].SOPInstanceUID != later[kind].SOPInstanceUID
    assert probabilities(first["report"]) == probabilities(later["report"])


def test_whatever_changes_in_an_object_changes_its_uid(decomposed, drawn, tmp_path, command):
    images = [mammogram(tmp_path / "in" / f"{number}.dcm", levels(drawn, (97, 64)), number=7, **given)
              for number, given in enumerate(({}, {"PatientID": "another"}, {"StudyDate": "20200103"}))]
    assert command(predict.main, decomposed, *images, "--dicom", tmp_path / "out")[0] == 0
    made = [objects(tmp_path / "out", image) for image in images]
    assert all(len({each[kind].SOPInstanceUID for each in made}) == 3 for kind in KINDS)
    assert all(each[kind].InstanceNumber == 7 for each in made for kind in KINDS)
    assert all(len({each[kind].SeriesInstanceUID for each in made}) == 1 for kind in KINDS)


@pytest.mark.parametrize("absent", [(*PATIENT, *set(STUDY) - {"StudyInstanceUID"}),
                                    ("InstanceNumber", "SeriesNumber", "PatientOrientation", "ImagerPixelSpacing"),
                                    ("SpecificCharacterSet", "PatientName")])
@pytest.mark.parametrize("how", [None, ""])
def test_what_may_be_empty_in_the_source_is_empty_and_not_made_up(absent, how, decomposed, drawn, tmp_path, command):
    image = mammogram(tmp_path / "in" / "a.dcm", levels(drawn, (64, 97)), **dict.fromkeys(absent, how))
    code, _, errors = command(predict.main, decomposed, image, "--dicom", tmp_path / "out")
    assert code == 0, errors
    for kind, dataset in objects(tmp_path / "out", image).items():
        for name in (*PATIENT, *STUDY):
            assert name in dataset and dataset[name].is_empty == (name in absent), (kind, name)
        assert faults(dataset) == []
        assert dataset.SeriesNumber > 9000 and dataset.InstanceNumber == 1


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
@pytest.mark.parametrize(("given", "words"), [
    ({"StudyInstanceUID": None}, "has no StudyInstanceUID"), ({"SeriesInstanceUID": ""}, "has no SeriesInstanceUID"),
    ({"SOPInstanceUID": None}, "has no SOPInstanceUID"), ({"SOPClassUID": None}, "has no SOPClassUID"),
    ({"StudyInstanceUID": "not a uid"}, "'not a uid', which is no UID"),
    ({"Modality": None}, "no attribute 'Modality'"),
    ({"SOPClassUID": "1.2.3.99"}, "no DICOM results can be made of its header"),
    ({"PatientSex": "W"}, "'W' is not a valid")])
def test_an_image_that_nothing_can_refer_to_is_answered_but_gets_no_objects(
        given, words, decomposed, drawn, one, tmp_path, command):
    bad = mammogram(tmp_path / "in" / "bad.dcm", levels(drawn, (97, 64)), **given)
    code, output, errors = command(predict.main, decomposed, bad, one, "--dicom", tmp_path / "out")
    assert code == 1 and words in errors and str(bad) in errors and "Traceback" not in errors
    assert len(output.splitlines()) == 6 and list(objects(tmp_path / "out", one)) == list(KINDS)
    assert objects(tmp_path / "out", bad) == {}


def test_images_that_are_no_dicom_files_are_told_so(decomposed, drawn, one, tmp_path, command):
    picture = tmp_path / "in" / "b.png"
    Image.fromarray(levels(drawn, (97, 64))).save(picture)
    code, output, errors = command(predict.main, decomposed, picture, one, "--dicom", tmp_path / "out")
    assert code == 1 and f"{picture}: is no DICOM file" in errors and "1 of 2 images" in errors
    assert str(picture) in output and len(list((tmp_path / "out").iterdir())) == 3


def test_a_detector_s_mask_is_the_one_segment(detectors, drawn, one, tmp_path, command):
    code, output, errors = command(predict.main, detectors / "P3-ss", one, "--dicom", tmp_path / "out", "--masks",
                                   tmp_path / "masks")
    assert code == 0, errors
    made = objects(tmp_path / "out", one)
    assert list(made) == ["segmentation", "overlay"]
    with Image.open(tmp_path / "masks" / f"{one.name}.mask.png") as picture:
        np.testing.assert_array_equal(segments(made["segmentation"], pydicom.dcmread(one))[0],
                                      np.asarray(picture) > 0)
    assert made["segmentation"].SegmentSequence[0].SegmentLabel == "P3-ss"
    code, output, errors = command(predict.main, detectors / "P3-ss", one, "--dicom", tmp_path / "alone")
    assert code == 0 and f"{one.name}.segmentation.dcm" in output, errors


def test_a_classifier_without_detectors_writes_the_report_alone(finished, one, tmp_path, command):
    assert command(predict.main, finished, one, "--dicom", tmp_path / "out")[0] == 0
    assert list(objects(tmp_path / "out", one)) == ["report"]


def test_nothing_is_replaced_and_results_never_stand_among_the_images(decomposed, one, tmp_path, command):
    before = one.read_bytes()
    code, output, errors = command(predict.main, decomposed, one, "--dicom", one.parent)
    assert (code, output) == (2, "") and "the images are in this folder" in errors
    other = tmp_path / "out" / f"{one.name}.overlay.dcm"
    other.parent.mkdir()
    other.write_text("something else")
    code, output, errors = command(predict.main, decomposed, one, "--dicom", tmp_path / "out")
    assert (code, output) == (2, "") and f"{other} is there already" in errors
    assert other.read_text() == "something else" and one.read_bytes() == before
    assert len(list(other.parent.iterdir())) == len(list(one.parent.iterdir())) == 1


def test_highdicom_is_asked_for_before_anything_is_read(decomposed, one, tmp_path, command, monkeypatch):
    monkeypatch.setitem(sys.modules, "highdicom", None)
    code, output, errors = command(predict.main, decomposed, one, "--dicom", tmp_path / "out")
    assert (code, output) == (2, "") and 'pip install -e ".[dicom]"' in errors and not (tmp_path / "out").exists()


@pytest.mark.parametrize("given", ["", "now", "1e9", "9" * 30])
def test_a_time_that_is_none_is_a_wrong_call(given, decomposed, one, tmp_path, command, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", given)
    code, _, errors = command(predict.main, decomposed, one, "--dicom", tmp_path / "out")
    assert code == 2 and "SOURCE_DATE_EPOCH" in errors


def test_what_was_compressed_with_loss_stays_so_and_the_frame_of_reference_is_kept(
        decomposed, drawn, tmp_path, command):
    image = mammogram(tmp_path / "in" / "a.dcm", levels(drawn, (97, 64)), LossyImageCompression="01",
                      LossyImageCompressionRatio=12, LossyImageCompressionMethod="ISO_10918_1",
                      FrameOfReferenceUID="1.2.9")
    assert command(predict.main, decomposed, image, "--dicom", tmp_path / "out")[0] == 0
    made = objects(tmp_path / "out", image)
    for kind in ("segmentation", "overlay"):
        assert made[kind].LossyImageCompression == "01" and made[kind].LossyImageCompressionRatio == 12
    assert made["segmentation"].FrameOfReferenceUID == "1.2.9"
    assert made["segmentation"].file_meta.TransferSyntaxUID == uid.ExplicitVRLittleEndian
