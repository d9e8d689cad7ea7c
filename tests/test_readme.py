"""What the README shows, works."""
import re
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_example_runs_and_every_gradient_of_it_passes(capsys):
    example, = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    losses = [float(line.split()[-1]) for line in lines if line.startswith("step")]
    assert losses == sorted(losses, reverse=True) and losses[-1] < 0.3
    assert [line.split()[1] for line in lines if not line.startswith("step")] == ["passed"] * 10


def test_every_file_it_points_to_is_there():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (Path(__file__).parents[1] / target).exists(), target


def test_it_has_one_command_to_run_and_one_to_test():
    run, test = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    assert "experiments/end2end.py" in run and "-m pytest" in test
