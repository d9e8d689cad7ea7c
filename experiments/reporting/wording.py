"""The result in words, no surer than the figures are."""
from typing import Any

from experiments.datasets.mammogram import CLASSES
from experiments.evaluation.classification import classes_of
from experiments.reporting.tables import interval, number

SMALL = 100  # test images below which the report says how few they are


def headline(results: dict[str, Any]) -> list[str]:
    """Sentences on the test set's result: the figures, what they are worth, and what to beware of."""
    test = results["test"]
    accuracy, chance = test["accuracy"]["mean"], test["guesser"]["accuracy"]["mean"]
    majority = test["majority"]
    area = "undefined, since a class is absent" if test["auroc"]["mean"] is None else _with_interval(test, "auroc")
    sentences = [
        f"On {test['images']} test images of {test['patients']} patients the mean one-vs-all accuracy is "
        f"{_with_interval(test, 'accuracy')}; uniform guessing gives {number(chance, 3)}, always answering "
        f"“{majority['class']}” {number(majority['accuracy']['mean'], 3)}.",
        f"The mean AUROC is {area}; guessing gives 0.5.",
        *against("mean AUROC", test["auroc"]["mean"], test["auroc_ci"]["mean"], 0.5),
        *against("mean accuracy", accuracy, test["accuracy_ci"]["mean"], chance),
    ]
    if classes_of(test) != CLASSES:
        sentences.insert(1, f"The network tells {' and '.join(classes_of(test))} apart, another task than the thesis's "
                            "three classes.")
    ci = test["accuracy_ci"]["mean"]
    if ci is not None and ci[0] <= majority["accuracy"]["mean"]:
        sentences.append(f"The accuracy is not reliably above that of always answering “{majority['class']}”, which "
                         "takes no image into account.")
    if test["images"] < SMALL:
        sentences.append(f"The test set is small: {test['images']} images of {test['patients']} patients. Another "
                         "choice of test patients may give figures anywhere in these intervals, or outside them.")
    never = [name for name in classes_of(test) if test["counts"][name]["tp"] + test["counts"][name]["fp"] == 0]
    if never:
        sentences.append(f"The network never answers {' or '.join(never)} on the test set.")
    return sentences + _overfitting(results)


def _with_interval(result: dict[str, Any], name: str) -> str:
    return number(result[name]["mean"], 3) + interval(result[f"{name}_ci"]["mean"], " (95 % interval {} to {})")


def against(name: str, value: float | None, ci: list[float] | None, chance: float) -> list[str]:
    """How a figure with its interval stands to what guessing gives; nothing for an undefined one."""
    if value is None:
        return []
    if ci is None:
        return [f"No interval could be determined for the {name}, so it cannot be told apart from guessing."]
    if ci[0] > chance:
        return [f"The interval of the {name} lies above what guessing gives."]
    if ci[1] < chance:
        return [f"The interval of the {name} lies below what guessing gives: the classifier does worse than guessing."]
    return [f"The interval of the {name} contains what guessing gives ({number(chance, 3)}): by this measure the "
            "classifier is not distinguishable from guessing."]


def _overfitting(results: dict[str, Any]) -> list[str]:
    train, test = results.get("train"), results["test"]
    cis = [None if split is None else split["accuracy_ci"]["mean"] for split in (train, test)]
    if train is None or cis[0] is None or cis[1] is None or cis[0][0] <= cis[1][1]:
        return []
    return [f"On the images it was trained on the mean accuracy is {_with_interval(train, 'accuracy')}: the network "
            "overfits."]
