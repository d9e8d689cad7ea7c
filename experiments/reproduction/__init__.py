"""The whole thesis in one run: its settings, its statistics, its report."""
