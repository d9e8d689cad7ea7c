"""Files, tables, figures and the page of a run."""
