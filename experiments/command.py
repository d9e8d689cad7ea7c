"""How a command ends where a user can mend what went wrong: one clear message and an exit code, no traceback."""
from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable

from engine.kernels.cpu import keep_freed_memory
from experiments.errors import Failure, UsageError


def run_command(main: Callable[[], None]) -> None:
    """Run main. Exit code 2 for a wrong call, 1 for a failure, 130 for Ctrl-C, 141 if nobody reads what it prints."""
    keep_freed_memory()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of overflows, which training finds and names itself
            main()
            sys.stdout.flush()
    except BrokenPipeError:
        if not _reader_is_gone():
            raise
        sys.exit(141)  # as a shell reports a program that SIGPIPE ended, such as one before `| head`
    except (UsageError, Failure) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("stopped; --resume continues from the last checkpoint", file=sys.stderr)
        sys.exit(130)
    except MemoryError:
        print("error: out of memory. A smaller --batch, --side or --width needs less", file=sys.stderr)
        sys.exit(1)


def _reader_is_gone() -> bool:
    """Whether it is standard output that is closed. If so, the rest of it goes nowhere, without a message at exit."""
    try:
        print(flush=True)
        return False
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
