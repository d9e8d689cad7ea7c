"""What a classifier is worth: counts, ratios, ROC curves, and how sure one can be of them."""
from experiments.evaluation.classification import by_class, evaluate

__all__ = ["by_class", "evaluate"]
