"""The command: ask every probe, print a page."""
from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tqdm import tqdm

from engine.doctor import computer, cuda, gradients, software, speed
from engine.doctor.finding import Finding, Probe
from engine.doctor.report import as_json, page
from engine.version import RELEASE

EXAMPLES = """examples:
  python -m engine.doctor                          a page to read
  python -m engine.doctor --json > doctor.json     the same for a bug report

exit code: 0 if all that is there works, 1 if something does not, 2 if the command was called wrongly
"""

# In this order: BLAS is looked at before a kernel sets its threads.
PROBES = (
    Probe("Software", "Project", software.project),
    Probe("Software", "Python", software.python),
    Probe("Software", "NumPy", software.numpy),
    Probe("Software", "BLAS", software.blas),
    Probe("Software", "Libraries", software.libraries),
    Probe("Computer", "Processors", computer.processors),
    Probe("Computer", "SIMD", computer.simd),
    Probe("Computer", "Memory", computer.memory),
    Probe("CUDA", "Driver", cuda.driver),
    Probe("CUDA", "GPU", cuda.gpus),
    Probe("CUDA", "CuPy", cuda.cupy),
    Probe("CUDA", "NVRTC", cuda.nvrtc),
    Probe("CUDA", "g++", cuda.gcc),
    Probe("Gradients", "on NumPy", gradients.on_numpy),
    Probe("Gradients", "CUDA on the CPU", gradients.on_emulated_cuda),
    Probe("Gradients", "on a GPU", gradients.on_cuda),
    Probe("Speed", "NumPy", speed.on_numpy),
    Probe("Speed", "GPU", speed.on_cuda),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m engine.doctor", epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Say what is installed, whether it works, how fast it is, and what to install for what is missing.")
    parser.add_argument("--json", action="store_true", help="print JSON: a list of {group, name, state, text, details, "
                        "remedy}; state is works, absent or broken")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument("--version", action="version", version=f"%(prog)s of {RELEASE}")
    options = parser.parse_args(arguments)
    findings = examined(options.quiet)
    print(as_json(findings) if options.json else page(findings))
    return 1 if any(finding.state == "broken" for finding in findings) else 0


def examined(quiet: bool) -> list[Finding]:
    """What every probe finds, in their order."""
    findings = []
    with tqdm(PROBES, desc="looking", file=sys.stderr, leave=False, disable=True if quiet else None) as bar:
        for probe in bar:  # None: no bar in logs
            bar.set_postfix_str(f"{probe.group}, {probe.name}", refresh=False)
            findings.append(probe.finding())
    return findings
