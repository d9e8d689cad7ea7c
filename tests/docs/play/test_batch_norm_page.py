"""Batch norm's view, operated: the three ways add up to the engine's dx, a way left out is marked and judged."""
import numpy as np
import pytest

WAYS = ("direct", "mean", "variance")


@pytest.fixture
def page(open_page):
    return open_page("#batch-norm", width=1600)


def number(text):
    return float(text.replace("−", "-"))


def row(shown, page, name):
    return shown(page, name)[0]


def gradients(page, shown, network_writer):
    """What the engine makes of the inputs that the page shows."""
    return network_writer.normalized(*(np.array(row(shown, page, name)) for name in ("x", "dy")),
                                     *(row(shown, page, name)[0] for name in ("c1", "c2")))


def agrees(page, shown, results):
    for name in ("mu", "var", "s", "xhat", "y", "g", "dm", "dv", "dc1", "dc2", "dx"):
        np.testing.assert_allclose(row(shown, page, name), np.atleast_1d(results[name]), atol=5e-3 + 1e-9, err_msg=name)
    np.testing.assert_allclose(row(shown, page, "finite difference"), results["dx"], atol=5e-3 + 1e-3)


def put(page, name, k, typed):
    page.locator(f'figure[data-name="{name}"]:visible [role=gridcell]').nth(k).dblclick()
    page.keyboard.type(typed)
    page.keyboard.press("Enter")


def leave_out(page, way):
    return page.locator(f'[data-way="{way}"]').get_by_label("Leave it out")


def shares(page):
    """The share of each way and the sum below, as the list writes them."""
    each = [number(page.locator(f'[data-way="{way}"] .share b').inner_text()) for way in WAYS]
    return each, page.locator(".ways .sum").inner_text()


def test_at_first_the_page_shows_the_trace(page, shown, network_writer):
    trace = network_writer.traces()["batch norm"]
    assert "written by the engine" in page.locator(".computed:visible").inner_text()
    agrees(page, shown, trace["results"])
    for formula in trace["formulas"].values():
        assert page.locator("code:visible", has_text=formula).count() == 1


def test_numbers_typed_by_keyboard_alone(page, shown, network_writer):
    for _ in range(40):  # from the top of the page to the batch
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('aria-label') || ''").startswith("x["):
            break
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "x[4] = 2, picked"
    assert page.locator(".ways h3").inner_text() == "The three ways from the loss to x[4]"
    page.keyboard.type("-3,5")
    page.keyboard.press("Enter")
    assert row(shown, page, "x")[4] == -3.5
    assert "Computed by this page" in page.locator(".computed:visible").inner_text()
    agrees(page, shown, gradients(page, shown, network_writer))
    leave_out(page, "mean").focus()
    page.keyboard.press("Space")
    assert leave_out(page, "mean").is_checked()
    page.get_by_role("button", name="As the engine wrote it").focus()
    page.keyboard.press("Enter")
    assert row(shown, page, "x")[4] == 2 and not leave_out(page, "mean").is_checked()


@pytest.mark.parametrize("seed", range(3))
def test_each_input_and_the_batch_can_be_changed(page, shown, network_writer, seed):
    rng = np.random.default_rng(seed)
    M = int(rng.integers(3, 9))
    page.get_by_role("combobox", name="Numbers in the batch").select_option(str(M))
    assert len(row(shown, page, "x")) == M
    for name, count in (("x", M), ("dy", M), ("c1", 1), ("c2", 1)):
        put(page, name, int(rng.integers(count)), f"{rng.uniform(-9, 9):.2f}")
        agrees(page, shown, gradients(page, shown, network_writer))


@pytest.mark.parametrize("k", range(6))
def test_the_ways_add_up(page, shown, network_writer, k):
    """In the list, in the drawing and in the bars; to the engine's dx."""
    page.locator('figure[data-name="dx"]:visible [role=gridcell]').nth(k).click()
    engine = gradients(page, shown, network_writer)
    each, total = shares(page)
    np.testing.assert_allclose(each, [engine[way][k] for way in WAYS], atol=5.1e-5)
    assert number(total.split("=")[2].split("(")[0]) == pytest.approx(engine["dx"][k], abs=5.1e-5)
    drawn = [number(text) for text in page.locator(".ways-drawing .share").all_text_contents()]
    assert drawn == each
    said = page.locator(".ways-drawing").get_attribute("aria-label").replace("−", "-")
    assert f"together {engine['dx'][k]:.4f}" in said
    bars = page.locator(".fill").evaluate_all("fills => fills.map(fill => fill.style)"
                                              ".map(({ left, width }) => [parseFloat(left), parseFloat(width)])")
    lengths = [width for _, width in bars]
    np.testing.assert_allclose(np.array(lengths) * np.abs(each).max(), np.abs(each) * max(lengths), atol=2e-2)


@pytest.mark.parametrize("left_out", [["direct"], ["mean"], ["variance"], ["mean", "variance"]])
def test_a_way_left_out_is_marked_and_judged(page, shown, marked, network_writer, left_out):
    assert page.locator('figure[data-name="dx with the mistake"]:visible').count() == 0
    for way in left_out:
        leave_out(page, way).check()
    engine = gradients(page, shown, network_writer)
    wrong = engine["dx"] - sum(engine[way] for way in left_out)
    np.testing.assert_allclose(row(shown, page, "dx with the mistake"), wrong, atol=5e-3 + 1e-9)
    assert marked(page, "dx with the mistake", "wrong") == {
        (0, k) for k in range(6) if abs(wrong[k] - engine["dx"][k]) > 1e-6}
    assert page.locator(".ways-drawing .left-out").count() == len(left_out)
    verdicts = page.locator(".judge:visible li").all_inner_texts()
    assert "✓" in verdicts[0] and "✗" in verdicts[1] and len(verdicts) == 2
    assert number(verdicts[1].split(" = ")[1].split(":")[0]) == pytest.approx(wrong[2], abs=1e-6)
    constants = page.get_by_label("mean and variance taken for constants")
    assert constants.is_checked() == (left_out == ["mean", "variance"])
    constants.set_checked(not constants.is_checked())
    assert [leave_out(page, way).is_checked() for way in WAYS] == (
        [False] * 3 if left_out == ["mean", "variance"] else [False, True, True])


def test_ones_give_zero_and_do_not_see_the_variance(page, shown, marked):
    assert "sees it if any one of the three ways is left out" in page.locator(".blindness").inner_text()
    page.get_by_role("button", name="dy = all ones").click()
    assert row(shown, page, "dy") == [1] * 6
    assert row(shown, page, "dx") == row(shown, page, "finite difference") == [0] * 6
    assert "dx is 0 whatever x is" in page.locator(".blindness").inner_text()
    assert page.locator(".blindness").inner_text().endswith("if this way is left out: through the variance.")
    leave_out(page, "variance").check()
    assert marked(page, "dx with the mistake", "wrong") == set()
    assert all("✓" in verdict for verdict in page.locator(".judge:visible li").all_inner_texts())
    put(page, "dy", 0, "2")  # one that differs, and the judge sees it
    assert len(marked(page, "dx with the mistake", "wrong")) >= 5
    leave_out(page, "variance").uncheck()
    page.get_by_role("button", name="dy = all ones").click()
    leave_out(page, "mean").check()  # this one ones do see
    assert len(marked(page, "dx with the mistake", "wrong")) == 6
    assert "✗" in page.locator(".judge:visible li").all_inner_texts()[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 900, 1600])
def test_nothing_is_cut_off(open_page, width, scheme):
    """With as many and as large numbers as can be typed; on a phone eight of them scroll in their own frame."""
    page = open_page("#batch-norm", width=width, color_scheme=scheme)
    page.get_by_role("combobox", name="Numbers in the batch").select_option("8")
    for name, k, typed in (("x", 0, "-98.76"), ("x", 1, "99"), ("dy", 2, "-98.76"), ("c1", 0, "-98.76")):
        put(page, name, k, typed)
    for way in WAYS:
        leave_out(page, way).set_checked(way == "mean")
    for k in (0, 2):
        page.locator('figure[data-name="x"]:visible [role=gridcell]').nth(k).click()
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert page.evaluate("""[...document.querySelectorAll('.batch-norm .number, .card')]
            .filter(each => each.offsetParent && each.scrollWidth > each.clientWidth + 1)
            .map(each => each.outerHTML)""") == []
        assert page.evaluate("""[...document.querySelectorAll('.ways-drawing text')].filter(text => {
            const box = text.getBBox(), node = text.parentNode.querySelector('rect');
            const room = node && text.parentNode.classList.contains('node') ? node.getBBox() : { x: 0, width: 380 };
            return box.x < room.x || box.x + box.width > room.x + room.width;
        }).map(text => text.textContent)""") == []
