"""What is installed on this machine, whether it works, and how fast it is.

    python -m engine.doctor             a page to read
    python -m engine.doctor --json      the same for a bug report

finding.py says what a probe answers, software.py, computer.py, cuda.py, gradients.py and speed.py are the probes.
"""
