"""Every erratum of the thesis: the printed form fails its check, the corrected one passes, and neither by chance."""
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from companion.errata import ERRATA, Outcome
from companion.errata.losses import difference_squared, whole_epsilon
from companion.errata.network import descend, one_minus
from companion.errata.normalization import root_with_epsilon
from companion.errata.page import audit_markdown, overview, section, sources
from companion.errata.tables import deviations, specificity_of_the_counts, specificy_as_printed
from engine.layer import Run
from engine.layers import BatchNorm
from engine.losses import dice, sensitivity_specificity
from engine.optimizers import SGD, Adam
from experiments.evaluation.recovery import audit

PAGE = Path(__file__).resolve().parents[2] / "docs" / "errata.md"
each = pytest.mark.parametrize("erratum", ERRATA, ids=[erratum.name for erratum in ERRATA])


def test_every_entry_of_the_list_is_there_once_and_in_order():
    assert sorted({erratum.number for erratum in ERRATA}) == list(range(1, 18))
    assert all((one.number, one.part) < (other.number, other.part) for one, other in pairwise(ERRATA))
    for erratum in ERRATA:
        assert bool(erratum.part) == (sum(other.number == erratum.number for other in ERRATA) > 1), erratum.name


@each
@pytest.mark.parametrize("seed", range(4))
def test_the_printed_form_fails_and_the_corrected_one_passes_whatever_is_drawn(erratum, seed):
    printed, corrected = erratum.printed_outcome(seed), erratum.corrected_outcome(seed)
    assert not printed.passed and corrected.passed, (printed, corrected)


@each
def test_the_verdict_does_not_hang_on_the_tolerance(erratum):
    """Ten times the tolerance would not let the printed form pass, and its measurement is another."""
    printed, corrected = erratum.printed_outcome(), erratum.corrected_outcome()
    assert printed.tolerance == corrected.tolerance
    assert not printed.deviation <= 9 * printed.tolerance
    assert printed.measured != corrected.measured


@each
def test_the_forms_are_two_functions_and_the_check_asks_them(erratum):
    """A check that does not call the form that it is given could not tell one from the other."""
    assert sources(erratum.printed_form) != sources(erratum.corrected_form)

    def unheard(*arguments, **named):
        raise LookupError("asked")

    with pytest.raises(LookupError, match="asked"):
        erratum.check(unheard, np.random.default_rng(0))


def test_nan_and_infinity_never_pass():
    assert not Outcome(np.nan, 1.0, "").passed and not Outcome(np.inf, 1.0, "").passed
    assert Outcome(1.0, 1.0, "").passed and Outcome(0.0, 0.0, "").passed


def test_not_one_of_the_twelve_specificities_fits_as_printed_and_all_do_corrected():
    printed, corrected = deviations(specificy_as_printed), deviations(specificity_of_the_counts)
    assert len(printed) == len(corrected) == 12
    assert min(printed.values()) > 1e-3 and max(corrected.values()) < 1e-4


def test_the_engine_computes_the_corrected_forms():
    rng = np.random.default_rng(5)
    theta, gradients = rng.normal(size=3), rng.normal(size=(4, 3))
    trained = {"theta": theta.copy()}
    SGD(trained).step({"theta": gradients.mean(axis=0)}, 0.1)
    np.testing.assert_allclose(trained["theta"], descend(theta, 0.1, gradients))

    adam, m2 = Adam({"theta": np.zeros(1)}), 0.0
    for G in rng.normal(size=5):
        adam.step({"theta": np.array([G])}, 0.1)
        m2 = one_minus(m2, adam.beta2, G)
    np.testing.assert_allclose(adam.memory["m2"]["theta"], m2)

    o = rng.normal(size=(20, 3))
    normalized, _ = BatchNorm(3, dtype="float64").forward(o, Run())
    np.testing.assert_allclose(normalized, root_with_epsilon(o, o.mean(axis=0), o.var(axis=0)))

    p, y = rng.random((4, 9)), np.round(rng.random((4, 9)))
    np.testing.assert_allclose(sensitivity_specificity(p, y)[0], difference_squared(p, y))
    np.testing.assert_allclose(dice(p, y)[0], whole_epsilon(p, y))  # kept as printed: it is what A.3.5 computes


def test_the_page_shows_every_entry_and_types_no_verdict():
    text = PAGE.read_text("utf-8")
    for number in range(1, 18):
        assert f"(erratum-{number})=\n### Erratum {number}: " in text and f"Markdown(section({number}))" in text
    assert len(re.findall(r"Markdown\(section\(", text)) == 17
    assert "✓" not in text and "✗" not in text
    assert f"In {len(ERRATA)} of {len(ERRATA)} checks the printed form fails" in overview()


def test_the_pages_verdicts_are_those_of_the_outcomes():
    shown = overview()
    for erratum in ERRATA:
        row = next(line for line in shown.splitlines() if line.startswith(f"| [{erratum.name}]"))
        assert row.index("failed") < row.index("passed")
        part = section(erratum.number)
        for form in (erratum.printed_form, erratum.corrected_form):
            assert f"def {form.__name__}(" in part
    swapped = [type(erratum)(**{**vars(erratum), "printed_form": erratum.corrected_form}) for erratum in ERRATA]
    assert "In 0 of" in overview(swapped) and "failed" not in overview(swapped).partition("\n\n")[0]


def test_the_page_ends_with_the_audit_of_every_printed_table():
    shown = audit_markdown()
    for number, table in audit().tables.items():
        assert f"Table {number} recomputed" in shown
        assert f"{table.entries['specificity']['cancer'].recomputed:.4f}" in shown
