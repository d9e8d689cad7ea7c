"""How a command ends: what the terminal, the system and the user do to it, and that each ends in one message."""
import errno
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import experiments
from experiments.system.command import run_command
from experiments.system.system_errors import REASONS, explain_system_error

ROOT = Path(experiments.__file__).parents[1]
COMMANDS = {name: (str(ROOT / "experiments" / f"{name}.py"),) for name in (
    "end2end", "roi_detection", "decomposition", "retraining", "reproduce", "predict", "audit", "convert_ddsm")}
COMMANDS["synthetic"] = ("-m", "experiments.datasets.synthetic")

PROGRAM = """
from experiments.system.command import before_imports, run_command
before_imports()
import os, signal, sys, weakref
def main():
    {}
run_command(main)
"""
MANY = "[print('many lines') for _ in range(100_000)]"


def arguments_of(body):
    return [sys.executable, "-c", PROGRAM.format(body)]


def run(body, shell="", **more):
    """The program's exit code, output and errors; shell: how a shell redirects its streams."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | more
    done = subprocess.run(["sh", "-c", f'exec "$@" {shell}', "sh", *arguments_of(body)], capture_output=True,
                          env=environment, timeout=60)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def test_a_command_whose_output_is_read_ends_as_usual():
    assert run("print('read')") == (0, "read\n", "")


@pytest.mark.parametrize("body", ["print('one line')", MANY, "print('help'); sys.exit(0)"])
@pytest.mark.parametrize("errors_too", [False, True])
def test_unread_output_ends_the_command_without_a_traceback(body, errors_too):
    """As before `| head`, and `2>&1 | head`, where progress is all that is written for a long time."""
    if errors_too:
        body = body.replace("')", "', file=sys.stderr)")
    reader, writer = os.pipe()
    process = subprocess.Popen(arguments_of(body), stdout=writer, stderr=writer if errors_too else subprocess.PIPE,
                               text=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    os.close(reader)
    os.close(writer)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 141 and not errors


def test_an_error_of_ours_is_not_hidden():
    code, _, errors = run("raise BrokenPipeError('of a worker')")
    assert code == 1 and "BrokenPipeError: of a worker" in errors
    assert "ZeroDivisionError" in run("1 / 0")[2]


@pytest.mark.parametrize("shell", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_reason_to_end(shell, tmp_path):
    """And no file that is opened later takes their numbers: what is printed would be written into it."""
    path = tmp_path / "checkpoint"
    body = f"file = os.open({str(path)!r}, os.O_CREAT | os.O_WRONLY); print('out'); print('err', file=sys.stderr)"
    assert run(f"{body}; os.write(2, b'of a library'); os.write(file, b'whole')", shell)[0] == 0
    assert path.read_bytes() == b"whole"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full on this system")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_full_streams(tmp_path, unbuffered):
    """A full standard error loses progress and messages, and nothing else. Where results were to be printed, the work
    is done and its files are there, but the exit code says that something is missing."""
    path = tmp_path / "results"
    body = f"{MANY}; [print('progress', file=sys.stderr) for _ in range(10_000)]; open({str(path)!r}, 'w').close()"
    code, _, errors = run(body, ">/dev/full", PYTHONUNBUFFERED=unbuffered)
    assert code == 1 and path.exists()
    assert errors.splitlines()[-1].startswith("error: standard output cannot be written: the disk is full")
    path.unlink()
    code, output, _ = run(body, "2>/dev/full", PYTHONUNBUFFERED=unbuffered)
    assert code == 0 and path.exists() and output.count("many lines") == 100_000


@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "ascii:strict"},
                                         {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_characters_that_a_stream_has_not_are_escaped(environment):
    code, output, errors = run("print('caf\\u00e9 \\udcff'); print('\\u03c3', file=sys.stderr)", **environment)
    assert (code, output, errors) == (0, "caf\\xe9 \\udcff\n", "\\u03c3\n")


def test_names_that_are_not_utf_8_can_be_printed():
    assert run("print('\\udcff')", PYTHONIOENCODING="utf-8")[:2] == (0, "\\udcff\n")


INTERRUPTED = "os.kill(os.getpid(), signal.SIGINT); __import__('time').sleep(60)"


def test_ctrl_c_while_a_command_works():
    assert run(INTERRUPTED) == (130, "", "stopped\n")


def test_ctrl_c_is_not_lost_where_python_cannot_raise():
    """In a finalizer the exception would be printed and forgotten, and the command go on to its end."""
    body = """class Finalized:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(1000):
                pass
    Finalized()
    __import__("time").sleep(60)"""
    assert run(body) == (130, "", "stopped\n")


def test_a_second_ctrl_c_while_tidying_up_ends_it_at_once_without_a_traceback():
    """Here a thread, as an executor's, that the interpreter would wait for."""
    body = f"""import threading, time
    threading.Thread(target=time.sleep, args=(60,)).start()
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    {INTERRUPTED}"""
    assert run(body) == (-signal.SIGINT, "", "stopped\n")


def test_where_ctrl_c_is_ignored_it_stays_ignored():
    """As a script has it for what it starts in the background."""
    body = "os.kill(os.getpid(), signal.SIGINT); print('done')"
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert run(body) == (0, "done\n", "")
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_during_the_imports_ends_every_command_by_the_signal_without_a_word(name, tmp_path):
    """numpy, which all of them import, is one here that presses Ctrl-C."""
    (tmp_path / "numpy.py").write_text(f"import os, signal\n{INTERRUPTED}\n")
    done = subprocess.run([sys.executable, *COMMANDS[name]], capture_output=True, text=True, timeout=60,
                          env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"})
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.parametrize("number", REASONS)
def test_what_the_system_refuses_is_one_message_with_the_name_and_what_to_do(number, capsys):
    def main():
        raise OSError(number, os.strerror(number), "some/where")

    with pytest.raises(SystemExit) as end:
        run_command(main)
    assert end.value.code == 1
    errors = capsys.readouterr().err
    assert errors.startswith("error: some/where: ") and errors.count("\n") == 1 and "Traceback" not in errors


def test_errors_without_a_name_unknown_ones_and_names_without_end():
    assert explain_system_error(OSError(errno.ENOSPC, "x")) == REASONS[errno.ENOSPC]
    assert explain_system_error(OSError(9999, "what the system said", "a", None, "b")) == "a -> b: what the system said"
    text = explain_system_error(OSError(errno.ENAMETOOLONG, "x", "n" * 5000))
    assert len(text) < 300 and "(5000 characters)" in text


@pytest.mark.parametrize("main", ["caf\udcff.png".encode, b"caf\xff,benign".decode])
def test_text_that_is_not_utf_8_is_shown(main, capsys):
    with pytest.raises(SystemExit):
        run_command(main)
    assert re.match(r"error: b?'caf.*' is not UTF-8 at character 4\. Rename", capsys.readouterr().err)
