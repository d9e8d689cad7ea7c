"""The command: check the cases of modules, print a table, leave files."""
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

from engine.gradient_check.case import Case, generator
from engine.gradient_check.cuda_on_cpu import CudaOnCpu, moved
from engine.gradient_check.report import table, write_json
from engine.gradient_check.result import PURITY, Result
from engine.gradient_check.step_size import Sweep, sweep
from engine.gradient_check.suite import OWN, NoCases, all_cases, chosen, examine
from engine.gradient_check.terminal import say
from engine.kernels.cuda.on_cpu import CompileError
from engine.version import RELEASE

EXAMPLES = """examples:
  python -m engine.gradient_check                        the engine's layers, combinators and losses
  python -m engine.gradient_check engine models          and the networks of this project: models/gradient_cases.py
  python -m engine.gradient_check my_layers              your own: my_layers.py in this folder has a function cases()
  python -m engine.gradient_check --only BatchNorm       one layer, loss or network, in all its set-ups
  python -m engine.gradient_check --plot curves.png      and draw the error over the step size
  python -m engine.gradient_check --json gradients.json  and write the table as JSON
  python -m engine.gradient_check engine models --kernels cuda-on-cpu
                                                         through the CUDA kernels, which g++ compiles for this machine

my_layers.py:
  from engine.gradient_check import layer_case
  def cases():
      yield layer_case("MyLayer", "5 features", MyLayer(5, dtype="float64"), 3, 5)  # x: (3, 5)

exit code: 0 if every check passed, 1 if one failed or met a kink, 2 if the command was called wrongly
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m engine.gradient_check", epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Compare backward with finite differences of forward, for every layer, loss and network.")
    parser.add_argument("modules", metavar="MODULE", nargs="*", default=[OWN],
                        help="modules with a function cases(), or packages with such a module gradient_cases, by "
                             "name; the engine's own if none is given")
    parser.add_argument("--only", metavar="NAME", help="check this one: a name or the part before its colon")
    parser.add_argument("--json", metavar="FILE", type=Path,
                        help="write a list of {name, parameter, error, resolution, passed}")
    parser.add_argument("--plot", metavar="FILE", type=Path, help="draw the error over the step size (PNG, PDF or SVG)")
    parser.add_argument("--kernels", choices=("numpy", "cuda-on-cpu"), default="numpy",
                        help="which versions of the kernels: NumPy's (default), or the text of the CUDA ones, run on "
                             "this machine's processor, thread by thread; needs g++, but no GPU and no CuPy")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument("--version", action="version", version=f"%(prog)s of {RELEASE}")
    options = parser.parse_args(arguments)
    for file in filter(None, (options.json, options.plot)):
        if problem := _unwritable(file):
            parser.error(problem)
    if options.plot and options.plot.suffix.lower() not in (".png", ".pdf", ".svg"):
        parser.error(f"--plot {options.plot}: the name must end in .png, .pdf or .svg")
    try:
        cases = _found(options.modules)
    except NoCases as error:
        parser.error(str(error))
    selected = chosen(cases, options.only)
    if not selected:
        names = "\n  ".join(case.name for case in cases)
        parser.error(f"there is nothing named {options.only!r}. The names are\n  {names}")

    through = None
    if options.kernels == "cuda-on-cpu":
        try:
            through = CudaOnCpu(_examine_safely)
        except CompileError as error:
            parser.error(f"--kernels cuda-on-cpu: {error}")
        selected = [moved(case) for case in selected]
    results = [result for rows in _with_bar(selected, through or _examine_safely, "checking", options.quiet)
               for result in rows]
    print(table(results))
    if through:
        print(through.summary())
    try:
        _leave_files(options, selected, results)
    except OSError as error:
        return say(f"error: the results above could not be written: {error}")
    return 0 if all(result.passed for result in results) else 1


def _found(modules: Sequence[str]) -> list[Case]:
    """The cases of the modules, which may lie in the current folder, whether or not Python looks there."""
    here = os.getcwd()
    added = [] if {"", here} & set(sys.path) else [here]
    sys.path += added
    try:
        return all_cases(modules)
    finally:
        for path in added:
            sys.path.remove(path)


def _unwritable(file: Path) -> str:
    """Why a file cannot be written, as far as can be told before; "" if nothing speaks against it."""
    folder = file.absolute().parent
    try:
        if not folder.is_dir():
            return f"there is no folder {folder} to write {file.name} into; create it first"
        if file.is_dir():
            return f"{file} is a folder; name a file in it"
        if not os.access(folder, os.W_OK | os.X_OK):
            return f"there is no permission to write into {folder}; choose another folder for {file.name}"
    except (OSError, ValueError) as error:
        return f"{file} cannot be written: {getattr(error, 'strerror', None) or error}; choose another place or name"
    return ""


def _leave_files(options: argparse.Namespace, selected: list[Case], results: list[Result]) -> None:
    if options.json:
        write_json(options.json, results)
    if options.plot:
        from engine.gradient_check.picture import draw  # Matplotlib takes a second to import
        curves = [curve for curve in _with_bar(selected, _sweep_safely, "sweeping", options.quiet) if curve]
        draw(curves, options.plot)
        right = sum(curve.right for _, curve in curves)
        print(f"{right} of {len(selected)} error curves are those of a right gradient")
        for _, curve in curves:
            if not curve.right:
                print(f"{curve.name}: {curve.judgement}")


def _with_bar(cases: list[Case], function: Callable, what: str, quiet: bool) -> list:
    answers = []
    with tqdm(cases, desc=what, unit="case", file=sys.stderr, disable=True if quiet else None) as bar:  # None: in logs
        for case in bar:
            bar.set_postfix_str(case.name, refresh=False)
            answers.append(function(case))
    return answers


def _examine_safely(case: Case) -> list[Result]:
    """One broken layer must not hide the results of the others."""
    try:
        return examine(case)
    except Exception as error:
        return [Result(case.name, PURITY, float("inf"), False, f"the check raised {type(error).__name__}: {error}")]


def _sweep_safely(case: Case) -> tuple[str, Sweep] | None:
    """No curve for a layer that gives nothing to compare; its rows say why."""
    try:
        return case.kind, sweep(case.layer, case.x, case.run, generator(case.name), case.name)
    except Exception:
        return None
