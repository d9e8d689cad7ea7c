"""The convolution, the layer: what is shown is what the engine computes, whatever is typed, chosen or picked."""
import numpy as np
import pytest


@pytest.fixture
def page(open_page):
    """With zeros around the image, which the first state has not."""
    page = open_page("#convolution", width=1600)
    page.get_by_role("combobox", name="Padding", exact=True).select_option("SAME")
    return page


def agrees(page, shown, results):
    for name in ("a", "dX", "dW"):
        np.testing.assert_allclose(shown(page, name), results[name], atol=5e-3 + 1e-9, err_msg=name)
    np.testing.assert_allclose(shown(page, "db"), [[results["db"]]], atol=5e-3 + 1e-9)


def test_at_first_the_page_shows_the_trace(open_page, shown, writer):
    page = open_page("#convolution", width=1600)
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
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("W[0,1] = 0, picked")
    page.keyboard.type("-1,5")
    page.keyboard.press("Enter")
    assert shown(page, "W")[0][1] == -1.5
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("W[0,1] = −1.5")
    assert "Computed by this page" in page.locator(".computed:visible").inner_text()
    agrees(page, shown, expected(page))
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
        agrees(page, shown, expected(page))
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
    results = expected(page, stride, padding)
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
    """Linked is wherever a weight lies; the small numbers are the gradients that this single da sends there."""
    page.get_by_role("combobox", name="Stride", exact=True).select_option(str(stride))
    cell(page, "da", 0, 1).click()
    page.keyboard.press("ArrowDown")  # moves and picks
    assert marked(page, "da", "picked") == marked(page, "a", "picked") == {(1, 1)}
    results = expected(page, stride)
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
    assert np.count_nonzero(sent) == np.count_nonzero(weights) > 0  # and nothing elsewhere


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
    np.testing.assert_array_equal(wrong, expected(page)["dX not rotated"])
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
