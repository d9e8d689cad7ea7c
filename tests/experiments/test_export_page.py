"""What docs/export.md shows, works, and its metadata are those of a file."""
import json
import re
import shutil
from pathlib import Path

import pytest

from experiments import export, predict
from experiments.exporting.description import describe
from experiments.exporting.network import load_network

PAGE = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
IMAGE, OWN, TABLE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def executed(code):
    exec(compile(code, "export.md", "exec"), {})


@pytest.fixture
def runtime():
    for name in ("onnx", "onnxruntime"):
        pytest.importorskip(name, reason='needs the extra "onnx": pip install -e ".[onnx]"')


def test_an_image_by_onnxruntime(finished, drawn, runtime, tmp_path, monkeypatch, capsys, command):
    shutil.copy(sorted((drawn / "images").iterdir())[0], tmp_path / "image.png")
    monkeypatch.chdir(tmp_path)
    assert command(export.main, finished, "--onnx", "model.onnx")[0] == 0
    executed(IMAGE)
    shown = json.loads(capsys.readouterr().out)
    assert command(predict.main, finished, "image.png", "--json", "answers.json")[0] == 0
    assert json.loads(Path("answers.json").read_text())["images"][0]["probabilities"] == pytest.approx(shown, rel=1e-4)


def test_a_network_of_ones_own(runtime, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    executed(OWN)
    assert Path("unet.onnx").stat().st_size > 1000


def test_the_table(capsys):
    executed(TABLE)
    assert capsys.readouterr().out in PAGE


def test_the_metadata_are_those_that_are_listed(finished):
    said = re.search(r"^- Metadata: (.*?)\. What is no text", PAGE, re.DOTALL | re.MULTILINE)[1]
    assert set(re.findall(r"`(\w+)`", said)) == describe(load_network(finished)).texts().keys()
