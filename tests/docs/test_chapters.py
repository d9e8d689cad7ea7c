"""Every layer, combinator and loss that the engine hands out is named in a chapter of the companion."""
import inspect
import re
from pathlib import Path

import pytest

from engine import combinators, layers, losses
from engine.layer import Layer

CHAPTERS = Path(__file__).parents[2] / "docs" / "chapters"
CODE = re.compile(r"^(`{3,}).*?^\1|`[^`\n]+`", re.DOTALL | re.MULTILINE)  # cells, included sources, and in the text


def taught():
    """Names of the layers, of the combinators and of the losses; not those of types: `Loss` is none."""
    found = [name for module in (layers, combinators) for name in module.__all__
             if issubclass(getattr(module, name), Layer)]
    return found + [name for name in losses.__all__ if inspect.isfunction(getattr(losses, name))]


def missing(text, names):
    """Names that stand nowhere in the code of a page as words of their own. In prose "skip" and "dice" say nothing."""
    code = "\n".join(found[0] for found in CODE.finditer(text))
    return [name for name in names if not re.search(rf"\b{name}\b", code)]


def test_every_layer_and_loss_has_a_chapter():
    text = "\n".join(page.read_text(encoding="utf-8") for page in sorted(CHAPTERS.glob("*.md")))
    assert not (absent := missing(text, taught())), f"named in no chapter of docs/chapters: {', '.join(absent)}"


def test_what_is_taught():
    names = taught()
    assert {"Conv2D", "Activation", "PooledNorm", "SlicedStage", "dice", "from_logits"} <= set(names)
    assert "Loss" not in names and len(names) == len(set(names)) > 30


@pytest.mark.parametrize(("text", "absent"), [
    ("the class `Skip` joins", []),
    ("`combinators.Skip(...)`", []),
    ("```{code-cell} ipython3\nlayer = Skip(conv)\n```\n", []),
    ("```{literalinclude} shortcut.py\n:pyobject: Skip.forward\n```\n", []),
    ("Skip this page.", ["Skip"]),
    ("`a` Skip `b`", ["Skip"]),
    ("```{code-cell} ipython3\nx = 1\n```\nSkip it.\n```{code-cell} ipython3\ny = 1\n```\n", ["Skip"]),
    ("`SkipAll` and `a_Skip`", ["Skip"]),
])
def test_a_name_counts_in_code_and_as_a_word_of_its_own(text, absent):
    assert missing(text, ["Skip"]) == absent
