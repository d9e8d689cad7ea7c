"""What the README shows, works."""
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *(path for folder in ("docs", "experiments", "benchmarks")
                                      for path in (ROOT / folder).rglob("*.md"))])


def test_the_example_runs_and_every_gradient_of_it_passes(capsys):
    example, = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    losses = [float(line.split()[-1]) for line in lines if line.startswith("step")]
    assert losses == sorted(losses, reverse=True) and losses[-1] < 0.3
    assert [line.split()[1] for line in lines if not line.startswith("step")] == ["passed"] * 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_points_to_is_there(page):
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\((?!http)([^)#]+)(?:#[^)]*)?\)", prose):
        assert (page.parent / target).exists(), target


def test_it_has_one_command_to_run_and_one_to_test():
    run, test = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    assert "experiments/end2end.py" in run and "-m pytest" in test
