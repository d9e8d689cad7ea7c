"""Exercises on the engine's derivations, judged by properties: see README.md, and `python -m exercises --help`."""
