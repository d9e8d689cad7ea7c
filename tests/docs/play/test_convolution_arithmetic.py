"""The page's convolution against the engine's, in the browser, on random shapes and values."""
import numpy as np
import pytest

from engine.layers.padding import places, zeros_around

NAMES = ("a", "dX", "dx", "dW", "db", "dX not rotated")


def cases(count=240, seed=0):
    """Images up to 8x8, kernels up to 4x4, strides 1 to 3, both paddings; not square."""
    rng = np.random.default_rng(seed)
    drawn = []
    while len(drawn) < count:
        image, kernel, stride = rng.integers(1, 9, 2), rng.integers(1, 5, 2), int(rng.integers(1, 4))
        padding = str(rng.choice(("SAME", "VALID")))
        if padding == "VALID" and (image < kernel).any():
            continue  # the engine refuses, too
        shape, size, strides = (1, *image, 1), tuple(map(int, kernel)), (stride, stride)
        outputs = places(shape, size, strides, zeros_around(shape, size, strides, padding))
        drawn.append({"x": rng.standard_normal(image), "W": rng.standard_normal(kernel), "b": rng.standard_normal(),
                      "da": rng.standard_normal(outputs), "stride": stride, "padding": padding})
    return drawn


def plain(case):
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in case.items()}


@pytest.fixture
def page(open_page):
    return open_page()


def test_forward_and_backward(page, writer):
    drawn = cases()
    computed = page.evaluate("cases => cases.map(Convolution.compute)", list(map(plain, drawn)))
    assert len({(case["x"].shape, case["W"].shape, case["stride"], case["padding"]) for case in drawn}) >= 200
    for case, here in zip(drawn, computed, strict=True):
        for name, expected in writer.convolved(**case).items():
            np.testing.assert_allclose(here[name], expected, rtol=0, atol=1e-12, err_msg=f"{name} of {case}")
    assert set(NAMES) == writer.convolved(**drawn[0]).keys()


def test_the_judge_agrees_with_the_engine(page, writer):
    """A finite difference of the loss that the page shows, at a random place of X, of W and at b."""
    rng, drawn = np.random.default_rng(1), cases(60, seed=2)
    for case in drawn:
        engine = writer.convolved(**case)
        for array in ("X", "W", "b"):
            gradient = np.atleast_2d(engine["d" + array])
            place = [int(rng.integers(size)) for size in gradient.shape]
            slope = page.evaluate("""([inputs, picked]) => ConvolutionJudge.difference(
                { inputs, picked, results: Convolution.compute(inputs) }).slope""",
                                  [plain(case), {"array": array, "place": place}])
            assert slope == pytest.approx(gradient[tuple(place)], abs=1e-9), (array, place, case)


def test_links_are_the_places_that_the_engine_sends_to(page, writer):
    """Where the engine's gradients are not 0 when a single da is not: the places that an output is linked to."""
    for case in cases(30, seed=3):
        sizes = page.evaluate("inputs => Convolution.compute(inputs).sizes", plain(case))
        for i, j in np.ndindex(case["da"].shape):
            da = np.zeros_like(case["da"])
            da[i, j] = 1
            sent = writer.convolved(**case | {"W": np.ones_like(case["W"]), "da": da})["dX"]
            found = page.evaluate("([sizes, picked]) => ConvolutionLinks.of(sizes, picked)",
                                  [sizes, {"array": "a", "place": [i, j]}])
            assert {tuple(link["X"]) for link in found} == set(zip(*map(tuple, np.nonzero(sent)), strict=True))


def test_what_is_typed(page):
    parse = "typed => Numbers.parse(typed).number ?? null"
    for typed, number in (("3", 3), ("−1.5", -1.5), ("-1,5", -1.5), (" .5 ", 0.5), ("", None), ("abc", None),
                          ("100", None), ("1e9", None), ("NaN", None), ("-", None)):
        assert page.evaluate(parse, typed) == number
    for number, digits, text in ((-0.001, 2, "0.00"), (-3, 0, "−3"), (2.5, 1, "2.5"), (0.126, 2, "0.13")):
        assert page.evaluate("([number, digits]) => Numbers.text(number, digits)", [number, digits]) == text
