"""The page's convolution against the engine's, in the browser, on random shapes and values."""
import numpy as np

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


def test_forward_and_backward(computed, writer):
    drawn = cases()
    assert len({(case["x"].shape, case["W"].shape, case["stride"], case["padding"]) for case in drawn}) >= 200
    for case, here in zip(drawn, computed("Convolution.compute", drawn), strict=True):
        engine = writer.convolved(**case)
        assert set(NAMES) == engine.keys()
        for name, expected in engine.items():
            np.testing.assert_allclose(here[name], expected, rtol=0, atol=1e-12, err_msg=f"{name} of {case}")


def test_the_judge_agrees_with_the_engine(computed, writer):
    """A finite difference of the loss that the page shows, at a random place of X, of W and at b."""
    rng, asked, gradients = np.random.default_rng(1), [], []
    for case in cases(60, seed=2):
        engine = writer.convolved(**case)
        for array in ("X", "W", "b"):
            gradient = np.atleast_2d(engine["d" + array])
            place = [int(rng.integers(size)) for size in gradient.shape]
            asked.append([case, {"array": array, "place": place}])
            gradients.append(gradient[tuple(place)])
    slopes = computed("""([inputs, picked]) => ConvolutionJudge.difference(
        { inputs, picked, results: Convolution.compute(inputs) }).slope""", asked)
    np.testing.assert_allclose(slopes, gradients, rtol=0, atol=1e-9)


def test_links_are_the_places_that_the_engine_sends_to(computed, writer):
    """Where the engine's gradients are not 0 when a single da is not: the places that an output is linked to."""
    asked, sent = [], []
    for case in cases(30, seed=3):
        for i, j in np.ndindex(case["da"].shape):
            da = np.zeros_like(case["da"])
            da[i, j] = 1
            asked.append([case, {"array": "a", "place": [i, j]}])
            sent.append(writer.convolved(**case | {"W": np.ones_like(case["W"]), "da": da})["dX"])
    found = computed("([inputs, picked]) => ConvolutionLinks.of(Convolution.compute(inputs).sizes, picked)", asked)
    for links, gradient in zip(found, sent, strict=True):
        assert {tuple(link["X"]) for link in links} == set(zip(*map(tuple, np.nonzero(gradient)), strict=True))


def test_what_is_typed_and_shown(computed):
    typed = {"3": 3, "−1.5": -1.5, "-1,5": -1.5, " .5 ": 0.5, "99": 99, "": None, "abc": None, "100": None, "1e9": None,
             "NaN": None, "-": None, "1 2": None}
    assert computed("typed => Numbers.parse(typed).number ?? null", list(typed)) == list(typed.values())
    texts = {"0.00": (-0.001, 2), "−3": (-3, 0), "2.5": (2.5, 1), "0.13": (0.126, 2), "0": (-0.4, 0)}
    assert computed("([number, digits]) => Numbers.text(number, digits)", list(texts.values())) == list(texts)
