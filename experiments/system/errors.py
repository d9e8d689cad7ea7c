"""The two ways in which a command ends early; both carry one message for the person at the terminal."""


class UsageError(Exception):
    """The command was called wrongly: a missing folder, a flag that does not fit the data. Exit code 2."""

    exit_code = 2


class Failure(Exception):
    """The command was called rightly and cannot go on: a truncated image, a full disk. Exit code 1."""

    exit_code = 1
