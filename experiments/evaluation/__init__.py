"""What a classifier is worth: counts, ratios, ROC curves, and how sure one can be of them."""
