"""The two-layer network's view, operated: line by line as the engine computes, forwards and backwards."""
import numpy as np
import pytest

LINES = ["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "l.1", "2.1", *(f"2.{line}" for _ in (2, 1) for line in range(2, 7))]
WRITES = ["o0", None, "a1", "o1", "a2", "o2", "l", "do2", None, "da2", "db2", "dW2", "do1", None, "da1", "db1", "dW1",
          "do0"]
GIVEN = {"x": "o₀", "W1": "W₁", "b1": "b₁", "W2": "W₂", "b2": "b₂", "y": "y"}


@pytest.fixture
def page(open_page):
    return open_page("#network", width=1600)


def name(key):
    return key.replace("o2", "ŷ").translate(str.maketrans("012", "₀₁₂"))


def board(page, key):
    """All arrays stand below; an array of the step stands above, too, so this is the last of its name."""
    return page.locator(f'.network figure[data-name="{name(key)}"]:visible').last


def numbers(figure):
    rows = figure.locator('[role="row"]').evaluate_all(
        "rows => rows.map(row => [...row.querySelectorAll('.number')].map(number => number.textContent))")
    return [[None if text == "·" else float(text.replace("−", "-")) for text in row] for row in rows if row]


def button(page, text):
    return page.locator(".network .player").get_by_role("button", name=text, exact=True)


def computed(page, network_writer):
    """What the engine makes of the inputs that the page shows."""
    sigma = page.get_by_role("combobox", name="σ").input_value()
    return network_writer.propagated(*(np.array(numbers(board(page, key.replace("x", "o0")))) for key in GIVEN), sigma)


def agrees(page, results):
    """All that is written."""
    for key, value in results.items():
        shown = numbers(board(page, key))
        if shown[0][0] is not None:
            np.testing.assert_allclose(shown, np.atleast_2d(value), atol=5e-3 + 1e-9, err_msg=key)


def put(figure, place, typed):
    """Types a number; place counts through the rows."""
    figure.locator("[role=gridcell]").nth(place).dblclick()
    figure.page.keyboard.type(typed)
    figure.page.keyboard.press("Enter")


def written(page):
    return [key for key in dict.fromkeys(filter(None, WRITES)) if numbers(board(page, key))[0][0] is not None]


def test_every_line_in_turn_by_keyboard(page, network_writer):
    """Its cursor, what it writes, what it has written so far; forwards and backwards."""
    results = network_writer.traces()["network"]["results"]
    order = [*range(18), *range(16, -1, -3)]
    now = 0
    for step in order:
        button(page, "On" if step > now else "Back").focus()
        for _ in range(abs(step - now)):
            page.keyboard.press("Enter")
        now = step
        assert page.locator("[aria-current=step]").get_attribute("data-line") == LINES[step]
        assert page.locator(".network .where").inner_text() == f"step {step + 1} of 18"
        key = WRITES[step]
        panel = page.locator(".side.writes")
        assert panel.is_visible() == (key is not None)
        if key:
            np.testing.assert_allclose(numbers(panel.locator("figure")), np.atleast_2d(results[key]), atol=5e-3)
            assert board(page, key).get_attribute("data-state") == "written"
        done = dict.fromkeys(filter(None, WRITES[:step + 1]))
        if step % 3 == 2:
            assert written(page) == [each for each in dict.fromkeys(filter(None, WRITES)) if each in {*done, "o0"}]
            agrees(page, results)


def test_what_a_line_reads(page, network_writer):
    results = network_writer.traces()["network"]["results"]
    given = network_writer.traces()["network"]["drawn"]
    for step, reads in ((2, ["o0", "W1", "b1"]), (11, ["o1", "da2"]), (12, ["da2", "W2"]), (14, ["do1", "o1"])):
        button(page, "First").click()
        for _ in range(step):
            button(page, "On").click()
        figures = page.locator(".side.reads figure").all()
        assert [figure.get_attribute("data-name") for figure in figures] == [name(key) for key in reads]
        for key, figure in zip(reads, figures, strict=True):
            expected = np.atleast_2d(results.get(key, given.get(key)))
            expected = expected[:, :2] if key in ("W2", "b2") else expected
            np.testing.assert_allclose(numbers(figure), expected)
            assert board(page, key).get_attribute("data-state") == "read"


@pytest.mark.parametrize("sigma", ["ReLU", "sigmoid"])
def test_any_number_and_size_can_be_changed(page, network_writer, sigma):
    rng = np.random.default_rng(5)
    page.get_by_role("combobox", name="σ").select_option(sigma)
    button(page, "Last").click()
    for key in GIVEN:
        figure = board(page, key.replace("x", "o0"))
        put(figure, int(rng.integers(figure.locator("[role=gridcell]").count())), f"{rng.uniform(-3, 3):.2f}")
        agrees(page, computed(page, network_writer))
    for label, size in (("Inputs", 2), ("Outputs", 3), ("Hidden", 2)):
        page.get_by_role("combobox", name=label).select_option(str(size))
        agrees(page, computed(page, network_writer))
    assert np.shape(numbers(board(page, "dW1"))) == (2, 2) and np.shape(numbers(board(page, "dW2"))) == (2, 3)
    assert "Computed by this page" in page.locator(".computed:visible").inner_text()
    page.get_by_role("button", name="As the engine wrote it").click()
    assert "written by the engine" in page.locator(".computed:visible").inner_text()
    assert page.locator("[aria-current=step]").get_attribute("data-line") == "1.1"


def test_a_weight_typed_by_keyboard_is_judged(page, network_writer):
    button(page, "Last").click()
    board(page, "W2").locator("[role=gridcell][tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.type("1.5")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "W₂[1,1] = 1.5, picked"
    right = computed(page, network_writer)["dW2"][1, 1]
    verdict, = page.locator(".judge:visible li").all_inner_texts()
    assert verdict.replace("−", "-") == f"dW₂[1,1] = {right:.6f}: ✓ the same"


def test_the_judge_waits_for_the_line_that_writes(page):
    board(page, "b1").locator("[role=gridcell]").nth(2).click()
    judge = page.locator(".judge:visible li")
    assert "db₁[2] is not written yet" in judge.inner_text()
    for _ in range(15):
        button(page, "On").click()
    assert "db₁[2] = −1.000000: ✓ the same" in judge.inner_text()
    board(page, "o0").locator("[role=gridcell]").nth(0).click()
    assert "do₀[0] is not written yet" in judge.inner_text()


def test_the_number_at_the_cursor_is_worked_out(page):
    button(page, "Last").click()
    panel = page.locator(".side.writes figure")
    panel.locator("[role=gridcell]").nth(2).click()
    page.keyboard.press("ArrowLeft")
    assert panel.locator(".picked .number").inner_text() == "3"
    sums = page.locator(".worked-number .sum").all_inner_texts()
    assert sums == ["do₀[1] = da₁[0] W₁[1,0] + da₁[1] W₁[1,1] + da₁[2] W₁[1,2]",
                    "= 0 × (−2) + 2 × 2 + (−1) × 1 = 3"]
    linked = page.locator('.side.reads figure[data-name="W₁"] .linked').all_inner_texts()
    assert [text.strip() for text in linked] == ["−2", "2", "1"]
    assert "do₀[1] = 3.000000: ✓ the same" in page.locator(".judge:visible li").inner_text()


def test_the_misprint_where_the_shapes_allow(page, marked, network_writer):
    page.get_by_label("The misprint beside it").check()
    assert page.locator("[aria-current=step]").get_attribute("data-line") == "2.5"
    engine = computed(page, network_writer)
    G, o, right = engine["da1"][0], engine["o0"][0], engine["dW1"]
    wrong = np.broadcast_to(G * o, (3, 3))
    assert numbers(page.locator('figure[data-name="dW₁ as printed"]')) == wrong.tolist()
    assert marked(page, "dW₁ as printed", "wrong") == set(zip(*map(tuple, np.nonzero(wrong != right)), strict=True))
    assert "The diagonal is right" in page.locator(".mistaken").inner_text()
    verdicts = page.locator(".judge:visible li").all_inner_texts()
    assert "✓" in verdicts[0] and "✗" in verdicts[1]
    button(page, "On").click()
    assert numbers(page.locator('figure[data-name="do₀ as printed"]')) == (
        np.array(numbers(board(page, "W1"))) * G).tolist()
    assert "the sum over each row is missing" in page.locator(".mistaken").inner_text()


def test_the_misprint_where_they_do_not(page):
    page.get_by_role("combobox", name="Inputs").select_option("2")
    page.get_by_label("The misprint beside it").check()
    assert "G has 3 numbers, o₀ has 2: there is no element-wise product" in page.locator(".mistaken").inner_text()
    assert page.locator(".mistaken figure:visible").count() == 0
    assert "dW₁[0,1]" in page.locator(".judge:visible li").inner_text()  # and no verdict on what does not exist
    page.get_by_label("The misprint beside it").uncheck()
    assert not page.locator(".mistaken").is_visible() and page.locator(".printed:visible").count() == 0


def test_play_goes_through_the_lines(open_page):
    page = open_page("#network", locale="en-US")  # a window of its own: its clock stays a false one
    page.clock.install()
    button(page, "Play").click()
    page.clock.run_for(1500)
    assert page.locator("[aria-current=step]").get_attribute("data-line") == "1.3"
    page.clock.run_for(60000)
    assert page.locator("[aria-current=step]").get_attribute("data-line") == "2.6"
    assert button(page, "Play").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 900, 1600])
def test_nothing_is_cut_off(open_page, width, scheme):
    """At every line, with numbers as large as can be typed."""
    page = open_page("#network", width=width, color_scheme=scheme)
    page.get_by_role("combobox", name="σ").select_option("sigmoid")
    page.get_by_role("combobox", name="Outputs").select_option("3")
    for key in ("W1", "W2", "b2", "y"):
        put(board(page, key), 1, "-98.76")
    page.get_by_label("The misprint beside it").check()
    button(page, "First").click()
    for _ in LINES:
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert page.evaluate("""[...document.querySelectorAll('.network .matrix, .network .number, .line, .sum, .side')]
            .filter(each => each.offsetParent && each.scrollWidth > each.clientWidth + 1)
            .map(each => each.outerHTML)""") == []
        button(page, "On").click()
