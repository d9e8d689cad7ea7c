"""The convolution's view, operated: what is shown is what the engine computes, whatever was typed, chosen or picked."""
import numpy as np
import pytest

SLIDING, NUMBER = "2 The sliding kernel", "3 One number"


@pytest.fixture
def page(open_page):
    return open_page("#convolution", width=1600)


@pytest.fixture
def expected(page, shown, writer):
    """expected(stride, padding): what the engine makes of the inputs that the page shows."""
    def computed(stride=1, padding="SAME"):
        W, da, X = (np.array(shown(page, name)) for name in ("W", "da", "X"))
        inside = np.array(page.locator('figure[data-name="X"]:visible [role=gridcell]').evaluate_all(
            "cells => cells.map(cell => !cell.classList.contains('padding'))")).reshape(X.shape)
        x = X[np.ix_(inside.any(1), inside.any(0))]
        return writer.convolved(x, W, shown(page, "b")[0][0], da, stride, padding)
    return computed


def agrees(page, shown, results):
    for name in ("a", "dX", "dW"):
        np.testing.assert_allclose(shown(page, name), results[name], atol=5e-3 + 1e-9, err_msg=name)
    np.testing.assert_allclose(shown(page, "db"), [[results["db"]]], atol=5e-3 + 1e-9)


def test_at_first_the_page_shows_the_trace(page, shown, writer):
    trace = writer.traces()["convolution"]
    assert "written by the engine" in page.locator(".computed:visible").inner_text()
    agrees(page, shown, trace["results"])
    assert shown(page, "W") == [row[:3] for row in trace["drawn"]["W"][:3]]


def test_a_number_typed_by_keyboard_alone(page, shown, cell, expected):
    for _ in range(40):  # from the top of the page to the kernel
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('aria-label') || ''").startswith("W["):
            break
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("W[0,1] = −2, picked")
    page.keyboard.type("-1,5")
    page.keyboard.press("Enter")
    assert shown(page, "W")[0][1] == -1.5
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("W[0,1] = −1.5")
    assert "Computed by this page" in page.locator(".computed:visible").inner_text()
    agrees(page, shown, expected())
    page.keyboard.press("Enter")
    page.keyboard.type("7")
    page.keyboard.press("Escape")
    assert shown(page, "W")[0][1] == -1.5
    page.keyboard.press("F2")
    page.keyboard.type("abc")
    page.keyboard.press("Enter")
    assert shown(page, "W")[0][1] == -1.5
    assert "expected a number from −99 to 99" in page.locator('figure[data-name="W"]:visible .message').inner_text()
    page.get_by_role("button", name="As the engine wrote it").click()
    assert "written by the engine" in page.locator(".computed:visible").inner_text()


def test_each_input_can_be_changed(page, shown, cell, expected):
    for name, place in (("X", (2, 3)), ("W", (1, 1)), ("b", None), ("da", (0, 4))):
        where = cell(page, name, *place) if place else page.locator('figure[data-name="b"]:visible [role=gridcell]')
        where.dblclick()
        page.keyboard.type("2.25")
        page.keyboard.press("Enter")
        assert where.locator(".number").inner_text() == "2.25"
        agrees(page, shown, expected())
    cell(page, "X", 0, 0).dblclick()  # a zero of the padding stays one
    cell(page, "a", 0, 0).dblclick()
    assert page.locator("[role=gridcell] input").count() == 0


@pytest.mark.parametrize(("stride", "padding", "kernel", "rows", "columns"), [
    (2, "SAME", 3, 5, 5), (3, "SAME", 2, 6, 4), (1, "VALID", 4, 6, 5), (2, "VALID", 2, 5, 6), (1, "SAME", 4, 3, 3),
    (3, "VALID", 1, 4, 6), (2, "SAME", 1, 3, 6)])
def test_options(page, shown, expected, stride, padding, kernel, rows, columns):
    for label, value in (("Image rows", rows), ("Image columns", columns), ("Kernel", kernel), ("Stride", stride),
                         ("Padding", padding)):
        page.get_by_role("combobox", name=label, exact=True).select_option(str(value))
    assert np.shape(shown(page, "W")) == (kernel, kernel)
    results = expected(stride, padding)
    assert results["dx"].shape == (rows, columns)
    agrees(page, shown, results)


def test_a_kernel_that_fits_nowhere_is_refused(page, shown):
    page.get_by_role("combobox", name="Padding", exact=True).select_option("VALID")
    page.get_by_role("combobox", name="Kernel", exact=True).select_option("4")
    page.get_by_role("combobox", name="Image rows", exact=True).select_option("3")
    refusal = page.locator(".message[role=alert]:visible")
    assert "the kernel 4×4" in refusal.inner_text() and "Choose SAME" in refusal.inner_text()
    assert page.get_by_role("combobox", name="Image rows", exact=True).input_value() == "5"
    page.get_by_role("combobox", name="Image rows", exact=True).select_option("4")
    assert refusal.count() == 0 and len(shown(page, "X")) == 4


@pytest.mark.parametrize("stride", [1, 2])
def test_what_an_output_gradient_sends_and_where(page, cell, marked, expected, stride):
    """Linked is what the engine's gradients of a single da are not 0 at; the small numbers are these gradients."""
    page.get_by_role("combobox", name="Stride", exact=True).select_option(str(stride))
    cell(page, "da", 0, 1).click()
    page.keyboard.press("ArrowDown")  # moves and picks
    assert marked(page, "da", "picked") == marked(page, "a", "picked") == {(1, 1)}
    results = expected(stride)
    single = np.zeros_like(results["a"])
    single[1, 1] = 1
    linked = marked(page, "dX", "linked")
    assert linked == marked(page, "X", "linked") == {(stride + u, stride + v) for u in range(3) for v in range(3)}
    assert marked(page, "dW", "linked") == marked(page, "W", "linked") == {(u, v) for u in range(3) for v in range(3)}
    notes = page.locator('figure[data-name="dX"]:visible .note').all_inner_texts()
    sent = np.array([float(note.replace("−", "-") or 0) for note in notes]).reshape(np.shape(results["dX"]))
    weights = np.array([[float(text.replace("−", "-")) for text in row.locator(".number").all_inner_texts()]
                        for row in page.locator('figure[data-name="W"]:visible [role=row]').all()[1:]])
    gradient = float(cell(page, "da", 1, 1).locator(".number").inner_text().replace("−", "-"))
    np.testing.assert_allclose(sent[stride:stride + 3, stride:stride + 3], gradient * weights)
    assert np.count_nonzero(sent) == 9


def test_a_pixel_and_a_weight_the_other_way_round(page, cell, marked):
    cell(page, "dX", 0, 0).click()
    assert marked(page, "da", "linked") == {(0, 0)} and marked(page, "W", "linked") == {(0, 0)}
    cell(page, "X", 2, 3).click()
    assert marked(page, "da", "linked") == {(i, j) for i in (0, 1, 2) for j in (1, 2, 3)}
    cell(page, "dW", 2, 0).click()
    assert marked(page, "X", "linked") == {(i + 2, j) for i in range(5) for j in range(5)}
    assert len(marked(page, "da", "linked")) == 25


def test_the_mistake_is_marked_and_judged(page, shown, marked, cell, expected):
    page.get_by_label("kernel not rotated").check()
    right, wrong = (np.array(shown(page, name)) for name in ("dX", "dX not rotated"))
    np.testing.assert_array_equal(wrong, expected()["dX not rotated"])
    assert marked(page, "dX not rotated", "wrong") == set(zip(*map(tuple, np.nonzero(right != wrong)), strict=True))
    cell(page, "dX", 2, 2).click()
    verdicts = page.locator(".judge:visible li").all_inner_texts()
    assert [right[2, 2] == wrong[2, 2], "✓" in verdicts[0], "✗" in verdicts[1]] == [False, True, True]
    assert f"is {right[2, 2]:.4f}" in page.locator(".judge:visible").inner_text().replace("−", "-")
    for place in np.ndindex(3, 3):  # a kernel that is its own rotation hides the mistake
        cell(page, "W", *place).dblclick()
        page.keyboard.type("1")
        page.keyboard.press("Enter")
    assert marked(page, "dX not rotated", "wrong") == set()
    assert "not its own rotation" in page.locator(".judge:visible").inner_text()


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("slides", "name"), [("forward: a", "a"), ("backward: dX", "dX"), ("backward: dW", "dW")])
def test_sliding(page, shown, marked, expected, slides, name, stride):
    page.get_by_role("combobox", name="Stride", exact=True).select_option(str(stride))
    results = np.array(expected(stride)[name])
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
    assert page.locator(".where:visible").inner_text() == "place 4 of 25"
    page.clock.run_for(60000)
    assert page.locator(".where:visible").inner_text() == "place 25 of 25"
    assert page.get_by_role("button", name="Play").inner_text() == "Play"


def test_who_asks_for_less_motion_steps_by_hand(open_page):
    page = open_page("#convolution", reduced_motion="reduce")
    page.get_by_text(SLIDING).click()
    assert page.get_by_role("button", name="On").is_visible() and not page.locator(".play").first.is_visible()
    first = page.locator("[role=gridcell]:visible").first
    assert first.evaluate("cell => getComputedStyle(cell).transitionDuration") == "0s"


@pytest.mark.parametrize(("which", "name"), [("a", "a"), ("dX", "dX"), ("dW", "dW"), ("db", "db")])
def test_one_number_is_the_sum_of_the_products_written_out(page, cell, expected, which, name):
    results = expected()
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
