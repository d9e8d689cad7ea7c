"""The convolution, nearer: the kernel slides through what the engine computes, and each number is a sum of products."""
import numpy as np
import pytest

SLIDING, NUMBER = "2 The sliding kernel", "3 One number"


@pytest.fixture
def page(open_page):
    """With zeros around the image, which the first state has not."""
    page = open_page("#convolution", width=1600)
    page.get_by_role("combobox", name="Padding", exact=True).select_option("SAME")
    return page


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("slides", "name"), [("forward: a", "a"), ("backward: dX", "dX"), ("backward: dW", "dW")])
def test_sliding(page, shown, marked, expected, slides, name, stride):
    page.get_by_role("combobox", name="Stride", exact=True).select_option(str(stride))
    results = np.array(expected(page, stride)[name])
    page.get_by_text(SLIDING).click()
    page.get_by_label(slides).check()
    page.get_by_role("button", name="First").click()
    for step in range(3):
        so_far = [number for row in shown(page, name) for number in row if number is not None]
        np.testing.assert_allclose(so_far, results.flat[:step + 1])
        total = page.locator(".sum:visible").inner_text().replace("−", "-")
        assert float(total.rsplit("=")[-1]) == results.flat[step]
        products = total.split("=")[1].replace("(", "").replace(")", "").split("+")
        assert sum(map(float, products)) == pytest.approx(results.flat[step])
        page.get_by_role("button", name="On").click()
    page.get_by_role("button", name="Last").click()
    np.testing.assert_allclose(shown(page, name), results)
    page.get_by_role("button", name="Back").click()
    assert shown(page, name)[-1][-1] is None
    field = {"a": "X", "dX": "D", "dW": "X"}[name]
    kernel = np.shape(shown(page, {"a": "W", "dX": "rot180(W)", "dW": "da"}[name]))
    assert len(marked(page, field, "kernel")) == kernel[0] * kernel[1]


def test_the_mistake_slides_beside_the_right_one(page, shown):
    page.get_by_label("kernel not rotated").check()
    page.get_by_text(SLIDING).click()
    assert np.array_equal(np.rot90(shown(page, "rot180(W)"), 2), shown(page, "W"))
    right, wrong = page.locator(".sum:visible").all_inner_texts()
    verdicts = page.locator(".judge:visible li").all_inner_texts()
    assert right.rsplit("= ")[-1] in verdicts[0] and wrong.rsplit("= ")[-1] in verdicts[1]
    assert "✓" in verdicts[0] and "✗" in verdicts[1]


def test_play_stops_at_the_end(open_page):
    page = open_page("#convolution", locale="en-GB")  # a window of its own: its clock stays a false one
    page.clock.install()
    page.get_by_text(SLIDING).click()
    page.get_by_role("button", name="First").click()
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(2200)
    assert page.locator(".where:visible").inner_text() == "place 4 of 9"
    page.clock.run_for(60000)
    assert page.locator(".where:visible").inner_text() == "place 9 of 9"
    assert page.get_by_role("button", name="Play").inner_text() == "Play"


def test_who_asks_for_less_motion_steps_by_hand(open_page):
    page = open_page("#convolution", reduced_motion="reduce")
    page.get_by_text(SLIDING).click()
    assert page.get_by_role("button", name="On").is_visible() and not page.locator(".play").first.is_visible()
    first = page.locator("[role=gridcell]:visible").first
    assert first.evaluate("cell => getComputedStyle(cell).transitionDuration") == "0s"


@pytest.mark.parametrize(("which", "name"), [("a", "a"), ("dX", "dX"), ("dW", "dW"), ("db", "db")])
def test_one_number_is_the_sum_of_the_products_written_out(page, cell, expected, which, name):
    results = expected(page)
    page.get_by_text(NUMBER).click()
    page.get_by_label(which, exact=True).check()
    value = results["db"] if which == "db" else np.array(results[name])[1, 1]
    if which != "db":
        cell(page, name, 1, 1).click()
    rows = [[float(text.replace("−", "-").rsplit("=")[-1] or "nan") for text in row.locator("td").all_inner_texts()]
            for row in page.locator("tbody tr").all()]
    assert float(page.locator(".result:visible").inner_text().replace("−", "-").split("=")[-1]) == value == rows[-1][-1]
    if which == "db":
        assert sum(row[0] for row in rows) == value
    else:
        start = 1 if which == "a" else 0
        assert all(row[0] * row[1] == row[2] for row in rows[start:])
        assert sum(row[2] for row in rows) == value
    verdicts = page.locator(".judge:visible li").all_inner_texts()
    assert len(verdicts) == (which != "a") and all("✓" in verdict for verdict in verdicts)
