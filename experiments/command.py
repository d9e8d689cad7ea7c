"""How a command ends where a user can mend what went wrong: one clear message and an exit code, no traceback."""
from __future__ import annotations

import sys
import warnings
from collections.abc import Callable

from experiments.errors import Failure, UsageError


def run_command(main: Callable[[], None]) -> None:
    """Run main. Exit code 2 for a wrong call, 1 for a failure, 130 for Ctrl-C."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of overflows, which training finds and names itself
            main()
    except (UsageError, Failure) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("stopped; --resume continues from the last checkpoint", file=sys.stderr)
        sys.exit(130)
    except MemoryError:
        print("error: out of memory. A smaller --batch, --side or --width needs less", file=sys.stderr)
        sys.exit(1)
