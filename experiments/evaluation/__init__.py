"""What a classifier is worth: counts, ratios, ROC curves, and how sure one can be of them."""
from experiments.evaluation.classification import Evaluation, evaluate, evaluate_predictions
from experiments.evaluation.per_class import by_class

__all__ = ["Evaluation", "by_class", "evaluate", "evaluate_predictions"]
