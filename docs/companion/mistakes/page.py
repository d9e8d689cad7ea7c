"""The page of the gallery: what was measured of each mistake, as Markdown, and its picture."""
from __future__ import annotations

from inspect import getsource

from IPython.display import Image, Markdown, display

from companion.mistakes.gallery import GALLERY
from companion.mistakes.mistake import Mistake
from companion.mistakes.pictures import draw
from companion.mistakes.training import LAST, STEPS, TEST

NEAR = 0.02  # scores that nobody would tell apart


def show(name: str) -> None:
    """The wrong lines, the picture, and what was measured."""
    mistake, = (one for one in GALLERY if one.name == name)
    display(Markdown(f"```python\n{getsource(mistake.wrong).rstrip()}\n```"))
    display(Image(draw(mistake)))
    display(Markdown(findings(mistake)))


def findings(mistake: Mistake) -> str:
    """The curve, the training, the check that catches it and the one that does not."""
    right, wrong = mistake.trained(mistake.right), mistake.trained(mistake.wrong)
    caught = ", ".join(f"`{result.parameter}` with a relative error of {result.error:.1g}"
                       for result in mistake.results(mistake.wrong) if not result.passed) or "nothing"
    weak = mistake.weak
    return "\n".join([
        f"- **The curve.** Of the right backward: {_judgement(mistake, mistake.right)}. Of the wrong one: "
        f"{_judgement(mistake, mistake.wrong)}.",
        f"- **The training.** After {STEPS} steps the loss, a mean of {LAST}, is {right.last:.3f} with the right "
        f"backward and {wrong.last:.3f} with the wrong one, the score on {TEST} new images {right.score:.3f} and "
        f"{wrong.score:.3f}: {outcome(mistake)}.",
        f"- **Caught** by `{'check_subgradient' if mistake.tied else 'check'}`: {caught}.",
        f"- **{'Missed' if weak.passes(mistake.wrong) else 'Caught, too,'}** by a check {weak.what}: it finds an error "
        f"of {weak.error(mistake.wrong):.1g}, its tolerance is {weak.tolerance:.0e}."])


def outcome(mistake: Mistake) -> str:
    """What the training lets somebody know who does not know the right one's score."""
    right, wrong = mistake.trained(mistake.right).score, mistake.trained(mistake.wrong).score
    if wrong >= right - NEAR:
        return "nobody would look for a mistake"
    return "it learns, but less" if wrong > right / 2 else "it does not learn"


def overview() -> str:
    """A row for every mistake, and how many trainings give it away."""
    rows = [f"| [{mistake.name.replace('-', ' ')}](#mistake-{mistake.name}) | {_largest(mistake)} | "
            f"{mistake.trained(mistake.right).score:.3f} | {mistake.trained(mistake.wrong).score:.3f} | "
            f"{outcome(mistake)} | {'passes' if mistake.weak.passes(mistake.wrong) else '**fails**'}: "
            f"{mistake.weak.what} |" for mistake in GALLERY]
    unnoticed = [mistake for mistake in GALLERY if outcome(mistake) == "nobody would look for a mistake"]
    return "\n".join(["| mistake | error that the check finds | score, right | score, wrong | the training | "
                      "a check that is too weak |", "|:--|--:|--:|--:|:--|:--|", *rows, "",
                      f"In {len(unnoticed)} of {len(GALLERY)} trainings the wrong backward's score on new images is "
                      f"no more than {NEAR} below the right one's: nobody would look for a mistake."])


def _largest(mistake: Mistake) -> str:
    return f"{max(result.error for result in mistake.results(mistake.wrong) if not result.passed):.1g}"


def _judgement(mistake: Mistake, kind: object) -> str:
    """Without the verdict in front of the colon."""
    return mistake.curve(kind).judgement.partition(": ")[2]
