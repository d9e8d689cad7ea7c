"""The views of max-pool and upsampling, operated."""
import numpy as np
import pytest


@pytest.fixture
def pooling(open_page):
    return open_page("#pooling", width=1600)


@pytest.fixture
def upsampling(open_page):
    return open_page("#upsampling", width=1600)


def inputs(page, shown):
    return {name: np.array(shown(page, name)) for name in ("x", "dy")}


def choose(page, **options):
    for label, value in options.items():
        page.get_by_role("combobox", name=label.replace("_", " "), exact=True).select_option(str(value))


def verdicts(page):
    return page.locator(".judge:visible li").all_inner_texts()


def number(text):
    return float(text.replace("−", "-").rsplit("=")[-1].split(":")[0])


def test_at_first_the_pages_show_the_traces(pooling, shown, writer, open_page):
    for address, trace in writer.traces().items():
        if address == "convolution":
            continue
        page = open_page(f"#{address}", width=1600)
        assert "written by the engine" in page.locator(".computed:visible").inner_text()
        for name in ("y", "dx"):
            assert shown(page, name) == trace["results"][name]


@pytest.mark.parametrize(("size", "stride", "rows", "columns"),
                         [(2, 1, 5, 4), (3, 2, 6, 5), (2, 3, 5, 6), (3, 1, 3, 3)])
def test_pooling_with_other_options(pooling, shown, writer, size, stride, rows, columns):
    choose(pooling, Image_rows=rows, Image_columns=columns, Window=size, Stride=stride)
    engine = writer.pooled(**inputs(pooling, shown), size=size, stride=stride)
    assert engine["dx"].shape == (rows, columns)
    for name in ("y", "dx"):
        np.testing.assert_array_equal(shown(pooling, name), engine[name])


def test_a_tie_made_by_hand_pays_the_first(pooling, shown, marked, cell, writer):
    place = writer.traces()["pooling"]["results"]["place"]
    cell(pooling, "y", 2, 2).click()
    assert place[2][2] in range(4)
    assert marked(pooling, "x", "first") == {(4 + place[2][2] // 2, 4 + place[2][2] % 2)}
    for p, q in ((4, 4), (4, 5), (5, 4), (5, 5)):
        cell(pooling, "x", p, q).dblclick()
        pooling.keyboard.type("9")
        pooling.keyboard.press("Enter")
    cell(pooling, "y", 2, 2).click()
    assert marked(pooling, "x", "first") == {(4, 4)} and marked(pooling, "x", "tie") == {(4, 5), (5, 4), (5, 5)}
    np.testing.assert_array_equal(shown(pooling, "dx"), writer.pooled(**inputs(pooling, shown), size=2, stride=2)["dx"])
    assert "the first of 4" in pooling.locator(".said:visible").inner_text()


def test_the_mistake_of_pooling(pooling, shown, marked, cell):
    pooling.get_by_label("every largest pixel of a tie is paid").check()
    right, wrong = (np.array(shown(pooling, name)) for name in ("dx", "dx, ties all paid"))
    differing = set(zip(*map(tuple, np.nonzero(right != wrong)), strict=True))
    assert marked(pooling, "dx, ties all paid", "wrong") == differing and differing
    x, dy = inputs(pooling, shown).values()
    level = x == x[next(iter(marked(pooling, "dx", "picked")))]
    told = verdicts(pooling)
    assert "✓" in told[0] and number(told[0]) == right[level].sum()
    assert "✗" in told[1] and number(told[1]) == wrong[level].sum()
    choose(pooling, Window=1, Stride=1)  # a window of one pixel has no tie
    assert marked(pooling, "dx, ties all paid", "wrong") == set()
    assert "No window has a tie" in pooling.locator(".judge:visible").inner_text()
    np.testing.assert_array_equal(shown(pooling, "dx"), shown(pooling, "dy"))
    assert dy.shape == (3, 3)


def test_a_window_that_fits_nowhere_is_refused(pooling, shown):
    choose(pooling, Window=3, Image_rows=2)
    assert "the window 3×3" in pooling.locator(".message[role=alert]:visible").inner_text()
    assert len(shown(pooling, "x")) == 6


@pytest.mark.parametrize(("factor", "rows", "columns"), [(2, 4, 2), (3, 2, 4)])
def test_upsampling_with_other_options_and_numbers(upsampling, shown, marked, cell, writer, factor, rows, columns):
    choose(upsampling, Factor=factor, Image_rows=rows, Image_columns=columns)
    cell(upsampling, "dy", 1, 2).dblclick()
    upsampling.keyboard.type("0.5")
    upsampling.keyboard.press("Enter")
    engine = writer.upsampled(**inputs(upsampling, shown), factor=factor)
    for name in ("y", "dx"):
        np.testing.assert_array_equal(shown(upsampling, name), engine[name])
    cell(upsampling, "x", 1, 1).click()
    copies = {(factor + u, factor + v) for u in range(factor) for v in range(factor)}
    assert marked(upsampling, "y", "linked") == marked(upsampling, "dy", "linked") == copies


def test_the_mistake_of_upsampling(upsampling, shown, cell):
    upsampling.get_by_label("the mean of the copies' gradients").check()
    np.testing.assert_allclose(np.array(shown(upsampling, "dx")) / 4, shown(upsampling, "dx as a mean"))
    cell(upsampling, "dx", 0, 0).click()
    told = verdicts(upsampling)
    assert shown(upsampling, "dx")[0][0] != 0
    assert "✓" in told[0] and "✗" in told[1] and number(told[0]) == shown(upsampling, "dx")[0][0]


@pytest.mark.parametrize(("address", "level"),
                         [("#pooling", "2 The sliding window"), ("#upsampling", "2 Copy by copy")])
def test_step_by_step(open_page, shown, marked, writer, address, level):
    page = open_page(address, width=1600)
    trace = writer.traces()[address[1:]]
    right, given = np.array(trace["results"]["dx"]), inputs(page, shown)["dy"]
    page.get_by_text(level).click()
    page.get_by_role("button", name="First").click()
    for step in range(4):
        assert sum(value is not None for row in shown(page, "y") for value in row) == step + 1
        assert np.sum(shown(page, "dx so far")) == pytest.approx(given.flat[:step + 1].sum())
        page.get_by_role("button", name="On").click()
    page.get_by_role("button", name="Last").click()
    np.testing.assert_array_equal(shown(page, "dx so far"), right)
    assert shown(page, "y") == trace["results"]["y"]


@pytest.mark.parametrize("address", ["#pooling", "#upsampling"])
@pytest.mark.parametrize(("which", "place"), [("y", (1, 1)), ("dx", (0, 0)), ("dx", (1, 2))])
def test_one_number_is_the_sum_of_the_products_written_out(open_page, shown, cell, writer, address, which, place):
    page = open_page(address, width=1600)
    page.get_by_text("3 One number").click()
    page.get_by_label(which, exact=True).check()
    cell(page, which, *place).click()
    value = writer.traces()[address[1:]]["results"][which][place[0]][place[1]]
    rows = [list(map(number, row.locator("td").all_inner_texts())) for row in page.locator("tbody tr").all()]
    assert value == number(page.locator(".result:visible").inner_text()) == rows[-1][-1]
    assert all(row[0] * row[1] == row[2] for row in rows) and sum(row[2] for row in rows) == value
    assert all("✓" in told for told in verdicts(page))
