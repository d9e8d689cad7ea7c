"""The page in a real browser, and the engine's side of every comparison."""
import importlib.util
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

PLAY = Path(__file__).parents[3] / "docs" / "play"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="session")
def play():
    """The folder of the page."""
    return PLAY


@pytest.fixture(scope="session")
def writer():
    """docs/play/write_traces.py as a module: what the engine computes."""
    spec = importlib.util.spec_from_file_location("write_traces", PLAY / "write_traces.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def network_writer():
    """docs/play/write_network_traces.py as a module; it imports its neighbour write_traces."""
    sys.path.insert(0, str(PLAY))
    try:
        spec = importlib.util.spec_from_file_location("write_network_traces", PLAY / "write_network_traces.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(PLAY))
    return module


@pytest.fixture(scope="session")
def browser():
    """Chromium, with a profile of its own that goes with it."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on the PATH: the page was not opened. apt-get install chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.skip("no Playwright: the page was not opened. pip install playwright")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def window(browser):
    """window(width=900, color_scheme="dark"): a page and what it complained of; one for each setting, opened once."""
    windows = {}

    def watched(width, settings):
        page = browser.new_context(viewport={"width": width, "height": 900}, **settings).new_page()
        page.set_default_timeout(20000)
        complaints = []
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", lambda request: complaints.append(f"request: {request.url}")
                if not request.url.startswith((PLAY.as_uri(), "data:", "about:")) else None)
        return page, complaints

    def found(width, **settings):
        key = (width, *sorted(settings.items()))
        if key not in windows:
            windows[key] = watched(width, settings)
        return windows[key]

    return found


@pytest.fixture
def open_page(window):
    """open_page("#pooling", width=400) opens the page anew; afterwards it must have said and asked for nothing."""
    complained = []

    def opened(address="", width=900, **settings):
        page, complaints = window(width, **settings)
        complained.append(complaints)
        page.goto("about:blank")
        page.goto((PLAY / "index.html").as_uri() + address)
        return page

    yield opened
    assert [complaint for complaints in complained for complaint in complaints] == []


@pytest.fixture
def computed(open_page):
    """computed("Pooling.compute", cases): what a function of the page makes of each case; arrays travel as JSON."""
    page = open_page()

    def called(function, cases):
        text = json.dumps(cases, default=lambda array: array.tolist())
        return json.loads(page.evaluate(f"text => JSON.stringify(JSON.parse(text).map(given => ({function})(given)))",
                                        text))

    return called


@pytest.fixture
def shown():
    """shown(page, "dX"): the numbers that a visible matrix shows, as rows; None for a place not computed yet."""

    def numbers(page, name):
        rows = page.locator(f'figure[data-name="{name}"]:visible').first.locator('[role="row"]').evaluate_all(
            "rows => rows.map(row => [...row.querySelectorAll('.number')].map(number => number.textContent))")
        return [[None if text == "·" else float(text.replace("−", "-")) for text in row] for row in rows if row]

    return numbers


@pytest.fixture
def marked():
    """marked(page, "dX", "linked"): the places of a visible matrix that carry a mark."""

    def places(page, name, mark):
        rows = page.locator(f'figure[data-name="{name}"]:visible').first.locator('[role="row"]').evaluate_all(
            "(rows, mark) => rows.map(row => [...row.querySelectorAll('[role=gridcell]')]"
            ".map(cell => cell.classList.contains(mark)))", mark)
        return {(i, j) for i, row in enumerate(filter(None, rows)) for j, yes in enumerate(row) if yes}

    return places


@pytest.fixture
def cell():
    """cell(page, "W", 0, 1): one number of a visible matrix, to click or to focus."""
    return lambda page, name, i, j: page.locator(f'figure[data-name="{name}"]:visible').first.get_by_label(
        f"{name}[{i},{j}] =")


@pytest.fixture
def expected(shown, writer):
    """expected(page, stride, padding): what the engine makes of the inputs that the convolution's layer shows."""

    def computed(page, stride=1, padding="SAME"):
        X, W, da = (np.array(shown(page, name)) for name in ("X", "W", "da"))
        pixels = np.array(page.locator('figure[data-name="X"]:visible [role=gridcell]').evaluate_all(
            "cells => cells.map(cell => !cell.classList.contains('padding'))")).reshape(X.shape)
        x = X[np.ix_(pixels.any(1), pixels.any(0))]
        return writer.convolved(x, W, shown(page, "b")[0][0], da, stride, padding)

    return computed
