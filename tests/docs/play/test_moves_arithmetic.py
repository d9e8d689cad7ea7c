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


def test_pooling(computed, writer):
    drawn, ties = pools(), 0
    for case, here in zip(drawn, computed("Pooling.compute", drawn), strict=True):
        for name, expected in writer.pooled(**case).items():
            np.testing.assert_allclose(here[name], expected, rtol=0, atol=1e-12, err_msg=f"{name} of {case}")
        ties += here["mistaken"] != here["dx"]
    assert ties > 100


def test_the_judge_of_pooling_is_right_at_ties(computed, writer):
    """All pixels of one level together: the engine's dx, summed over them, is the slope of the loss."""
    drawn = pools(60, seed=1)
    slopes = computed("given => PoolingJudge.difference(given, given.x[0][0]).slope", drawn)
    for case, slope in zip(drawn, slopes, strict=True):
        x, level = case["x"], case["x"][0, 0]
        higher, lower = (writer.pooled(**case | {"x": x + h * (x == level)})["y"] for h in (1e-3, -1e-3))
        assert slope == pytest.approx(np.sum(case["dy"] * (higher - lower)) / 2e-3, abs=1e-9)
        assert slope == pytest.approx(writer.pooled(**case)["dx"][x == level].sum(), abs=1e-9)


def test_upsampling(computed, writer):
    rng, drawn = np.random.default_rng(2), []
    for _ in range(200):
        image, factor = rng.integers(1, 7, 2), int(rng.integers(1, 5))
        drawn.append({"x": rng.standard_normal(image), "dy": rng.standard_normal(factor * image), "factor": factor})
    for case, here in zip(drawn, computed("Upsampling.compute", drawn), strict=True):
        for name, expected in writer.upsampled(**case).items():
            np.testing.assert_allclose(here[name], expected, rtol=0, atol=1e-12, err_msg=f"{name} of {case}")
