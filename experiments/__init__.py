"""The thesis's experiments: data, commands, evaluation and reports."""
