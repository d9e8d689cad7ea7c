"""Kinds of tasks: a layer, a function of arrays. Each says what goes in, what is asked, and what must come out."""
