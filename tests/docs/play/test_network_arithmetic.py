"""The page's batch norm and two-layer network against the engine's, in the browser, on random shapes and values."""
import json
import math
import re

import numpy as np
import pytest

INPUTS = ("x", "W1", "b1", "W2", "b2", "y")


@pytest.fixture
def page(open_page):
    return open_page()


def plain(case):
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in case.items()}


def close(actual, expected, name, case):
    """Equal up to rounding, which grows with the largest number of the case."""
    size = max(1, *(np.abs(np.asarray(value)).max() for value in expected.values()))
    np.testing.assert_allclose(actual[name], expected[name], rtol=1e-11, atol=1e-11 * size, err_msg=f"{name} of {case}")


def batches(count, seed):
    """2 to 12 numbers of any size and spread."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        M = int(rng.integers(2, 13))
        yield {"x": rng.normal(rng.uniform(-20, 20), 10 ** rng.uniform(-1, 1), M), "dy": 3 * rng.standard_normal(M),
               "c1": float(rng.normal()), "c2": float(rng.normal())}


def networks(count, seed, largest=6):
    """1 to `largest` inputs, hidden numbers and outputs; both activations."""
    rng = np.random.default_rng(seed)
    for n in range(count):
        I, H, O = map(int, rng.integers(1, largest + 1, 3))  # noqa: E741
        shapes = {"x": (1, I), "W1": (I, H), "b1": (1, H), "W2": (H, O), "b2": (1, O), "y": (1, O)}
        yield {name: 2 * rng.standard_normal(shape) for name, shape in shapes.items()} | {
            "sigma": ("ReLU", "sigmoid")[n % 2]}


def normalize(page, network_writer, cases):
    given = [plain(case) | {"epsilon": network_writer.BatchNorm(1).epsilon} for case in cases]
    return page.evaluate("cases => cases.map(BatchNorm.compute)", given)


def test_traces_are_what_the_engine_computes(play, network_writer):
    text = (play / "network_traces.js").read_text(encoding="utf-8")
    written = {name: json.loads(value) for name, value in
               re.findall(r'^TRACES\["([a-z ]+)"\] = (\{.*?^\});$', text, re.DOTALL | re.MULTILINE)}
    computed = network_writer.traces()
    assert written.keys() == computed.keys()
    for operation, parts in computed.items():
        assert written[operation].keys() == parts.keys()
        for part, values in parts.items():
            assert written[operation][part].keys() == values.keys()
            for name, value in values.items():
                here = written[operation][part][name]
                if isinstance(value, str):
                    assert here == value
                else:
                    np.testing.assert_allclose(here, value, rtol=0, atol=1e-12, err_msg=f"{operation} {name}")


def test_batch_norm(page, network_writer):
    cases = list(batches(120, seed=0))
    assert len({len(case["x"]) for case in cases}) == 11
    for case, here in zip(cases, normalize(page, network_writer, cases), strict=True):
        expected = network_writer.normalized(**case)
        assert here.keys() == expected.keys()
        for name in expected:
            close(here, expected, name, case)


def test_the_three_ways_are_the_engines_and_add_up(page, network_writer):
    cases = list(batches(60, seed=1))
    for case, here in zip(cases, normalize(page, network_writer, cases), strict=True):
        expected = network_writer.normalized(**case)
        np.testing.assert_allclose(here["direct"] + np.array(here["mean"]) + here["variance"], expected["dx"],
                                   rtol=1e-9, atol=1e-9 * np.abs(expected["direct"]).max())
        for left_out in (["mean"], ["variance"], ["mean", "variance"], ["direct"]):
            kept = [way for way in ("direct", "mean", "variance") if way not in left_out]
            without = page.evaluate("([ways, out]) => BatchNorm.without(ways, out)", [here, left_out])
            np.testing.assert_allclose(without, sum(expected[way] for way in kept), rtol=1e-9,
                                       atol=1e-9 * np.abs(expected["direct"]).max())


def test_the_judge_of_batch_norm(page, network_writer):
    """It passes the engine's dx, and nothing that lacks a way, unless that way gives nothing."""
    judged = """([inputs, dx, k]) => {
        const model = { inputs, results: BatchNorm.compute(inputs) };
        return Differences.agrees(dx, BatchNormJudge.measure(model, k), BatchNormJudge.largest(model, k));
    }"""
    mistakes = 0
    for case in batches(60, seed=2):
        expected = network_writer.normalized(**case)
        inputs = plain(case) | {"epsilon": network_writer.BatchNorm(1).epsilon}
        k = len(case["x"]) // 2
        assert page.evaluate(judged, [inputs, expected["dx"][k], k]), case
        largest = max(abs(expected[way][k]) for way in ("direct", "mean", "variance"))
        for way in ("direct", "mean", "variance"):
            if abs(expected[way][k]) > 1e-3 * max(1, largest):
                mistakes += 1
                assert not page.evaluate(judged, [inputs, expected["dx"][k] - expected[way][k], k]), (way, case)
    assert mistakes > 120


def test_ones_do_not_see_the_way_through_the_variance(page, network_writer):
    seen = "results => BatchNormModel.seen({ results })"
    for case in batches(30, seed=3):
        ones = case | {"dy": np.full(len(case["x"]), 1.5)}
        expected = network_writer.normalized(**ones)
        size = abs(expected["direct"]).max()
        assert np.abs(expected["dx"]).max() < 1e-9 * size
        here, = normalize(page, network_writer, [ones])
        assert page.evaluate(seen, here) == ["direct", "mean"]
        before, = normalize(page, network_writer, [case])
        if len(case["x"]) > 2:  # of two numbers, xhat is 1 and -1 whatever they are
            assert page.evaluate(seen, before) == ["direct", "mean", "variance"]


def test_network(page, network_writer):
    cases = list(networks(160, seed=4))
    shapes = {(case["sigma"], case["W1"].shape, case["W2"].shape) for case in cases}
    assert len(shapes) >= 100
    for case, here in zip(cases, page.evaluate("cases => cases.map(Network.compute)", list(map(plain, cases))),
                          strict=True):
        expected = network_writer.propagated(**case)
        assert here.keys() == expected.keys()
        for name in expected:
            close(here, expected, name, case)


def test_the_misprint(page, network_writer):
    """Line 5 has a result where both sizes are equal, with the right diagonal; line 6's rows add up."""
    fits = 0
    for case in networks(80, seed=5, largest=3):
        engine = network_writer.propagated(**case)
        for h in (1, 2):
            G, o, W = engine[f"da{h}"], engine[f"o{h - 1}"], case[f"W{h}"]
            outer, back = page.evaluate("([G, o, W]) => [Network.printedOuter(G, o), Network.printedBack(G, W)]",
                                        [G.tolist(), o.tolist(), W.tolist()])
            np.testing.assert_allclose(back, G * W, rtol=1e-12)
            np.testing.assert_allclose(np.sum(back, axis=1), engine[f"do{h - 1}"][0], rtol=1e-9, atol=1e-9)
            if G.shape != o.shape:
                assert outer is None
                continue
            fits += 1
            np.testing.assert_allclose(outer, np.broadcast_to(G * o, W.shape), rtol=1e-12)
            np.testing.assert_allclose(np.diag(outer), np.diag(engine[f"dW{h}"]), rtol=1e-9, atol=1e-9)
    assert fits > 20


def test_the_judge_of_the_network(page, network_writer):
    """For a random number of every array that it judges: it passes the engine's gradient and no other number."""
    judged = """([inputs, array, place, values]) => {
        const results = Network.compute(inputs);
        const model = { inputs, arrays: { ...inputs, ...results }, picked: { array, place } };
        const measured = NetworkJudge.measure(model);
        const scale = NetworkJudge.largest(model.arrays[`d${array}`]);
        return [measured.kink, ...values.map((value) => Differences.agrees(value, measured, scale))];
    }"""
    rng, kinks = np.random.default_rng(6), 0
    for case in networks(60, seed=7):
        engine = network_writer.propagated(**case)
        for array in ("o0", "W1", "b1", "W2", "b2"):
            gradient = engine["d" + array]
            place = [int(rng.integers(size)) for size in gradient.shape]
            right = float(gradient[tuple(place)])
            wrong = right + 1e-3 * max(1, np.abs(gradient).max())
            kink, *answers = page.evaluate(judged, [plain(case), array, place, [right, wrong]])
            kinks += kink
            assert kink or answers == [True, False], (array, place, case)
    assert kinks < 30


def test_the_judge_gives_no_verdict_at_a_kink(page):
    case = {"x": [[1, 2]], "W1": [[2, 1], [-1, 1]], "b1": [[0, 0]], "W2": [[1, 1], [1, 1]], "b2": [[0, 0]],
            "y": [[1, 1]], "sigma": "ReLU"}  # a1[0] is 0
    kink = """([inputs, place]) => NetworkJudge.measure({ inputs, arrays: { ...inputs, ...Network.compute(inputs) },
                                                          picked: { array: "W1", place } }).kink"""
    assert page.evaluate(kink, [case, [0, 0]])
    assert not page.evaluate(kink, [case, [0, 1]])
    assert not page.evaluate(kink, [case | {"sigma": "sigmoid"}, [0, 0]])


def value_of(numbers):
    """What a sum of the page amounts to: "1 + 2 × (−3)"."""
    written = numbers.replace("×", "*").replace("−", "-").replace("²", "**2").replace("½", "0.5 *")
    return eval(written, {"__builtins__": {}, "max": max, "exp": math.exp})


@pytest.mark.parametrize("sigma", ["ReLU", "sigmoid"])
def test_every_sum_that_a_step_writes_is_its_number(page, sigma):
    """And the numbers that it names are those that are marked as used."""
    worked = """(inputs) => {
        const arrays = { ...inputs, ...Network.compute(inputs) };
        arrays.l = [[arrays.l]];
        return NetworkSteps.all(inputs.sigma).filter(({ writes }) => writes).map((step) =>
            arrays[step.writes].flatMap((row, i) => row.map((value, j) => {
                const uses = step.uses([i, j]);
                const used = step.reads.flatMap((key) => arrays[key].flatMap((numbers, m) => numbers.map((_, n) =>
                    (uses[key](m, n) ? [NetworkLetters.at(key, [m, n])] : [])).flat()));
                return { writes: step.writes, value, used, sum: step.sum(arrays, [i, j]) };
            }))).flat();
    }"""
    case = next(case for case in networks(2, seed=8) if case["sigma"] == sigma)
    case = {name: np.round(value, 2) if name in INPUTS else value for name, value in case.items()}
    found = page.evaluate(worked, plain(case))
    assert {number["writes"] for number in found} == {"o0", "a1", "o1", "a2", "o2", "l", "do2", "da2", "db2", "dW2",
                                                      "do1", "da1", "db1", "dW1", "do0"}
    for number in found:
        symbols, numbers = number["sum"]
        if number["writes"] != "l":
            names = re.findall(r"[^\s(−]+\[[\d,]+\]", symbols)
            assert set(names) == set(number["used"]), number
        if numbers is not None:
            assert value_of(numbers) == pytest.approx(number["value"], rel=2e-3, abs=2e-3), number
