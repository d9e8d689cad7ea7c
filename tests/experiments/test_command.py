"""How a command ends when nobody reads what it prints, as before `| head`."""
import subprocess
import sys

import pytest

PROGRAM = """
from experiments.command import run_command
def main():
    {}
run_command(main)
"""


def run_unread(body):
    """The program's exit code and standard error; its standard output is closed at once."""
    process = subprocess.Popen([sys.executable, "-c", PROGRAM.format(body)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


@pytest.mark.parametrize("body", ["print('one line')", "[print('many lines') for _ in range(100_000)]"])
def test_unread_output_ends_the_command_without_a_traceback(body):
    assert run_unread(body) == (141, "")


def run_read(body):
    return subprocess.run([sys.executable, "-c", PROGRAM.format(body)], capture_output=True, text=True)


def test_another_broken_pipe_is_not_hidden():
    done = run_read("raise BrokenPipeError('of a worker')")
    assert done.returncode == 1
    assert "BrokenPipeError: of a worker" in done.stderr


def test_a_command_whose_output_is_read_ends_as_usual():
    done = run_read("print('read')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "read\n", "")
