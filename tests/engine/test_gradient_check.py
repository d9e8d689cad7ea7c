"""The gradient checker on small layers whose answers are known."""
import numpy as np
import pytest

from engine.combinators import Chain, Skip
from engine.gradient_check import check, check_complex, check_elements, distinct, sweep
from engine.gradient_check.case import Case, smooth_point
from engine.gradient_check.difference import EPSILON, LEAST_NOISE, STEPS, TOLERANCE, compared
from engine.gradient_check.fingerprint import fingerprint
from engine.gradient_check.probe import Probe, moved
from engine.gradient_check.result import Result, badness
from engine.gradient_check.suite import examine
from engine.layer import Layer, Run
from engine.layers import BatchNorm, Conv2D, Dense, MaxPool, ReLU, Tanh
from engine.pooled_norm import PooledNorm

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


def test_a_kink_in_the_way_is_reported_with_layer_distance_and_advice():
    network = Chain(dense=Dense(4, 4, rng=rng(), dtype="float64"), deep=Skip(Chain(act=ReLU())))
    x = distinct(rng(), 1, 4)
    W, b = network.children["dense"].params.values()
    b[...] = [1, 1, 1e-10, 1] - x[0] @ W  # the third pre-activation is 1e-10, nearer to 0 than the smallest step
    row = by_parameter(check(network, x, Run(), rng()))["dense.b"]
    assert (row.passed, row.kink, row.verdict) == (False, True, "kink")
    assert "layer 'deep.inner.act' (ReLU), 1 place." in row.message
    assert "take another x" in row.message
    away = float(row.message.split("kink ")[1].split(" away")[0])
    assert 1e-10 <= away < STEPS[-1]


def test_a_kink_nearby_that_the_direction_does_not_cross_is_no_hindrance():
    network = Chain(Cube(), ReLU())
    x = distinct(rng(), *SHAPE)
    x[0, 0] = 1e-4  # its cube is 1e-12; moving w does not change its sign
    assert by_parameter(check(network, x, Run(), rng()))["0.w"].passed


def test_a_smaller_step_is_taken_next_to_a_kink():
    x = distinct(rng(), *SHAPE)
    x[0, 0] = 1e-7
    assert all(result.passed for result in check(ReLU(), x, Run(), rng()))


@pytest.mark.parametrize("layer", [ReLU(), MaxPool()])
def test_at_a_tie_the_answer_is_kink_and_never_passed(layer):
    x = np.zeros((2, 4, 4, 2))
    for checked in (check, check_elements):
        row = by_parameter(checked(layer, x, Run(), rng()))["x"]
        assert row.kink and not row.passed and "check_subgradient" in row.message


def test_a_fused_activation_has_its_kink_in_the_pre_activation():
    layer = Conv2D(1, 1, 1, activation=ReLU(), rng=rng(), dtype="float64")
    x = distinct(rng(), 1, 3, 3, 1)
    layer.params["b"][...] = -x[0, 1, 1, 0] * layer.params["W"]
    assert by_parameter(check(layer, x, Run(), rng()))["b"].kink


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


def test_fingerprints_tell_contents_apart_and_nothing_else():
    def value():
        return {"a": [np.arange(3.0), ("b", 1)], "g": np.random.default_rng(1), "layer": Cube()}

    base = fingerprint(value())
    assert fingerprint(value()) == base
    for change in (lambda v: v["a"].append(1), lambda v: v["a"][0].__setitem__(0, -0.0), lambda v: v["g"].random(),
                   lambda v: v["layer"].params.clear(), lambda v: setattr(v["layer"], "wrong", 1)):
        changed = value()
        change(changed)
        assert fingerprint(changed) != base


def test_fingerprints_tell_which_of_two_things_stands_where_and_not_the_order_of_a_set():
    one, two = [1], [2]
    assert fingerprint([one, two, one]) != fingerprint([one, two, two])
    assert list({0, 8}) != list({8, 0}) and fingerprint({0, 8}) == fingerprint({8, 0}) != fingerprint({0, 9})


def test_the_sweep_of_a_right_gradient_is_a_v():
    curve = sweep(Cube(), distinct(rng(), *SHAPE), Run(), rng())
    assert curve.right and curve.judgement.startswith("right: falls with slope 2.0, rises with slope -")
    assert curve.falling == pytest.approx(2, abs=0.1) and curve.rising == pytest.approx(-1, abs=0.3)


def test_the_sweep_of_a_wrong_gradient_is_flat():
    curve = sweep(Cube(wrong=1), distinct(rng(), *SHAPE), Run(), rng())
    assert not curve.right and curve.judgement.startswith("wrong: flat at")


def test_the_sweep_of_a_linear_layer_has_no_truncation():
    curve = sweep(Dense(4, 3, rng=rng(), dtype="float64"), distinct(rng(), *SHAPE), Run(), rng())
    assert curve.right and curve.falling is None


def test_the_sweep_leaves_out_steps_across_a_kink():
    x = distinct(rng(), *SHAPE)
    x[0, 0] = 1e-4
    curve = sweep(ReLU(), x, Run(), rng())
    assert curve.right and curve.kinked[0] and not curve.kinked[-1]
    everywhere = sweep(ReLU(), np.zeros(SHAPE), Run(), rng())
    assert everywhere.judgement == "undecided: every step crosses a kink; take another x"


def test_the_noise_is_four_times_the_largest_change_by_the_last_bits():
    class Amplified(Layer):
        def forward(self, x, run):
            return 100 * (x - 0.75), None

    x, dy = np.array([1.0]), np.array([1.0])
    change = 100 * 2 * EPSILON  # of y, when x moves by its last two bits
    assert Probe(Amplified(), x, Run()).noise(dy, rng()) == pytest.approx(4 * change, rel=0.1, abs=0)


def test_a_failure_at_one_entry_is_not_hidden_by_a_kink_at_another():
    class Bent(Layer):
        """Wrong by a tenth in its first entry; the kink of the second is nearby."""

        def forward(self, x, run):
            return np.maximum(x, 0), x

        def backward(self, dy, saved):
            return dy * (saved > 0) * np.array([1.1, 1.0]), {}

        def piece(self, x, y):
            return x > 0

    x = np.array([[0.5, 1e-10]])
    row = by_parameter(check_elements(Bent(), x, Run(), rng()))["x"]
    assert row.verdict == "FAILED" and "worst entry [0, 0]" in row.message
    results = [Result("a", "x", 0.1, False), Result("a", "x", 0.5, False, kink=True), Result("a", "x", 0.9, True),
               Result("a", "x", 0.0, True, resolution=0.9), Result("a", "x", 0.2, True, resolution=0.1)]
    assert sorted(results, key=badness, reverse=True) == [results[k] for k in (0, 1, 2, 4, 3)]


class Bend(Layer):
    """y = |x|, without the method `piece` that would tell of its kink."""

    def forward(self, x, run):
        return np.abs(x), np.sign(x)

    def backward(self, dy, saved):
        return dy * saved, {}


@pytest.mark.parametrize("side", [1e-10, -1e-10])
def test_a_kink_on_either_side_is_seen(side):
    assert "ReLU, 1 place." in by_parameter(check_elements(ReLU(), np.array([[0.5, side]]), Run(), rng()))["x"].message


class BendToldOf(Bend):
    def piece(self, x, y):
        return x > 0


def test_a_difference_across_a_kink_that_agrees_by_chance_has_not_passed():
    x = np.zeros((1, 2))  # numeric 0, and backward gives 0
    for checked in (check, check_elements):
        assert by_parameter(checked(BendToldOf(), x, Run(), rng()))["x"].verdict == "kink"


@pytest.mark.parametrize("distance", [3e-8, 1e-7, 2e-7, 1e-6, 2e-6])
def test_a_kink_that_nobody_tells_of_is_avoided_by_a_smaller_step(distance):
    x = distinct(rng(), *SHAPE)
    x[0, 0] = distance
    for checked in (check, check_elements):
        assert all(result.passed for result in checked(Bend(), x, Run(), rng()))
    assert sweep(Bend(), x, Run(), rng()).right


def test_a_kink_that_nobody_tells_of_at_the_very_point_is_reported_as_one():
    x = distinct(rng(), *SHAPE)
    x[0, 0] = 1e-12
    for checked in (check, check_elements):
        row = by_parameter(checked(Bend(), x, Run(), rng()))["x"]
        assert (row.passed, row.verdict) == (False, "kink")
        assert "a kink that no layer's `piece` tells of" in row.message and "the slopes on its sides" in row.message


def test_a_wrong_slope_at_such_a_kink_or_a_jump_is_no_kink():
    class Steep(Bend):
        def backward(self, dy, saved):
            return 3 * dy * saved, {}

    class Jump(Layer):
        def forward(self, x, run):
            return x + (x > 0), None

        def backward(self, dy, saved):
            return dy, {}

    x = distinct(rng(), *SHAPE)
    x[0, 0] = 1e-12
    for layer in (Steep(), Jump()):
        assert by_parameter(check_elements(layer, x, Run(), rng()))["x"].verdict == "FAILED"


class Slow(Layer):
    """y = x + part x |x|, whose central difference at 0 is off by as much as the step: a slope of 1, where 2 is due."""
    part = 1.0

    def forward(self, x, run):
        return x + self.part * x * np.abs(x), x

    def backward(self, dy, saved):
        return dy * (1 + 2 * self.part * np.abs(saved)), {}


def test_the_sweep_of_a_curve_that_falls_otherwise_is_undecided():
    curve = sweep(Slow(), np.zeros((1, 1)), Run(), rng())
    assert not curve.right and curve.judgement == "undecided: falls with slope 1.0, expected 2"


def test_the_sweep_of_a_curve_that_is_too_high_but_not_flat_is_undecided():
    layer = Slow()
    layer.part = 1e10  # off by more than 1e-6 at every step, and less with every smaller one
    assert sweep(layer, np.zeros((1, 1)), Run(), rng()).judgement.startswith("undecided: never below")


def test_the_sweep_of_a_small_mistake_is_flat_until_roundoff_covers_it():
    class Little(Cube):
        def forward(self, x, run):
            y, saved = super().forward(x, run)
            return y + 1000, saved  # whose rounding covers it at the smaller half of the steps

        def backward(self, dy, saved):
            dx, grads = super().backward(dy, saved)
            return dx * (1 + 1e-4), {"w": grads["w"] * (1 + 1e-4)}

    assert sweep(Little(), distinct(rng(), *SHAPE), Run(), rng()).judgement == "wrong: flat at 1e-04"


def test_the_sweep_of_fused_layers_whose_kinks_nobody_tells_of_is_right():
    for seed in (0, 2, 16, 34, 38, 52):
        norm, generator = BatchNorm(2, dtype="float64"), np.random.default_rng(seed)
        norm.params["c1"][...] = [0.8, -1.2]
        curve = sweep(PooledNorm("norm", norm, MaxPool(2)), distinct(generator, 4, 16, 16, 2), Run(), generator)
        assert curve.right, curve.judgement


class Rare(Layer):
    """A kink beside each of the first points at which it is asked: three times for every draw of x."""

    def __init__(self, draws):
        super().__init__()
        self.kinks, self.calls = 3 * draws, 0

    def forward(self, x, run):
        return x, None

    def piece(self, x, y):
        self.calls += 1
        return np.array([self.calls if self.calls <= self.kinks else 0])


@pytest.mark.parametrize(("draws_with_kinks", "draws"), [(0, 1), (1, 2), (9, 10), (99, 10)])
def test_the_point_is_drawn_again_while_a_kink_is_near_ten_times_at_most(draws_with_kinks, draws):
    layer = Rare(draws_with_kinks)
    x = smooth_point(layer, Run(), rng(), 2, 3)
    assert layer.calls == 3 * draws
    assert np.array_equal(np.sort(x, axis=None), np.sort(distinct(rng(), 2, 3), axis=None))


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
