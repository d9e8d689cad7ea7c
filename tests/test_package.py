"""What is distributed: the version in one place, the files that name it, and the contents of wheel and sdist."""
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_string
from importlib.metadata import version
from pathlib import Path

import pytest

from engine.version import PACKAGE, RELEASE, __version__

ROOT = Path(__file__).parents[1]
NAMES = ("engine", "models", "experiments", "exercises")
TEXTS = ("README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md")
DISTRIBUTED = ("*.py", "*.jinja", "py.typed", "*.cu", "*.cuh", "*.h", "*.cpp")
BUILD = """
import sys
from setuptools import build_meta
sys.stdout = sys.stderr  # what it tells; the answer alone goes to standard output
name = getattr(build_meta, sys.argv[1])(sys.argv[2])
print(name, file=sys.__stdout__)
"""


def number_of(text):
    return tuple(int(part) for part in text.removesuffix(".dev0").split("."))


def releases():
    return re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_version_is_one_of_a_release_or_before_one():
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev0)?", __version__) and f"{PACKAGE} {__version__}" == RELEASE


def test_the_changelog_knows_the_version():
    newest, *earlier = releases()
    if __version__.endswith(".dev0"):
        assert newest == "Unreleased" and number_of(__version__) > number_of(earlier[0])
    else:
        assert newest == __version__ or (newest, earlier[0]) == ("Unreleased", __version__)
    numbers = [number_of(each) for each in (newest, *earlier) if each != "Unreleased"]
    assert numbers == sorted(numbers, reverse=True)


def test_the_citation_names_the_version_the_licence_and_the_thesis():
    yaml = pytest.importorskip("yaml", reason="needs PyYAML, which Dask brings")
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["cff-version"] == "1.2.0" and cited["message"] and cited["authors"]
    assert (cited["title"], cited["version"], cited["license"]) == (PACKAGE, __version__, "MIT")
    thesis, = cited["references"]
    assert (thesis["type"], thesis["year"], thesis["number"]) == ("thesis", 2017, "TRITA-MAT-E 2017:78")
    assert thesis["title"] in re.sub(r"\s+", " ", (ROOT / "README.md").read_text(encoding="utf-8"))


def test_the_hooks_before_a_commit_fetch_nothing():
    yaml = pytest.importorskip("yaml", reason="needs PyYAML, which Dask brings")
    configured = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [each["repo"] for each in configured] == ["local"]
    assert {hook["id"]: hook["language"] for hook in configured[0]["hooks"]} == {"ruff": "system", "mypy": "system"}


def buildable():
    """Why the project cannot be built here, "" if it can be: without a network, by the setuptools that is here."""
    required, = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    try:
        here = version("setuptools")
    except ModuleNotFoundError:
        here = "0"
    return "" if int(here.split(".")[0]) >= int(required.removeprefix("setuptools>=")) else (
        f"needs {required}, found {here}: pip install -e \".[test]\"")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """(members of the sdist, members of the wheel that is built from it, the wheel's metadata)."""
    if reason := buildable():
        pytest.skip(reason)
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("out")
    for name in (*NAMES, "tests", "docs"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (*TEXTS, "setup.py", "pyproject.toml", "MANIFEST.in"):
        shutil.copy(ROOT / name, source / name)
    for stray in ("shared/data/image.pgm", "runs/end2end/report.html", "experiments/image.png", "data/labels.csv"):
        (source / stray).parent.mkdir(parents=True, exist_ok=True)
        (source / stray).write_text("not to be distributed")
    sdist = build("build_sdist", source, out)
    shutil.unpack_archive(sdist, out)
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    wheel = build("build_wheel", out / sdist.name.removesuffix(".tar.gz"), out)
    with zipfile.ZipFile(wheel) as archive:
        members = set(archive.namelist())
        metadata, = (archive.read(name).decode() for name in members if name.endswith(".dist-info/METADATA"))
    return packed, members, message_from_string(metadata)


def build(what, source, out):
    done = subprocess.run([sys.executable, "-c", BUILD, what, out], cwd=source, capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, done.stderr
    return out / done.stdout.strip()


def sources(*patterns):
    """Files of the packages, by their paths in the project."""
    return {path.relative_to(ROOT).as_posix() for name in NAMES for pattern in patterns
            for path in (ROOT / name).rglob(pattern)}


def test_the_wheel_has_every_module_template_and_mark_of_types_and_nothing_else(built):
    _, wheel, _ = built
    expected = sources(*DISTRIBUTED)
    assert len([name for name in expected if name.endswith("py.typed")]) == len(NAMES)
    assert any(name.endswith("report.html.jinja") for name in expected)
    assert {"engine/kernels/cuda/activations.cu", "engine/kernels/cuda/on_cpu/emulator.cpp"} <= expected
    assert {name for name in wheel if ".dist-info/" not in name} == expected
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel)


def test_the_sdist_has_the_sources_the_texts_and_the_tests_and_no_data(built):
    sdist, _, _ = built
    assert sources(*DISTRIBUTED) | set(TEXTS) | {"setup.py", "pyproject.toml"} <= sdist
    assert "tests/test_package.py" in sdist and "docs/contributing/layer.md" in sdist
    assert "experiments/image.png" not in sdist and not [
        name for name in sdist if name.startswith(("shared", "runs", "data"))]


def test_the_metadata(built):
    _, _, metadata = built
    assert (metadata["Name"], metadata["Version"]) == (PACKAGE, __version__)
    assert (metadata["License-Expression"], metadata["Requires-Python"]) == ("MIT", ">=3.11")
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload().startswith("# Mammograms from scratch")
    assert "Typing :: Typed" in metadata.get_all("Classifier") and "Project-URL" not in metadata
    assert set(metadata.get_all("Provides-Extra")) == {
        "cuda12", "cuda13", "dicom", "ddsm", "dask", "docs", "mpi", "onnx", "test", "xlsx"}
