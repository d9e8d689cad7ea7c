"""The section on confounders: which source has images of which class, and how far the class shows without anatomy."""
from collections.abc import Mapping

from experiments.evaluation import Evaluation
from experiments.evaluation.confounders import BesideGuessing, BlindClassifier, Confounders
from experiments.evaluation.intervals import Interval
from experiments.reporting.html import Section
from experiments.reporting.tables import Row, Table, interval, number
from experiments.reporting.wording import SMALL

SHOWN = 12  # sources with a row of their own
BLIND = "Histogram and borders alone"


def confounders_section(found: Confounders, test: Evaluation) -> Section:
    """Beside what the network reaches on the test set."""
    tables = [sources_table(found.sources)]
    if found.classifier is not None:
        tables.append(classifier_table(found.classifier, test))
    return Section("Confounders", confounders_sentences(found, test.images), tables)


def sources_section(found: Confounders, images: int) -> Section:
    """The same where there is no classifier to compare with; images: how many there are in the test set."""
    return Section("Confounders", confounders_sentences(found, images), [sources_table(found.sources)])


def confounders_sentences(found: Confounders, images: int) -> list[str]:
    """What is claimed, no surer than the interval is; images: how many there are in the test set."""
    sources, classifier = found.sources, found.classifier
    first = ("A network may learn how an image was made instead of what it shows. " + (
        "All images are of one source, as far as the data say." if len(sources) == 1 else
        f"The images are of {len(sources)} sources: where their shares of the classes differ, the source gives the "
        "class away."))
    if classifier is None:
        return [first, "A class has training images of fewer than two patients: too few to train a classifier on "
                       "borders and grey levels."]
    balanced = classifier.balanced_accuracy
    reached = number(balanced.value, 3) + interval(balanced.ci, " (95 % interval {} to {})")
    told = (f"A classifier that sees only the grey-level histogram and the outermost pixels of the preprocessed images "
            f"reaches a balanced accuracy (mean recall) of {reached} on the test set; without looking at the image it "
            f"would be {number(balanced.guesser, 3)}.")
    return [first, told, _verdict(balanced.ci, balanced.guesser, images)]


def sources_table(sources: Mapping[str, Mapping[str, int]]) -> Table:
    """Images by source and class, with the class's share of the source; small sources together."""
    listed = [(name, list(counts.values())) for name, counts in sources.items()]
    rest = [counts for _, counts in listed[SHOWN:]]
    if rest:
        listed = [*listed[:SHOWN], (f"{len(rest)} others", [sum(column) for column in zip(*rest, strict=True)])]
    classes = next(iter(sources.values()))
    return Table("Images by source (digitizer or collection) and class",
                 (*(name.capitalize() for name in classes), "Total"),
                 tuple(Row(name, (*(f"{count} ({100 * count / sum(counts):.0f} %)" for count in counts),
                                  str(sum(counts)))) for name, counts in listed))


def classifier_table(classifier: BlindClassifier, test: Evaluation) -> Table:
    """The classifier without anatomy, the network and what needs no image, side by side."""
    blind: tuple[BesideGuessing, ...] = (classifier.balanced_accuracy, classifier.accuracy, classifier.auroc)
    network = (number(test.recall["mean"]), _cell(test.accuracy["mean"], test.accuracy_ci["mean"]),
               _cell(test.auroc["mean"], test.auroc_ci["mean"]))
    rows = (Row(BLIND, tuple(_cell(each.value, each.ci) for each in blind)),
            Row("the network, on whole images", network, comparison=True),
            Row("uniform guesser", tuple(number(each.guesser) for each in blind), comparison=True),
            Row(f"always “{test.majority.answer}”", tuple(number(each.majority) for each in blind), comparison=True))
    return Table(f"The class without the breast: test set, {test.images} images of {test.patients} patients",
                 ("Balanced accuracy", "Mean one-vs-all accuracy", "Mean AUROC"), rows)


def _cell(value: float | None, ci: Interval | None) -> str:
    return number(value) + interval(ci, " [{}, {}]")


def _verdict(ci: Interval | None, chance: float, images: int) -> str:
    if ci is None:
        return "No interval could be determined for it: nothing can be said about confounders."
    if ci[0] > chance:
        small = "" if images >= SMALL else (
            f" But {images} test images are few, and one interval in forty lies above by chance: see whether it "
            "remains with other seeds, where these split the patients anew.")
        return ("The interval lies above that: grey levels and borders give the class away in part. Whatever a network "
                "reaches on these data may come from there, from the digitizer, the film or the cropping, and not from "
                "a lesion; the breast's size and density, which also show there, may be another part of it." + small)
    if ci[1] < chance:
        return ("The interval lies below that, which no confounder explains: the training patients are not like the "
                "test patients, or it is chance.")
    return ("The interval contains that: no confounder was found in grey levels and borders. That is no proof of "
            "absence, the less the fewer test images there are, and other traces were not looked for.")
