"""What the data are beside the thesis's, and everything that the thesis shows of ROI detection."""
from __future__ import annotations

from experiments.configuration.detector import PRESETS
from experiments.datasets.mammogram import THESIS
from experiments.inputs.splitting import DRAWN
from experiments.reporting.confounders import confounders_section
from experiments.reporting.html import Chapter, Picture, Section
from experiments.reporting.roi_tables import LOSS_NAMES, headline, measures_table
from experiments.reporting.tables import Row, Table
from experiments.reproduction.report.material import Material
from experiments.reproduction.report.roi import best_overlap, overlap_sentences, overlap_table
from experiments.reproduction.report.settings import counts_table, settings_table
from experiments.reproduction.report.topology import parameters_table, unet_table


def not_theirs(material: Material) -> str:
    """The line that stands at every figure whose data are not the thesis's."""
    if material.data.is_ddsm:
        return ("Data: DDSM, the thesis's collection. Which of its images the thesis used is not known; numbers and "
                "split differ.")
    what = "drawn images (A.1's placeholder idea, not its images)" if material.drawn else f"“{material.data.name}”"
    return f"Not the thesis's data: {what} instead of {THESIS}."


def data_chapter(material: Material) -> Chapter:
    data = material.data
    left_out = data.excluded | data.dropped
    split = "Training and test set share no patient."
    if data.split == DRAWN:
        split += (" Both hold the same shares of the classes, 80 % and 20 % as in the thesis, as near as patients can "
                  "be divided.")
    sections = [Section("4.1: numbers of images", [
        not_theirs(material), f"{data.images} images of {data.patients} patients. {split}", *data.notes],
        [counts_table(data)] + ([Table("Images left out", ("Images",), tuple(
            Row(reason, (str(count),)) for reason, count in left_out.items()))] if left_out else []))]
    results = None if material.classifiers is None else material.classifiers.end2end[0].results
    if results is not None and results.confounders is not None:
        sections.append(confounders_section(results.confounders, results.test))
    return Chapter("4.1 Data", sections)


def detection_chapter(material: Material) -> Chapter:
    run, theirs = material.detectors, not_theirs(material)
    configuration = run.configuration
    classifiers = [] if material.classifiers is None else [
        material.classifiers.end2end[0].configuration, material.classifiers.decomposition[0].configuration]
    topologies = [unet_table(PRESETS["thesis"], "The thesis's U-net, built by the preset “thesis”")]
    if (configuration.side, configuration.channels, configuration.depth) != (128, 64, 4):
        topologies.append(unet_table(configuration, "The U-net of this run"))
    return Chapter("4.3 Decomposition: region of interest detection", [
        Section("Figure 4.2: topology of the U-net", [
            "The thesis draws the U-net as blocks with their feature maps and calls the convolutions “conv kernel "
            "size, input channels -> output channels”. Here it is a table, measured in a pass through the network.",
            "What a stack on the way down gives is also led to the stack of the same level on the way up, whose input "
            "channels are those of the level below and its own together.",
            "A feature map is height x width x channels."],
            [*topologies, parameters_table(configuration, classifiers)]),
        Section("Table 4.4: hyper-parameters of the ROI detectors", [], [settings_table("4.4", configuration)]),
        Section("Figure 4.3: the ten trainings", [
            theirs,
            "The thesis's figure is a grid of curves without numbers, read by its text: Dice and SS overfit slightly; "
            "large annotations (P4) are found better than small ones (P0); SS finds something in the last columns "
            "only; Dice is better for most groups. At first more than half of the pixels are marked, so that overlap "
            "accuracy and recall begin near one and precision near zero.",
            *headline(run.results)],
            [measures_table(loss, run.results) for loss in LOSS_NAMES],
            [run.picture("roi_grid", "Ours. Training images blue, test images red and dashed, both of the detector's "
                         "own size group; straight lines: the finished detector on the complete data set, as in the "
                         "thesis.", "A grid of curves: five measures of ten detectors", wide=True)]),
        Section("Figure 4.4: predicted and annotated borders", [
            theirs,
            "The thesis shows ten mammograms, SS above and Dice below, that it calls picked arbitrarily. Here Dice is "
            "above. Shown is the test image whose annotation is of its group's middle size, whatever the detectors "
            "make of it."],
            pictures=[run.picture("borders", "Ours. Predicted border green, annotated border blue and dashed.",
                                  "Ten mammograms with predicted and annotated borders", wide=True, photograph=True)]),
    ])


def appendix_chapter(material: Material) -> Chapter:
    run, theirs = material.detectors, not_theirs(material)
    best = best_overlap(run)
    steps = run.configuration.total_steps
    return Chapter("Appendix A.1 and A.2", [
        Section("Figure A.1: samples of the placeholder data", [
            "The thesis's placeholder data were rendered in Blender; its figure shows images in two rows and below "
            "them their annotations. Ours are drawn by a program: normal tissue, smooth round masses (benign) and "
            "masses with spicules (cancer), with exact masks."],
            pictures=[Picture("", material.placeholder, "Ours: images above, their annotations below; a normal breast "
                              "has none.", "Drawn mammograms and their masks", wide=True, photograph=True)]),
        Section("A.1: overlap accuracy of 1", [
            theirs if not material.drawn else
            "Drawn images here and rendered ones there: neither are mammograms.",
            *overlap_sentences(best, steps),
            "A prediction that covers everything has overlap accuracy 1, too: hence the condition on the precision."],
            [overlap_table(best)]),
        Section("Figure A.2: how a prediction evolves", [
            theirs,
            "The thesis shows one sample of P4, the annotated border light blue on the image, and the prediction at "
            "growing training steps; which loss it was is not said. Ours are of P4, too, one for each loss."],
            pictures=[run.picture(f"evolution-{loss}", f"Ours, {name}: light blue is the annotated border, white a "
                                  "predicted probability of 1.", "A detector's output for one image at growing steps",
                                  wide=True, photograph=True) for loss, name in LOSS_NAMES.items()]),
    ])
