"""What docs/cuda.md says of memory is what the engine computes, and what it says to install is what setup.py has."""
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "cuda.md").read_text(encoding="utf-8")


def test_the_bytes_that_are_kept(capsys):
    code, = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "cuda.md", "exec"), {})
    shown = re.findall(r"```\n(VGG .*?)```", PAGE, re.DOTALL)
    assert [capsys.readouterr().out] == shown
    for network, said in (("VGG", r"50 images, needs ([\d.]+) GB"), ("U-net", r"U-net for as many ([\d.]+) GB")):
        line = re.search(rf"^{network} +(\d+) bytes a pixel, (\d+) MB", shown[0], re.MULTILINE)
        kept, parameters = map(int, line.groups())
        assert float(re.search(said, PAGE)[1]) == round((kept * 50 * 128**2 + parameters * 10**6) / 1e9, 1)


def test_the_extras_are_those_of_setup():
    there = set(re.findall(r'"(cuda\d+)": \["cupy-\1x\[ctk\]>=14"\]', (ROOT / "setup.py").read_text(encoding="utf-8")))
    assert there == set(re.findall(r"\.\[(cuda\w*)\]", PAGE)) == {"cuda12", "cuda13"}
