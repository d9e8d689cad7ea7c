"""The command line."""
from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exercises.catalogue import ORDER, all_exercises, exercise
from exercises.folder import DEFAULT, Misuse, digest, file_of, passed_digests, remember, start, state
from exercises.process import judged
from exercises.report import PROVES, make, verify
from exercises.source import template

PASSED, FAILED, MISUSE = 0, 1, 2
DESCRIPTION = """Parts of the engine with holes. You fill them in; they are judged by what must hold for every right
answer: finite differences, adjointness, linearity, shapes, purity. Nothing of how is hidden, and the solutions are
the engine's own files."""
EXAMPLES = """examples:
  python -m exercises list                        what there is, and how far you are
  python -m exercises start dense_backward        writes my_exercises/dense_backward.py: fill in its holes
  python -m exercises check dense_backward        judges it; exit code 0: passed, 1: not yet, 2: misuse
  python -m exercises check dense_backward --seed 7     the same numbers again
  python -m exercises report --output report.json       judges every file that was started
  python -m exercises report --verify report.json       for the teacher, in the folder with the student's my_exercises
"""


def main(argv: list[str] | None = None) -> int:
    """Run a command; its exit code."""
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except Misuse as misuse:
        print(f"error: {misuse}", file=sys.stderr)
        return MISUSE


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        "python -m exercises", description=DESCRIPTION, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, run, text in (("list", _list, "what there is, and how far you are"),
                            ("start", _start, "write the file of an exercise; one that exists is never overwritten"),
                            ("check", _check, "judge it"), ("report", _report, "judge all that were started")):
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=(
            f"{EXAMPLES}\n{PROVES}" if name == "report" else EXAMPLES),
            formatter_class=argparse.RawDescriptionHelpFormatter)
        command.set_defaults(run=run)
        command.add_argument("--folder", type=Path, default=DEFAULT, help="where your files are (%(default)s)")
        if name in ("start", "check"):
            command.add_argument("name", metavar="NAME", help="of the exercise, as `list` shows it")
        if name in ("check", "report"):
            command.add_argument("--seed", type=_seed, help="of the numbers that are tried (fresh ones each time)")
        if name == "report":
            either = command.add_mutually_exclusive_group()
            either.add_argument("--output", type=Path, metavar="FILE", help="write the report as JSON, too")
            either.add_argument("--verify", type=Path, metavar="FILE", help="check a report that was written so")
    return top


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no seed; expected a whole number of at least 0")
    return int(text)


def _list(arguments: argparse.Namespace) -> int:
    known = passed_digests(arguments.folder)
    for each in all_exercises():
        needs = f" Goes on with your own {', '.join(each.needs)}." if each.needs else ""
        print(f"{each.name:24} {state(arguments.folder, each.name, known):24} {each.title} "
              f"(docs/chapters/{each.chapter}.md)\n{'':24} {each.asks}{needs}")
    return PASSED


def _start(arguments: argparse.Namespace) -> int:
    _expect_known(arguments.name)
    _expect_passed(arguments.folder, arguments.name)
    path = start(arguments.folder, arguments.name, template(exercise(arguments.name)))
    print(f"{path} is written: replace its three dots, then\n\n    python -m exercises check {arguments.name}"
          + (f" --folder {arguments.folder}" if arguments.folder != DEFAULT else ""))
    return PASSED


def _check(arguments: argparse.Namespace) -> int:
    _expect_known(arguments.name)
    path = file_of(arguments.folder, arguments.name)
    if not path.is_file():
        raise Misuse(f"there is no {path}: `python -m exercises start {arguments.name}` writes it"
                     + ("" if arguments.folder != DEFAULT else "; --folder says where else your files are"))
    _expect_passed(arguments.folder, arguments.name)
    with _misuse_of(path):
        before = digest(path)
        verdict, printed = judged(arguments.name, path, fresh() if arguments.seed is None else arguments.seed)
    try:
        if printed.strip() and not verdict.problem:
            print(f"what your file printed, once for each set-up:\n{printed.rstrip()}\n")
        print(verdict.text(), flush=True)
    finally:  # also where nobody reads on: `check NAME | head -1`
        with _misuse_of(path):
            remember(arguments.folder, arguments.name, before if verdict.passed else None)
    return PASSED if verdict.passed else FAILED


def _report(arguments: argparse.Namespace) -> int:
    if arguments.verify:
        return PASSED if verify(arguments.verify, arguments.folder) else FAILED
    return PASSED if make(arguments.folder, fresh() if arguments.seed is None else arguments.seed,
                          arguments.output) else FAILED


def _expect_passed(folder: Path, name: str) -> None:
    """Raises Misuse unless the exercises that this one needs have passed, as their files are now."""
    known = passed_digests(folder)
    if missing := [each for each in exercise(name).needs if state(folder, each, known) != "passed"]:
        raise Misuse(f"{name} goes on with your own files: first pass {', '.join(missing)}")


@contextmanager
def _misuse_of(path: Path) -> Iterator[None]:
    """A file that cannot be read or written is the user's to put right."""
    try:
        yield
    except OSError as error:
        raise Misuse(f"{error.filename or path}: {error.strerror or error}") from None


def fresh() -> int:
    return secrets.randbelow(10**6)


def _expect_known(name: str) -> None:
    if name not in ORDER:
        raise Misuse(f"there is no exercise {name!r}; expected one of {', '.join(ORDER)}")
