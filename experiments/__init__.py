
import sys

if sys.argv[:1] == ["-m"] and "experiments.datasets.synthetic" in sys.orig_argv:
    # the packages above a module that is run as a command are imported before its first line
    from experiments.system.interruption import end_by_interruption

    end_by_interruption()
