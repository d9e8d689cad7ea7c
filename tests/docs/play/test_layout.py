"""What every view owes its reader: it fits, it can be read, reached and heard, by day and by night."""
import json
import re

import pytest

MEASURE = """() => {
    const visible = (selector) => [...document.querySelectorAll(selector)].filter((found) => found.checkVisibility());
    const levels = () => document.querySelector('[role=tabpanel]:not([hidden]) fieldset').querySelectorAll('input');
    const measured = () => ({
        width: document.documentElement.scrollWidth,
        numbers: visible('[role=gridcell] .number').map((number) => {
            const range = document.createRange();
            range.selectNodeContents(number);
            const [cell, text] = [number.parentElement.getBoundingClientRect(), range.getBoundingClientRect()];
            return { text: number.textContent, room: Math.min(text.left - cell.left, cell.right - text.right),
                     size: parseFloat(getComputedStyle(number).fontSize) };
        }),
        nameless: visible('button, input, select, [role=grid], [role=gridcell]').filter((element) =>
            !(element.getAttribute('aria-label') || element.textContent.trim() ||
              element.closest('label')?.textContent.trim())).map((element) => element.outerHTML),
        stops: visible('[role=grid]').map((grid) => grid.querySelectorAll('[role=gridcell][tabindex="0"]').length),
    });
    const found = {};
    for (const tab of visible('[role=tab]')) {
        tab.click();
        for (const mistake of visible('main input[type=checkbox]').length ? [false, true] : [false]) {
            for (const box of visible('main input[type=checkbox]')) if (box.checked !== mistake) box.click();
            for (const level of levels()) {
                level.click();
                found[[tab.textContent, mistake ? 'mistake' : 'right', level.value].join()] = measured();
            }
        }
    }
    return JSON.stringify(found);
}"""


@pytest.mark.parametrize("width", [400, 900, 1600])
def test_every_view_at_every_zoom_level_fits_is_legible_and_has_names(open_page, play, width):
    """Nothing is wider than the window, each number fits into its cell and is large enough, each control has a name."""
    found = json.loads(open_page(width=width).evaluate(MEASURE))
    views = sum(path.read_text(encoding="utf-8").count("Views.add(") for path in play.glob("*_view.js"))
    assert len({name.split(",")[0] for name in found}) == views >= 3
    for name, measured in found.items():
        assert measured["width"] <= width, name
        assert measured["numbers"] and set(measured["stops"]) == {1}, name  # Tab reaches each matrix once
        assert measured["nameless"] == [], name
        for number in measured["numbers"]:
            assert number["room"] >= -0.5, (name, number)
            assert number["size"] >= {400: 11.5, 900: 14, 1600: 20}[width], (name, number)  # pixels


def test_picking_moves_nothing_below_the_pointer(open_page, cell):
    for width in (400, 900, 1600):
        page = open_page("#convolution", width=width)
        tops = set()
        for name, place in (("a", (1, 2)), ("X", (0, 0)), ("X", (2, 3)), ("W", (0, 1)), ("da", (2, 2))):
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


def test_every_view_names_the_file_of_its_derivation(play):
    for path in play.glob("*_view.js"):
        named, = re.findall(r'derivation: "(.+)"', path.read_text(encoding="utf-8"))
        assert (play.parents[1] / named).is_file(), path.name
