"""95 % intervals by patient that also hold for few cases.

Images of one woman resemble one another, so they are not independent observations: all variances are between patients.
The percentiles of bootstrap resamples, which are the usual answer, are too narrow where cases are few: measured at 8
positive and 36 negative patients (300 simulated test sets), those of the AUROC covered 95, 92 and 86 % at true areas of
0.5, 0.8 and 0.95, and at 5 and 200 patients 86, 85 and 76 %; where no error was made they had no width at all. Used
here instead, each with its source and what it covers:

    proportion       accuracy, recall: exact binomial with the effective number of images (Korn & Graubard 1998)
    area             AUROC: score interval (Newcombe 2006), widened by the clustered DeLong variance (Obuchowski 1997)
    partial_area     AUROC up to a false positive rate of 0.1: score interval as that of `area`
    mean             Brier score: Student's interval on the scale of the logit
    combine          means and differences of these, which share patients (Zou & Donner 2008)
    delong           DeLong's test of such a difference, which reviewers expect; it covers less

An interval is undefined (NaN) with fewer than two patients, and that of an AUROC, whole or partial, with fewer than two
positive or negative ones: one patient says nothing of how patients differ. A figure of exactly 0 or 1 has an interval
with a width.
"""
from experiments.evaluation.intervals.area import area
from experiments.evaluation.intervals.classifier import ClassifierEstimates, classifier_estimates
from experiments.evaluation.intervals.delong import DeLong, delong
from experiments.evaluation.intervals.estimate import Estimate, Interval, combine
from experiments.evaluation.intervals.mean import mean
from experiments.evaluation.intervals.partial_area import partial_area
from experiments.evaluation.intervals.proportion import proportion

__all__ = ["ClassifierEstimates", "DeLong", "Estimate", "Interval", "area", "classifier_estimates", "combine", "delong",
           "mean", "partial_area", "proportion"]
