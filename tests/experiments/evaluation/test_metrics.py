import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from experiments.evaluation import by_class, evaluate, metrics, thesis
from experiments.evaluation.guesser import majority, uniform_guesser
from experiments.system.errors import Failure

CLASSES = ("cancer", "normal", "benign")
END_TO_END = metrics.Counts(tp=np.array([251, 355, 169]), fp=np.array([247, 46, 127]),
                            tn=np.array([578, 674, 718]), fn=np.array([119, 120, 181]))


def one_hot(predicted):
    return np.eye(3)[np.asarray(predicted)]


def test_counts_of_a_hand_computed_case():
    labels, predicted = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 2, 2])
    confusion = metrics.confusion_matrix(labels, predicted)
    assert confusion.tolist() == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]
    counts = metrics.one_vs_all(confusion)
    assert [c.tolist() for c in (counts.tp, counts.fp, counts.tn, counts.fn)] == [
        [2, 1, 1], [0, 1, 1], [3, 3, 4], [1, 1, 0]]
    assert metrics.accuracy(counts).tolist() == [5 / 6, 4 / 6, 5 / 6]
    assert metrics.specificity(counts).tolist() == [1, 3 / 4, 4 / 5]
    assert metrics.precision(counts).tolist() == [1, 1 / 2, 1 / 2]
    assert metrics.recall(counts).tolist() == [2 / 3, 1 / 2, 1]
    assert metrics.fallout(counts).tolist() == [0, 1 / 4, 1 / 5]


def test_equal_outputs_predict_the_first_class():
    assert metrics.predicted_classes(np.array([[0.5, 0.5, 0.1], [0, 0, 0], [0.1, 0.5, 0.5]])).tolist() == [0, 0, 1]


def test_the_counts_of_the_thesis_give_its_table_4_2():
    for function, printed in ((metrics.accuracy, [0.6937, 0.8611, 0.7423, 0.7657]),
                              (metrics.precision, [0.5040, 0.8853, 0.5709, 0.6534]),
                              (metrics.recall, [0.6784, 0.7474, 0.4829, 0.6362])):
        figures = list(by_class(function(END_TO_END)).values())
        assert np.round(figures[:3], 4).tolist() == printed[:3]
        assert figures[3] == pytest.approx(printed[3], abs=1.01e-4)  # the mean was taken of rounded figures


def test_the_true_specificity_is_not_the_one_that_the_thesis_printed():
    assert np.round(metrics.specificity(END_TO_END), 4).tolist() == [0.7006, 0.9361, 0.8497]
    printed = END_TO_END.tn / (END_TO_END.tn + END_TO_END.tp)
    assert np.round(printed, 4).tolist() == [0.6972, 0.6550, 0.8095]


def test_the_fallout_is_not_the_false_discovery_rate():
    assert metrics.fallout(END_TO_END) == pytest.approx(1 - metrics.specificity(END_TO_END), rel=1e-15)


@pytest.mark.parametrize("table", [*thesis.END_TO_END.values(), *thesis.DECOMPOSITION.values()], ids=lambda t: t.number)
def test_recovered_counts_reproduce_each_printed_table(table):
    counts, images = table.counts, thesis.IMAGES[table.split]
    for function, printed in ((metrics.accuracy, table.accuracy), (metrics.precision, table.precision),
                              (metrics.recall, table.recall)):
        assert np.round(function(counts), 4).tolist() == list(printed[:3])
    assert np.round(counts.tn / (counts.tn + counts.tp), 4).tolist() == list(table.printed_specificity[:3])
    assert (counts.tp + counts.fn).tolist() == images.tolist()
    assert (counts.tp + counts.fp).sum() == images.sum()  # every image got exactly one answer


def test_true_specificities_and_accuracies_of_the_thesis():
    expected = {"4.2": [0.7006, 0.9361, 0.8497], "4.6": [0.9309, 0.9097, 0.4071]}
    for group, three_class in ((thesis.END_TO_END, 0.6485), (thesis.DECOMPOSITION, 0.4787)):
        table = group["test"]
        assert [round(table.row("specificity")[name], 4) for name in CLASSES] == expected[table.number]
        assert round(table.counts.tp.sum() / 1195, 4) == three_class
        assert table.row("auroc") is None
        assert table.row("accuracy")["mean"] == table.accuracy[3]


def test_undefined_ratios_are_nan_then_null_and_so_is_the_mean():
    result = evaluate(one_hot([0, 0, 1, 1]), np.array([0, 0, 1, 2]), np.arange(4))
    assert result.precision == {"cancer": 1, "normal": 0.5, "benign": None, "mean": None}
    assert result.recall == {"cancer": 1, "normal": 1, "benign": 0, "mean": pytest.approx(2 / 3)}
    absent = evaluate(one_hot([0, 1]), np.array([0, 1]), np.arange(2))
    assert absent.recall["benign"] is None and absent.auroc["benign"] is None
    assert absent.auroc["mean"] is None and absent.auroc_ci["mean"] is None
    assert absent.guesser["recall"]["benign"] is None


def test_an_evaluation_has_every_figure_by_class():
    generator = np.random.default_rng(0)
    labels, patients = generator.integers(3, size=60), np.repeat(np.arange(30), 2)
    result = evaluate(generator.random((60, 3), dtype=np.float32), labels, patients.astype(str))
    assert result.images == 60 and result.patients == 30 and result.classes == CLASSES
    for figures in (result.counts, *result.metrics.values(), *result.intervals.values(), *result.guesser.values()):
        assert tuple(figures) == (*CLASSES, "mean")
    assert list(result.metrics) == list(result.guesser)
    assert isinstance(result.accuracy["mean"], float)
    for name in CLASSES:
        cell = result.counts[name]
        assert cell.tp + cell.fp + cell.tn + cell.fn == 60
        assert cell.images == cell.tp + cell.fn
        for metric, intervals in result.intervals.items():
            low, high = intervals[name]
            assert 0 <= low < result.metrics[metric][name] < high <= 1
    assert result.plain_accuracy == np.trace(result.confusion) / 60


def test_evaluate_refuses_what_is_not_finite_empty_or_misshapen():
    bad = np.full((3, 3), 0.5)
    bad[1, 2] = np.nan
    with pytest.raises(Failure, match="1 of 3 images, first for image 1"):
        evaluate(bad, np.zeros(3, int), np.arange(3))
    with pytest.raises(Failure, match="no images"):
        evaluate(np.zeros((0, 3)), np.zeros(0, int), np.zeros(0, int))
    with pytest.raises(ValueError, match=r"\(3, 2\)"):
        evaluate(np.zeros((3, 2)), np.zeros(3, int), np.arange(3))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(hnp.arrays(np.int64, (3, 3), elements=st.integers(0, 500)).filter(lambda a: a.sum() > 0))
def test_ratios_lie_between_0_and_1_and_counts_sum_to_n(confusion):
    counts = metrics.one_vs_all(confusion)
    assert (counts.tp + counts.fp + counts.tn + counts.fn).tolist() == [confusion.sum()] * 3
    assert min(counts.tp.min(), counts.fp.min(), counts.tn.min(), counts.fn.min()) >= 0
    for function in (metrics.accuracy, metrics.specificity, metrics.precision, metrics.recall, metrics.fallout):
        values = function(counts)
        assert np.all(np.isnan(values) | ((values >= 0) & (values <= 1)))
    three_class = np.trace(confusion) / confusion.sum()
    assert metrics.accuracy(counts).mean() == pytest.approx((1 + 2 * three_class) / 3)


def test_the_guesser_of_footnote_5_with_the_classes_of_the_thesis():
    figures = uniform_guesser(np.repeat([0, 1, 2], [1853, 2376, 1751]))
    assert np.round(figures["accuracy"], 3).tolist() == [0.563, 0.534, 0.569]  # printed: 0.545, 0.507, 0.553


def test_the_expected_figures_of_guessing_are_those_of_many_guesses():
    generator = np.random.default_rng(3)
    labels = np.repeat([0, 1, 2], [20_000, 50_000, 130_000])
    counts = metrics.one_vs_all(metrics.confusion_matrix(labels, generator.integers(3, size=len(labels))))
    expected = uniform_guesser(labels)
    for name in ("accuracy", "specificity", "precision", "recall"):
        assert getattr(metrics, name)(counts) == pytest.approx(expected[name], abs=0.01)


def test_always_answering_the_majority():
    frequent, figures = majority(np.array([1, 1, 1, 0, 2, 2]))
    assert frequent == 1 and figures.tolist() == [5 / 6, 3 / 6, 4 / 6]
