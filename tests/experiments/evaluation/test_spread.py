import numpy as np
import pytest

from experiments.evaluation import evaluate
from experiments.evaluation.spread import spread
from experiments.reporting.comparison import spread_table
from experiments.reporting.tables import table_markdown


def result(seed, classes=3):
    generator = np.random.default_rng(seed)
    labels = generator.integers(classes, size=50)
    outputs = generator.random((50, 3))
    outputs[np.arange(50), labels] += 0.4
    return evaluate(outputs, labels, np.arange(50))


def test_mean_and_spread_of_every_figure():
    results = [result(seed) for seed in range(3)]
    found = spread(results)
    assert found.seeds == 3 and list(found.metrics) == list(results[0].metrics)
    values = [one.auroc["benign"] for one in results]
    benign = found.auroc["benign"]
    assert benign.values == tuple(values) and (benign.min, benign.max) == (min(values), max(values))
    assert benign.mean == pytest.approx(sum(values) / 3)
    assert benign.sd == pytest.approx(np.sqrt(sum((v - sum(values) / 3) ** 2 for v in values) / 2))
    assert found.plain_accuracy.values == tuple(one.plain_accuracy for one in results)
    table = spread_table("Test set, end-to-end", found)
    assert table.title == "Test set, end-to-end: 3 seeds, mean ± standard deviation"
    mean = found.accuracy["mean"]
    assert table.rows[0].cells[3] == f"{mean.mean:.4f} ± {mean.sd:.4f}"
    assert table.rows[1].cells[3] == f"{mean.min:.4f} to {mean.max:.4f}"
    assert {line.count("|") for line in table_markdown(table).splitlines() if line.startswith("|")} == {6}


def test_a_single_seed_has_no_spread_and_what_is_undefined_once_is_undefined():
    found = spread([result(0)])
    assert found.accuracy["mean"].sd is None
    assert "±" not in spread_table("Test set", found).rows[0].cells[0]
    found = spread([result(0), result(1, classes=2)])
    assert found.auroc["benign"].mean is None and found.auroc["benign"].values[0] is not None
    assert spread_table("Test set", found).rows[8].cells[2] == "n/a"
