"""python -m engine.gradient_check where its output is closed, full or narrow, and under Ctrl-C: no traceback, ever."""
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.gradient_check.terminal import run

COMMAND = f"{sys.executable} -m engine.gradient_check --only Flatten"


def shell(line, **environment):
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, errors="replace",
                          env={"PATH": "/usr/bin:/bin", **environment}, cwd=Path(__file__).parents[3])


@pytest.mark.parametrize(("line", "code", "message"), [
    (f"{COMMAND} > /dev/full", 1, "error: what was to be printed could not be: No space left on device\n"),
    (f"{COMMAND} 2> /dev/full", 0, ""),
    (f"{COMMAND} --nonsense 2> /dev/full", 2, ""),
    (f"{COMMAND} > /dev/full 2> /dev/full", 1, ""),
    (f"{COMMAND} >&-", 0, ""),
    (f"{COMMAND} 2>&-", 0, ""),
    (f"{COMMAND} <&- >&- 2>&-", 0, ""),
    (f"{COMMAND} | true; exit ${{PIPESTATUS[0]}}", 141, ""),
])
def test_output_that_goes_nowhere(line, code, message):
    ended = shell(line)
    assert (ended.returncode, ended.stderr) == (code, message)
    assert ended.stdout == "" or "2 of 2 checks" in ended.stdout


def test_a_file_does_not_take_the_place_of_a_closed_stream(tmp_path):
    assert shell(f"{COMMAND} --json {tmp_path}/g.json >&- 2>&-").returncode == 0
    assert (tmp_path / "g.json").read_text().startswith("[\n")


def test_names_that_the_terminal_does_not_know():
    ended = shell(f"{COMMAND[:-7]} Gr\u00f6\u00dfe", PYTHONIOENCODING="ascii", PYTHONUTF8="1")
    assert ended.returncode == 2 and "nothing named 'Gr\\xf6\\xdfe'" in ended.stderr
    printed = shell(f"""{sys.executable} -c 'from engine.gradient_check.terminal import run
import sys; sys.exit(run(lambda: print("\\u2212\\udcff") or 0))'""", PYTHONIOENCODING="ascii")
    assert (printed.returncode, printed.stdout, printed.stderr) == (0, "\\u2212\\udcff\n", "")


@pytest.fixture
def interruptible():
    """A process started in the background may ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_with_a_word_and_the_shells_code(interruptible, capsys):
    assert run(lambda: signal.raise_signal(signal.SIGINT)) == 130
    assert capsys.readouterr().err == "stopped before the end: nothing was written\n"


def test_a_ctrl_c_that_falls_into_a_callback_is_not_lost(interruptible, capsys):
    class Dying:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    def command():
        Dying()
        threading.Event().wait(30)
        return 0

    assert run(command) == 130
    assert capsys.readouterr().err == "stopped before the end: nothing was written\n"


def test_ctrl_c_is_answered_before_numpy_is_imported():
    ended = shell(f"{sys.executable} -c 'import sys, engine.gradient_check.__main__; print(\"numpy\" in sys.modules)'")
    assert ended.stdout == "False\n"


def test_all_that_the_package_offers_is_there_when_asked_for():
    import engine.gradient_check as package
    assert all(getattr(package, name).__name__ == name for name in package.__all__)
    with pytest.raises(AttributeError, match="no attribute 'chek'"):
        _ = package.chek


def out_of_memory():
    raise MemoryError


@pytest.mark.parametrize(("command", "code"), [(lambda: 0, 0), (lambda: 1, 1), (lambda: sys.exit(2), 2),
                                               (lambda: sys.exit(), 0), (lambda: sys.exit("no"), 1),
                                               (out_of_memory, 1)])
def test_the_exit_code_is_the_commands(command, code):
    assert run(command) == code


def test_a_mistake_of_the_program_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 // 0)
