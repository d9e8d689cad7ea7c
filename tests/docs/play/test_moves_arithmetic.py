"""The page's max-pool and upsampling against the engine's, in the browser, on random shapes and values."""
import numpy as np
import pytest


def pools(count=200, seed=0):
    """Few grey levels, so that there are ties; windows 1 to 4, strides 1 to 4, overlapping, apart, or side by side."""
    rng, drawn = np.random.default_rng(seed), []
    while len(drawn) < count:
        image, size, stride = rng.integers(1, 9, 2), int(rng.integers(1, 5)), int(rng.integers(1, 5))
        if (image < size).any():
            continue  # the engine refuses, too
        drawn.append({"x": rng.integers(0, 4, image) + rng.choice((0, 0.25)), "size": size, "stride": stride,
                      "dy": rng.standard_normal((image - size) // stride + 1)})
    return drawn


def plain(case):
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in case.items()}


@pytest.fixture
def page(open_page):
    return open_page()


def test_pooling(page, writer):
    drawn = pools()
    computed = page.evaluate("cases => cases.map(Pooling.compute)", list(map(plain, drawn)))
    ties = 0
    for case, here in zip(drawn, computed, strict=True):
        for name, expected in writer.pooled(**case).items():
            np.testing.assert_allclose(here[name], expected, rtol=0, atol=1e-12, err_msg=f"{name} of {case}")
        ties += here["mistaken"] != here["dx"]
    assert ties > 100


def test_the_judge_of_pooling_is_right_at_ties(page, writer):
    """All pixels of one level together: the engine's dx, summed over them, is the slope of the loss."""
    for case in pools(60, seed=1):
        x, level = case["x"], case["x"].flat[0]
        higher, lower = (writer.pooled(**case | {"x": x + h * (x == level)})["y"] for h in (1e-3, -1e-3))
        slope = np.sum(case["dy"] * (higher - lower)) / 2e-3
        here = page.evaluate("""([given, level]) => Matrices.difference(([[h]]) => Pooling.loss(given.x.map((row) =>
            row.map((number) => (number === level ? number + h : number))), given), [[0]], 0, 0, 0.001).slope""",
                             [plain(case), level])
        assert here == pytest.approx(slope, abs=1e-9)
        assert here == pytest.approx(writer.pooled(**case)["dx"][case["x"] == level].sum(), abs=1e-9)


def test_upsampling(page, writer):
    rng, drawn = np.random.default_rng(2), []
    for _ in range(200):
        image, factor = rng.integers(1, 7, 2), int(rng.integers(1, 5))
        drawn.append({"x": rng.standard_normal(image), "dy": rng.standard_normal(factor * image), "factor": factor})
    computed = page.evaluate("cases => cases.map(Upsampling.compute)", list(map(plain, drawn)))
    for case, here in zip(drawn, computed, strict=True):
        for name, expected in writer.upsampled(**case).items():
            np.testing.assert_allclose(here[name], expected, rtol=0, atol=1e-12, err_msg=f"{name} of {case}")
