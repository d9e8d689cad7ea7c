"""What CONTRIBUTING.md and docs/contributing show, works: the examples are run in a copy of the project."""
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "contributing"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SHOWN = re.compile(r"^`([\w/]+\.py)`:\n\n```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CHANGED = re.compile(r"```diff\n-(.*)\n\+(.*)\n```")
PLACES = re.compile(r"`((?:engine|models|experiments|tests|benchmarks|docs)/[\w/.]*)`")

# A mistake that one makes in each example, which its tests must catch: page, the right text, the wrong one.
MISTAKES = [
    ("layer", "xp.where(positive, dy, self.params[\"a\"] * dy)", "dy * 1"),
    ("layer", "xp.where(positive, xp.zeros_like(x), dy * x)", "dy * x"),
    ("layer", "return real(x) > 0", "return None"),
    ("loss", "(a / b * (y + alpha * (1 - y) - beta * y) - y) / b", "(a / b - y) / b"),
    ("data_set", "patient=place.parts[1]", "patient=place.parts[0]"),
    ("data_set", "file_fingerprint(*filter(None, (path, lesion)))", "file_fingerprint(path)"),
]


@pytest.fixture
def project(tmp_path):
    """project(page, right, wrong): the project with what the page shows, `right` in it replaced by `wrong`."""
    def written(page, right="", wrong=""):
        for name in ("engine", "models", "experiments"):
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        (tmp_path / "tests" / "engine").mkdir(parents=True)
        for name in ("pyproject.toml", "tests/engine/conftest.py"):
            shutil.copy(ROOT / name, tmp_path / name)
        for name, code in SHOWN.findall(PAGES[page]):
            path = tmp_path / name
            assert not path.exists(), f"{name} is a file of the project; expected an example of what it has not"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(code.replace(right, wrong) if right else code, encoding="utf-8")
        for before, after in CHANGED.findall(PAGES[page]):
            path = tmp_path / re.search(r"In `([\w/]+\.py)`", PAGES[page])[1]
            text = path.read_text(encoding="utf-8")
            assert text.count(f"{before}\n") == 1, f"{path.name} has not, or not once, the line {before}"
            path.write_text(text.replace(f"{before}\n", f"{after}\n"), encoding="utf-8")
        return tmp_path

    return written


def run_in(folder, *arguments):
    return subprocess.run([sys.executable, "-m", *arguments], cwd=folder, capture_output=True, text=True, timeout=300)


def its_tests(page):
    return [name for name, _ in SHOWN.findall(PAGES[page]) if name.startswith("tests/")]


@pytest.mark.parametrize("page", PAGES)
def test_an_example_works_as_it_stands(page, project):
    folder = project(page)
    done = run_in(folder, "pytest", "-p", "no:cacheprovider", *its_tests(page))
    assert done.returncode == 0 and "100%" in done.stdout, done.stdout
    styled = run_in(folder, "ruff", "check", "--no-cache", *(name for name, _ in SHOWN.findall(PAGES[page])))
    assert styled.returncode == 0, styled.stdout


@pytest.mark.parametrize(("page", "right", "wrong"), MISTAKES)
def test_a_mistake_in_an_example_is_caught_by_its_tests(page, right, wrong, project):
    assert PAGES[page].count(right) == 1
    done = run_in(project(page, right, wrong), "pytest", "-x", "-p", "no:cacheprovider", *its_tests(page))
    assert done.returncode == 1 and "FAILED" in done.stdout, done.stdout


def test_every_page_has_a_source_and_its_tests_and_nothing_that_is_not_run():
    assert sorted(PAGES) == ["data_set", "layer", "loss"] == sorted({page for page, _, _ in MISTAKES})
    for page, text in PAGES.items():
        assert len(SHOWN.findall(text)) == 2 and len(its_tests(page)) == 1, page
        kinds = [kind for kind, _ in FENCED.findall(text)]
        assert kinds.count("python") == 2 and kinds.count("diff") == len(CHANGED.findall(text)), page


@pytest.mark.parametrize("name", ["CONTRIBUTING", *PAGES])
def test_every_place_that_is_named_is_there(name):
    text, folder = (GUIDE, ROOT) if name == "CONTRIBUTING" else (PAGES[name], FOLDER)
    shown = {path for path, _ in SHOWN.findall(text)}
    for place in set(PLACES.findall(text)) - shown:
        assert (ROOT / place).exists(), place
    for test in re.findall(r"`(test_\w+\.py)`", text):
        assert list((ROOT / "tests").rglob(test)), test
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (folder / target).exists(), target
