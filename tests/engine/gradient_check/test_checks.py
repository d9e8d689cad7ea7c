"""The gradient checker on small layers whose answers are known."""
import numpy as np
import pytest

from engine.combinators import Chain
from engine.gradient_check import check, check_complex, check_elements, distinct, sweep
from engine.gradient_check.case import Case
from engine.gradient_check.difference import EPSILON, LEAST_NOISE, TOLERANCE, compared
from engine.gradient_check.probe import Probe, moved
from engine.gradient_check.suite import examine
from engine.layer import Layer, Run
from engine.layers import BatchNorm, Conv2D, Dense, MaxPool, ReLU, Tanh

SHAPE = (3, 4)


class Cube(Layer):
    """y = w x^3, with the entry `wrong` of dw off by a tenth."""

    def __init__(self, wrong=None):
        super().__init__()
        self.params = {"w": np.linspace(0.5, 1.5, 4)}
        self.wrong = wrong

    def forward(self, x, run):
        return self.params["w"] * x ** 3, x

    def backward(self, dy, saved):
        dw = (dy * saved ** 3).sum(0)
        if self.wrong is not None:
            dw[self.wrong] += 0.1
        return dy * self.params["w"] * 3 * saved ** 2, {"w": dw}


class Modulus(Layer):
    """y = |x|: takes complex numbers, but is not an analytic function of them."""

    def forward(self, x, run):
        return np.abs(x), np.sign(x)

    def backward(self, dy, saved):
        return dy * saved, {}


class Real(Cube):
    """Refuses complex numbers."""

    def forward(self, x, run):
        if np.iscomplexobj(x) or np.iscomplexobj(self.params["w"]):
            raise TypeError("real numbers only")
        return super().forward(x, run)


def rng():
    return np.random.default_rng(7)


def by_parameter(results):
    return {result.parameter: result for result in results}


def test_a_right_layer_passes_with_a_row_for_everything():
    results = by_parameter(check(Cube(), distinct(rng(), *SHAPE), Run(), rng()))
    assert list(results) == ["(purity)", "x", "w"]
    assert all(r.passed and r.name == "Cube" and r.verdict == "passed" for r in results.values())
    assert max(r.error for r in results.values()) < 1e-8


@pytest.mark.parametrize("checked", [check, check_elements, check_complex, sweep])
def test_arrays_come_back_bit_for_bit_and_writeable(checked):
    layer = Chain(BatchNorm(4, dtype="float64"), Cube())
    x = distinct(rng(), *SHAPE)
    arrays = [x, *layer.parameters().values(), *layer.moving_averages().values()]
    before = [a.tobytes() for a in arrays]
    checked(layer, x, Run(), rng())
    assert [a.tobytes() for a in arrays] == before
    assert all(a.flags.writeable for a in arrays)
    assert all(own is array for own, array in zip(layer.parameters().values(), arrays[1:], strict=False))


def test_arrays_come_back_when_forward_raises():
    x = distinct(rng(), *SHAPE)
    before = x.copy()
    with pytest.raises(ZeroDivisionError), moved([x], [np.ones(SHAPE)], 0.1):
        assert not np.array_equal(x, before)
        raise ZeroDivisionError
    np.testing.assert_array_equal(x, before)


def test_the_same_generator_gives_the_same_rows():
    x = distinct(rng(), *SHAPE)
    assert check(Cube(), x, Run(), rng()) == check(Cube(), x, Run(), rng())


def test_float32_is_refused_with_advice():
    with pytest.raises(ValueError, match=r"'W' is float32.*dtype=.float64"):
        check(Dense(4, 2, rng=rng()), distinct(rng(), *SHAPE), Run(), rng())
    with pytest.raises(ValueError, match="'x' is float32"):
        check(ReLU(), distinct(rng(), *SHAPE).astype("float32"), Run(), rng())


def test_a_read_only_x_is_refused_with_advice():
    with pytest.raises(ValueError, match=r"'x' is read-only.*pass a copy"):
        check(ReLU(), np.broadcast_to(np.ones(4), SHAPE), Run(), rng())


def test_the_worst_entry_is_named_with_both_values():
    row = by_parameter(check_elements(Cube(wrong=2), distinct(rng(), *SHAPE), Run(), rng()))["w"]
    assert not row.passed
    assert "worst entry [2]: numeric" in row.message and "analytic" in row.message
    numeric, analytic = (float(part.split()[-1]) for part in row.message.split(", step")[0].split(", analytic"))
    assert analytic - numeric == pytest.approx(0.1, abs=1e-7)


def test_a_sample_checks_as_many_entries_as_it_says(monkeypatch):
    moves = []
    original = Probe.difference
    monkeypatch.setattr(Probe, "difference", lambda self, arrays, *rest: moves.append(arrays[0].size)
                        or original(self, arrays, *rest))
    check_elements(Cube(), distinct(rng(), 25, 4), Run(), rng(), samples=6)
    assert (moves.count(100), moves.count(4)) == (6, 4)


def test_the_complex_step_is_exact():
    layer = Chain(Conv2D(2, 3, activation=Tanh(), rng=rng(), dtype="float64"), BatchNorm(3, dtype="float64"),
                  ReLU(), MaxPool())
    rows = check_complex(layer, distinct(rng(), 2, 4, 4, 2), Run(), rng())
    assert {r.parameter for r in rows} >= {"x", "0.W", "0.b", "1.c1", "1.c2"}
    assert all(r.passed and not r.message and r.error < 1e-13 for r in rows)


@pytest.mark.parametrize(("layer", "reason"), [(Modulus(), "answers complex numbers with real ones"),
                                               (Real(), "real numbers only")])
def test_a_layer_without_complex_numbers_is_checked_by_differences_and_says_so(layer, reason):
    rows = by_parameter(check_complex(layer, distinct(rng(), *SHAPE), Run(), rng()))
    assert rows["x"].passed and reason in rows["x"].message and "central differences" in rows["x"].message


def test_gradients_that_are_not_numbers_fail():
    class NotANumber(Cube):
        def backward(self, dy, saved):
            dx, grads = super().backward(dy, saved)
            return dx * np.nan, grads

    for checked in (check, check_elements, check_complex):
        row = by_parameter(checked(NotANumber(), distinct(rng(), *SHAPE), Run(), rng()))["x"]
        assert not row.passed and row.error == np.inf


def test_a_gradient_of_zero_passes_and_a_wrong_one_in_its_place_does_not():
    class BiasBeforeNorm(Chain):
        factor = 0.0

        def backward(self, dy, saved):
            dx, grads = super().backward(dy, saved)
            return dx, grads | {"0.b": grads["0.b"] + self.factor}

    network = BiasBeforeNorm(Dense(4, 3, rng=rng(), dtype="float64"), BatchNorm(3, dtype="float64"))
    x = distinct(rng(), 6, 4)
    assert by_parameter(check(network, x, Run(), rng()))["0.b"].passed
    network.factor = 1e-4
    assert not by_parameter(check(network, x, Run(), rng()))["0.b"].passed


def test_the_error_is_relative_to_the_larger_and_roundoff_is_told_apart_from_it():
    assert compared(1.0, 1.0, 0.0, TOLERANCE) == compared(0.0, 0.0, 0.0, TOLERANCE) == (0, True, 0)
    assert compared(2.0, 1.0, 0.0, TOLERANCE) == compared(1.0, 2.0, 0.0, TOLERANCE) == (0.5, False, 0)
    assert compared(1e-12, 0.0, 0.0, TOLERANCE) == (1, False, 0)
    assert compared(1e-10, 0.0, 1e-11, TOLERANCE) == (1, False, 0)
    assert compared(2e-12, 1e-12, 1e-11, TOLERANCE) == (0.5, True, pytest.approx(5))
    assert compared(1.0, 0.9, 0.2, TOLERANCE) == (pytest.approx(0.1), True, pytest.approx(0.2))
    assert compared(np.nan, 1.0, 0.0, TOLERANCE) == compared(1.0, np.inf, 1.0, TOLERANCE) == (np.inf, False, 0)


def test_the_measured_noise_of_a_plain_layer_is_a_few_last_bits():
    x = distinct(rng(), *SHAPE)
    dy = rng().standard_normal(SHAPE)
    noise = Probe(Cube(), x, Run()).noise(dy, rng())
    bit = EPSILON * np.linalg.norm(dy * Cube().forward(x, Run())[0])
    assert LEAST_NOISE * bit <= noise < 64 * bit


def test_the_noise_is_four_times_the_largest_change_by_the_last_bits():
    class Amplified(Layer):
        def forward(self, x, run):
            return 100 * (x - 0.75), None

    x, dy = np.array([1.0]), np.array([1.0])
    change = 100 * 2 * EPSILON  # of y, when x moves by its last two bits
    assert Probe(Amplified(), x, Run()).noise(dy, rng()) == pytest.approx(4 * change, rel=0.1, abs=0)


def test_every_entry_of_a_small_array_is_checked_besides_the_direction():
    class OneSmallEntry(Real):
        """dw is as large as 1e7 in seven entries; in the last it is 1, and twice what it should be."""

        def __init__(self):
            super().__init__()
            self.params = {"w": np.ones(8)}

        def forward(self, x, run):
            if np.iscomplexobj(x) or np.iscomplexobj(self.params["w"]):
                raise TypeError("real numbers only")
            return x * self.params["w"], x

        def backward(self, dy, saved):
            dw = (dy * saved).sum(0)
            dw[-1] *= 2
            return dy * self.params["w"], {"w": dw}

    x = np.full((3, 8), 1e7) * np.append(np.ones(7), 1e-7)
    case = Case("a", "", OneSmallEntry(), x * np.linspace(0.5, 1.5, 3)[:, None])
    assert by_parameter(check(case.layer, case.x, Run(), rng()))["w"].passed
    assert "worst entry [7]" in by_parameter(examine(case))["w"].message


def test_a_kink_nearby_that_the_direction_does_not_cross_is_no_hindrance():
    network = Chain(Cube(), ReLU())
    x = distinct(rng(), *SHAPE)
    x[0, 0] = 1e-4  # its cube is 1e-12; moving w does not change its sign
    assert by_parameter(check(network, x, Run(), rng()))["0.w"].passed
