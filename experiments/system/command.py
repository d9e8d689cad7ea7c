"""How a command begins, and how it ends where a user can mend what went wrong: one message, an exit code, no traceback.

A command's file reads

    if __name__ == "__main__":
        import sys
        from pathlib import Path

        sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
        from experiments.system.command import before_imports

        before_imports()
    ...
    if __name__ == "__main__":
        run_command(main)

since its imports take seconds. This module imports nothing that does, and nothing but experiments.system, since the
engine may turn out to be another project's. The checkout that the file lies in comes first on the path, so that it runs
without being installed, and before packages of the same names.
"""
from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress

from experiments.system.errors import Failure, UsageError
from experiments.system.foreign_packages import foreign_package
from experiments.system.interruption import end_by_interruption, interruptible
from experiments.system.standard_streams import LastingStream, make_streams_last
from experiments.system.system_errors import explain_encoding_error, explain_system_error

RESUME = "stopped; --resume continues from the last checkpoint"
UNREAD = 141  # as a shell reports a program that SIGPIPE ended, such as one before `| head`


def before_imports() -> None:
    """What holds for a command's process from its first line on: its standard streams last, Ctrl-C ends it, and its
    packages are this project's: exit code 2 otherwise, see foreign_packages."""
    end_by_interruption()
    make_streams_last()
    if found := foreign_package():
        say(f"error: {found}")
        sys.exit(2)


def run_command(main: Callable[[], object], stopped: str = "stopped", on_ranks: bool = False) -> None:
    """Run main. Exit code 2 for a wrong call, 1 for a failure, 130 for Ctrl-C, 141 if nobody reads what it prints.

    What the operating system refuses, wherever in the command, becomes a failure that names the file. stopped: the
    message for Ctrl-C. A second Ctrl-C, while the command tidies up, ends it at once.

    on_ranks: whether several processes of `mpiexec` are one command, of which main is run by the first (ranks.py); a
    command that is not made for that refuses them.
    """
    from engine.kernels.cpu import keep_freed_memory  # here: `before_imports` comes before that of NumPy
    from experiments.system.ranks import ProcessRanks, launched, process_ranks

    keep_freed_memory()
    first = launched(os.environ)[0] == 0
    ranks: ProcessRanks | None = None
    try:
        if launched(os.environ)[1] > 1 and not on_ranks:
            raise UsageError("this command works in one process: start it without mpiexec")
        ranks = process_ranks()
    except UsageError as error:
        if first:
            say(f"error: {error}")
        sys.exit(error.exit_code)
    if ranks is None:
        code = _ended(_code(main, stopped))
    elif not first:
        code = ranks.serve()
    else:
        try:
            code = _ended(_code(main, stopped))
        except BaseException as error:  # a mistake of the program's: the others would wait for ever
            ranks.abort(error)
        ranks.end(code)
    if code:
        sys.exit(code)


def _ended(code: int | str | None) -> int:
    """The exit code of a command that has run, when its output has arrived or cannot."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = code or _unread()
    lost = sys.stdout.lost if isinstance(sys.stdout, LastingStream) else None
    if lost is not None:
        say(f"error: standard output cannot be written: {explain_system_error(lost)}")
        code = code or 1
    if isinstance(code, str):  # as sys.exit does
        say(code)
        return 1
    return code or 0


def say(message: str) -> None:
    """To standard error, if anybody reads it."""
    with suppress(OSError):
        print(message, file=sys.stderr, flush=True)


def _code(main: Callable[[], object], stopped: str) -> int | str | None:
    """Run main; what the command's exit code is to be."""
    try:
        with interruptible(), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of overflows, which training finds and names itself
            main()
    except SystemExit as end:  # argparse's
        return end.code
    except (UsageError, Failure) as error:
        say(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        say(stopped)
        return 130
    except MemoryError:
        say("error: out of memory. A smaller --batch, --side or --width needs less")
    except BrokenPipeError as error:
        if _reader_is_gone():
            return _unread()
        if error.errno is None:  # none of the system's
            raise
        say(f"error: {explain_system_error(error)}")
    except OSError as error:
        if error.errno is None:
            raise
        say(f"error: {explain_system_error(error)}")
    except UnicodeError as error:
        say(f"error: {explain_encoding_error(error)}")
    else:
        return 0
    return 1


def _reader_is_gone() -> bool:
    """Whether it is standard output that is closed."""
    try:
        print(flush=True)
        return False
    except BrokenPipeError:
        return True


def _unread() -> int:
    """The rest of standard output goes nowhere, without a message at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return UNREAD
