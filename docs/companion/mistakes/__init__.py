"""The gallery of wrong backwards: classic mistakes, what shows them, and what does not.

    for mistake in GALLERY:
        print(mistake.name, [result.parameter for result in mistake.results(mistake.wrong) if not result.passed])
"""
from companion.mistakes.gallery import GALLERY
from companion.mistakes.mistake import Mistake, Weak

__all__ = ["GALLERY", "Mistake", "Weak"]
