"""What every view owes its reader: it fits, it can be read, reached and heard, by day and by night."""
import re

import pytest

CONTROLS = ("button", "input", "select", "[role=grid]", "[role=gridcell]")
MISTAKE = ".view > .row input[type=checkbox]:visible"  # the ways of batch norm have their own


@pytest.fixture
def visit(open_page):
    """visit(width): every view at every zoom level, without and with the mistake, as (page, where)."""
    def all_of(width, **settings):
        page = open_page(width=width, **settings)
        for tab in page.get_by_role("tab").all():
            tab.click()
            mistakes = page.locator(MISTAKE)
            for mistake in (False, True):
                if mistakes.count():
                    mistakes.set_checked(mistake)
                zooms = page.locator(".view > fieldset:visible").get_by_role("radio").all()
                if not zooms:  # a single level
                    yield page, (tab.inner_text(), mistake)
                for zoom in zooms:
                    zoom.check()
                    yield page, (tab.inner_text(), mistake, zoom.get_attribute("value"))
    return all_of


@pytest.mark.parametrize("width", [400, 900, 1600])
def test_nothing_is_wider_than_the_window(visit, width):
    for page, where in visit(width):
        assert page.evaluate("document.documentElement.scrollWidth") <= width, where


@pytest.mark.parametrize("width", [400, 1600])
def test_numbers_fit_into_their_cells_and_can_be_read(visit, width):
    for page, where in visit(width):
        sizes = page.locator("[role=gridcell]:visible").evaluate_all("""cells => cells.map((cell) => {
            const range = document.createRange();
            range.selectNodeContents(cell.querySelector('.number'));
            const [box, text] = [cell.getBoundingClientRect(), range.getBoundingClientRect()];
            return [text.left - box.left, box.right - text.right,
                    parseFloat(getComputedStyle(cell.querySelector('.number')).fontSize)];
        })""")
        assert min(min(left, right) for left, right, _ in sizes) >= -0.5, where
        assert min(size for _, _, size in sizes) >= (20 if width == 1600 else 12), where  # projected: large


def test_every_control_and_number_has_a_name_and_tab_reaches_each_matrix_once(visit):
    for page, where in visit(900):
        nameless = page.locator(", ".join(f"{kind}:visible" for kind in CONTROLS)).evaluate_all("""elements =>
            elements.filter((element) => !(element.getAttribute('aria-label') || element.textContent.trim() ||
                                           element.closest('label')?.textContent.trim()))
                    .map((element) => element.outerHTML)""")
        assert nameless == [], where
        reached = page.locator("[role=grid]:visible").evaluate_all(
            "grids => grids.map(grid => grid.querySelectorAll('[role=gridcell][tabindex=\"0\"]').length)")
        assert set(reached) == {1}, where


def test_picking_moves_nothing_below_the_pointer(open_page, cell):
    for width in (400, 900, 1600):
        page = open_page("#convolution", width=width)
        tops = set()
        for name, place in (("a", (1, 2)), ("X", (0, 0)), ("X", (2, 3)), ("W", (0, 1)), ("da", (4, 4))):
            cell(page, name, *place).click()
            first = page.locator("[role=grid]:visible").first
            tops.add(first.evaluate("grid => Math.round(grid.getBoundingClientRect().top + window.scrollY)"))
        assert len(tops) == 1, width


def test_tabs_by_keyboard_and_by_address(open_page):
    page = open_page("#pooling")
    assert page.get_by_role("tab", selected=True).inner_text() == "Max-pool"
    page.get_by_role("tab", selected=True).focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile("#upsampling$"))
    assert page.get_by_role("tabpanel").get_by_role("heading", level=2).inner_text() == "Upsampling"
    page.go_back()
    assert page.get_by_role("tabpanel").get_by_role("heading", level=2).inner_text() == "Max-pool"


def luminance(colour):
    channels = [int(colour[k:k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(open_page, play, scheme):
    """WCAG 2.2: 4.5 for text (1.4.3), 3 for the marks' borders (1.4.11), on what lies below them."""
    page = open_page(color_scheme=scheme)
    names = sorted(set(re.findall(r"--([\w-]+): #", (play / "style.css").read_text(encoding="utf-8"))))
    colours = page.evaluate("""names => Object.fromEntries(names.map((name) =>
        [name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()]))""", names)
    fills = [name for name in colours if name.endswith("-fill")]
    assert len(fills) >= 5
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb({}, {}, {})".format(
        *(int(colours["paper"][k:k + 2], 16) for k in (1, 3, 5)))
    for paper in ("paper", "panel", *fills):
        assert contrast(colours["ink"], colours[paper]) >= 4.5, paper
    for text in ("quiet", "passes", "wrong"):
        assert contrast(colours[text], colours["paper"]) >= 4.5, text
    for fill in fills:
        border = colours[fill.removesuffix("-fill")]
        assert contrast(border, colours["paper"]) >= 3 and contrast(border, colours[fill]) >= 3, fill


def test_every_mark_is_more_than_a_colour(open_page, play):
    """Without its hues each mark still differs: in the border's style or width, a pattern, a sign or a type."""
    page = open_page()
    page.locator("details").evaluate("details => { details.open = true; }")
    looks = page.locator(".legend .sample").evaluate_all("""samples => samples.map((sample) => {
        const [own, border, sign] = [null, '::before', '::after'].map((part) => getComputedStyle(sample, part));
        return [border.borderStyle, border.borderWidth, sign.content, own.borderStyle,
                own.backgroundImage === 'none' ? 'plain' : 'pattern'].join();
    })""")
    assert len(looks) == len(set(looks)) >= 8
    assert "http" not in (play / "style.css").read_text(encoding="utf-8")


def test_equation_numbers_are_those_of_the_engine(play):
    """Every (3.x) that the page's scripts print stands in the docstrings of the layers or of the protocol."""
    engine = "".join(path.read_text(encoding="utf-8") for path in (play.parents[1] / "engine").rglob("*.py"))
    for path in (*play.glob("*.js"), play / "index.html"):
        for found in re.findall(r"\(3\.\d+\)", path.read_text(encoding="utf-8")):
            assert found in engine, (path.name, found)
