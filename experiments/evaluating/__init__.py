"""A trained run on another data set than its own: what evaluate.py alone needs."""
