"""The result in words, no surer than the figures are."""
from experiments.datasets.mammogram import CLASSES
from experiments.evaluation import Evaluation
from experiments.evaluation.intervals import Interval
from experiments.reporting.tables import interval, number

SMALL = 100  # test images below which the report says how few they are


def headline(test: Evaluation, train: Evaluation) -> list[str]:
    """Sentences on the test set's result: the figures, what they are worth, and what to beware of."""
    accuracy, chance = test.accuracy["mean"], test.guesser["accuracy"]["mean"]
    always, at_least = test.majority.answer, test.majority.accuracy["mean"]
    area = "undefined, since a class is absent" if test.auroc["mean"] is None else _with_interval(test, "auroc")
    sentences = [
        f"On {test.images} test images of {test.patients} patients the mean one-vs-all accuracy is "
        f"{_with_interval(test, 'accuracy')}; uniform guessing gives {number(chance, 3)}, always answering "
        f"“{always}” {number(at_least, 3)}.",
        f"The mean AUROC is {area}; guessing gives 0.5.",
        *against("mean AUROC", test.auroc["mean"], test.auroc_ci["mean"], 0.5),
        *against("mean accuracy", accuracy, test.accuracy_ci["mean"], chance),
    ]
    if test.classes != CLASSES:
        sentences.insert(1, f"The network tells {' and '.join(test.classes)} apart, another task than the thesis's "
                            "three classes.")
    ci = test.accuracy_ci["mean"]
    if ci is not None and at_least is not None and ci[0] <= at_least:
        sentences.append(f"The accuracy is not reliably above that of always answering “{always}”, which takes no "
                         "image into account.")
    if test.images < SMALL:
        sentences.append(f"The test set is small: {test.images} images of {test.patients} patients. Another "
                         "choice of test patients may give figures anywhere in these intervals, or outside them.")
    never = [name for name in test.classes if test.counts[name].tp + test.counts[name].fp == 0]
    if never:
        sentences.append(f"The network never answers {' or '.join(never)} on the test set.")
    return sentences + _overfitting(test, train)


def _with_interval(result: Evaluation, metric: str) -> str:
    return number(result.metrics[metric]["mean"], 3) + interval(
        result.intervals[metric]["mean"], " (95 % interval {} to {})")


def against(name: str, value: float | None, ci: Interval | None, chance: float | None) -> list[str]:
    """How a figure with its interval stands to what guessing gives; nothing for an undefined one."""
    if value is None or chance is None:
        return []
    if ci is None:
        return [f"No interval could be determined for the {name}, so it cannot be told apart from guessing."]
    if ci[0] > chance:
        return [f"The interval of the {name} lies above what guessing gives."]
    if ci[1] < chance:
        return [f"The interval of the {name} lies below what guessing gives: the classifier does worse than guessing."]
    return [f"The interval of the {name} contains what guessing gives ({number(chance, 3)}): by this measure the "
            "classifier is not distinguishable from guessing."]


def _overfitting(test: Evaluation, train: Evaluation) -> list[str]:
    learned, tested = train.accuracy_ci["mean"], test.accuracy_ci["mean"]
    if learned is None or tested is None or learned[0] <= tested[1]:
        return []
    return [f"On the images it was trained on the mean accuracy is {_with_interval(train, 'accuracy')}: the network "
            "overfits."]
