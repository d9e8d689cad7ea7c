import numpy as np
import pytest

from experiments.evaluation import evaluate, thesis
from experiments.reporting.tables import confusion_table, metrics_table, notes, tables_markdown
from experiments.reporting.wording import headline

THESIS_CONFUSION = ((251, 20, 99), (92, 355, 28), (155, 26, 169))  # one of those that give the counts of Table 4.2


def result_of(confusion, certainty=0.9):
    labels = np.repeat([0, 1, 2], np.sum(confusion, axis=1))
    predicted = np.concatenate([np.repeat([0, 1, 2], row) for row in confusion])
    probabilities = np.full((len(labels), 3), 0.1)
    probabilities[np.arange(len(labels)), predicted] = certainty
    return evaluate(probabilities, labels, np.arange(len(labels)))


def cells(table, label):
    return next(row.cells for row in table.rows if row.label == label)


def figures(table, label):
    return [cell.split(" ")[0] for cell in cells(table, label)]


def test_the_thesis_s_own_answers_give_the_thesis_s_own_table():
    table = metrics_table("test", result_of(THESIS_CONFUSION), thesis.END_TO_END["test"])
    assert table.title == "Test set: 1195 images of 1195 patients"
    assert table.columns == ("Cancer", "Normal", "Benign", "Mean")
    assert figures(table, "Accuracy") == ["0.6937", "0.8611", "0.7423", "0.7657"]
    assert figures(table, "Precision")[:3] == ["0.5040", "0.8853", "0.5709"]
    assert figures(table, "Recall")[:3] == ["0.6784", "0.7474", "0.4829"]
    assert figures(table, "Specificity") == ["0.7006", "0.9361", "0.8497", "0.8288"]
    assert figures(table, "thesis, Table 4.2, corrected") == ["0.7006", "0.9361", "0.8497", "0.8288"]
    assert figures(table, "as printed, TN/(TN+TP)") == ["0.6972", "0.6550", "0.8095", "0.7206"]
    assert [row.label for row in table.rows if not row.comparison] == [
        "Accuracy", "Specificity", "Precision", "Recall", "AUROC"]
    assert cells(table, "always “normal”") == ("0.6904", "0.3975", "0.7071", "0.5983")


def test_intervals_stand_behind_the_figures_that_have_them():
    result = result_of(THESIS_CONFUSION)
    table = metrics_table("test", result, None)
    low, high = result.accuracy_ci["mean"]
    assert cells(table, "Accuracy")[3] == f"0.7657 [{low:.3f}, {high:.3f}]"
    assert "[" in cells(table, "AUROC")[0] and "[" not in cells(table, "Recall")[0]
    assert not any("thesis" in row.label for row in table.rows)


def test_markdown_holds_both_splits_and_the_thesis_beside_them():
    results = {"test": result_of(THESIS_CONFUSION), "train": result_of(((9, 1, 0), (0, 10, 0), (0, 0, 10)))}
    text = tables_markdown(results, thesis.END_TO_END, ["A note."])
    assert text.index("## Test set: 1195") < text.index("## Training set: 30")
    assert "| – thesis, Table 4.2 | 0.6937 | 0.8611 | 0.7423 | 0.7657 |" in text
    assert "| – thesis, Table 4.3 | 0.9026 | 0.9528 | 0.9335 | 0.9296 |" in text
    assert "| **True cancer** | **251** | **20** | **99** |" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {5, 6}


def test_markdown_takes_the_tables_of_the_other_classifier():
    text = tables_markdown({"test": result_of(THESIS_CONFUSION)}, thesis.DECOMPOSITION,
                           notes(thesis.DECOMPOSITION, True, "DDSM"))
    assert "| – thesis, Table 4.6, corrected | 0.9309 | 0.9097 | 0.4071 | 0.7492 |" in text
    assert "Tables 4.6 and 4.7" in text


def test_notes_say_when_the_data_are_not_the_thesis_s():
    other, same = (" ".join(notes(thesis.END_TO_END, is_ddsm, "a set")) for is_ddsm in (False, True))
    assert "Our data (a set) are not the thesis's (DDSM)" in other
    assert "are not the thesis's" not in same
    assert "TN/(TN+TP)" in other and "TN/(TN+TP)" in same


def test_undefined_figures_are_n_a():
    table = metrics_table("test", result_of(((2, 1, 0), (1, 2, 0), (1, 1, 0))), None)
    assert cells(table, "Precision")[2:] == ("n/a", "n/a")


def test_confusion_table_counts_the_right_answers():
    table = confusion_table("train", result_of(THESIS_CONFUSION))
    assert table.title.startswith("Training set: answers by true class (775 of 1195 right, 0.6485 [")
    assert table.rows[1].cells == ("92", "355", "28")


def test_the_headline_of_a_guesser_says_so():
    generator = np.random.default_rng(2)
    guess = evaluate(generator.random((60, 3)), generator.integers(3, size=60), np.arange(60) // 2)
    text = " ".join(headline(guess, guess))
    assert text.count("not distinguishable from guessing") == 2
    assert "The test set is small: 60 images of 30 patients" in text
    assert f"{guess.accuracy['mean']:.3f} (95 % interval" in text


def test_the_headline_of_a_good_classifier_does_not_belittle_it():
    good = result_of(((190, 5, 5), (5, 190, 5), (5, 5, 190)))
    text = " ".join(headline(good, good))
    assert text.count("lies above what guessing gives") == 2
    for absent in ("not distinguishable", "small", "never", "not reliably", "overfits"):
        assert absent not in text


@pytest.mark.parametrize(("confusion", "sentence"), [
    (((0, 40, 0), (0, 200, 0), (0, 40, 0)), "never answers cancer or benign"),
    (((10, 40, 0), (1, 200, 0), (0, 40, 1)), "not reliably above that of always answering “normal”"),
    (((0, 70, 0), (0, 0, 70), (70, 0, 0)), "worse than guessing"),
])
def test_the_headline_warns(confusion, sentence):
    result = result_of(confusion)
    assert sentence in " ".join(headline(result, result))


def test_the_headline_names_overfitting():
    train, test = result_of(((60, 0, 0), (0, 60, 1), (0, 0, 60))), result_of(((20, 20, 20),) * 3)
    assert "the network overfits" in headline(test, train)[-1]
    assert not any("overfits" in sentence for sentence in headline(test, test))


def test_the_headline_of_a_single_patient_claims_nothing():
    single = evaluate(np.eye(3), np.arange(3), np.zeros(3))
    text = " ".join(headline(single, single))
    assert text.count("cannot be told apart from guessing") == 2
