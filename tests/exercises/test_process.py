"""Whatever a student's file does, the child process ends in one clear message."""
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from exercises.catalogue import exercise
from exercises.folder import passed_digests
from exercises.process import judged
from exercises.source import solved

TEXT = solved(exercise("dense_backward"))
PLACE = "        dx = matrix_product("


def verdict_on(tmp_path, text, seconds=60.0):
    file = tmp_path / "dense_backward.py"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return judged("dense_backward", file, 1, seconds)


def line_of(fragment):
    """The number of the first line of TEXT that begins so: where with_line puts a line."""
    return next(number for number, line in enumerate(TEXT.splitlines(), 1) if line.startswith(fragment))


def with_line(line):
    assert TEXT.count(PLACE) == 1
    return TEXT.replace(PLACE, f"        {line}\n{PLACE}")


def test_right_code_passes_and_its_prints_are_handed_on(tmp_path):
    verdict, printed = verdict_on(tmp_path, with_line("print('da', da.shape)"))
    assert verdict.passed, verdict.text()
    setups = exercise("dense_backward").setups(np.random.default_rng(1))
    assert printed.split("\n")[0] == "da (3, 4)" and printed.count("da (") == len(setups)


@pytest.mark.parametrize(("text", "message"), [
    ("import sys\nsys.exit(0)\n" + TEXT.split("from __future__ import annotations")[1], "ended the program before it"),
    (with_line("import os; os._exit(3)"), "exit code 3 before it was judged"),
    (with_line("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"), "it crashed: the process was ended by SIG"),
    (with_line("print('x' * 200_000)"), "printed more than 100000 characters"),
    (b"\xff\xfe", "no text in UTF-8"),
    ("def f(:\n", "dense_backward.py is no Python: line 1"),
    (TEXT.replace("from engine.layer import", "from engine.layers_ import"),
     "cannot be imported: line {}, in <module>: Mod"),
    (TEXT.replace("class Dense(Layer)", "class Sparse(Layer)"), "the file no longer defines Dense"),
])
def test_one_message_for_what_cannot_be_judged(text, message, tmp_path):
    verdict, _ = verdict_on(tmp_path, text)
    assert not verdict.passed and message.format(line_of("from engine.layer import")) in verdict.problem, verdict


def test_an_endless_loop_ends(tmp_path):
    verdict, _ = verdict_on(tmp_path, with_line("while True: pass"), seconds=3)
    assert not verdict.passed and "did not end within 3 seconds" in verdict.problem


@pytest.mark.parametrize(("line", "message"), [
    ("np_ = xp.zeros((1 << 40,))", "MemoryError"),
    ("raise SystemExit", "SystemExit"),
    ("return dy @ dy", "line {}, in backward: ValueError"),
])
def test_an_error_while_it_runs_names_the_line(line, message, tmp_path):
    verdict, _ = verdict_on(tmp_path, with_line(line))
    assert not verdict.passed and not verdict.problem
    assert message.format(line_of(PLACE)) in verdict.findings[0][0], verdict.text()


def test_what_is_printed_is_cut_where_it_is_long(tmp_path):
    _, printed = verdict_on(tmp_path, with_line("print('x' * 5_000)"))
    assert len(printed) < 2_100 and "characters more" in printed


def test_what_passed_is_remembered_where_nobody_reads_the_verdict(tmp_path):
    (tmp_path / "dense_backward.py").write_text(TEXT, "utf-8")
    reader, writer = os.pipe()
    os.close(reader)
    subprocess.run([sys.executable, "-m", "exercises", "check", "dense_backward", "--folder", str(tmp_path)],
                   cwd=Path(__file__).parents[2], stdout=writer, stderr=subprocess.DEVNULL, timeout=120)
    os.close(writer)
    assert list(passed_digests(tmp_path)) == ["dense_backward"]


def test_the_command_in_a_process_of_its_own(tmp_path):
    def run(*arguments):
        done = subprocess.run([sys.executable, "-m", "exercises", *arguments, "--folder", str(tmp_path)],
                              cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr

    assert run("start", "dense_backward")[0] == 0
    assert "there is a hole left" in run("check", "dense_backward")[1]
    (tmp_path / "dense_backward.py").write_text(TEXT, "utf-8")
    code, text = run("check", "dense_backward", "--seed", "5")
    assert code == 0 and "dense_backward: passed (--seed 5" in text, text
    code, text = run("report")
    assert code == 0 and "passed 1 of" in text, text
