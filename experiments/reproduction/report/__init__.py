"""The report of experiments/reproduce.py: every table and figure of the thesis's chapter 4 and appendix A.1-A.2."""
from experiments.reproduction.report.material import gather
from experiments.reproduction.report.page import write_reproduction

__all__ = ["gather", "write_reproduction"]
