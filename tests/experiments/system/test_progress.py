"""Progress on a terminal is a bar; in a log it is a line now and then; nothing that shows it can end the work."""
import importlib
import io
import os

import pytest

from experiments.system import progress
from experiments.system.command_parser import CommandParser


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Full(io.TextIOBase):
    """A file on a full disk, or what is left of one."""

    def write(self, text):
        raise OSError(28, "No space left on device")

    def flush(self):
        self.write("")


@pytest.fixture
def clock(monkeypatch):
    """clock.now: seconds, as the lines see them."""
    class Clock:
        now = 0.0

    monkeypatch.setattr(progress, "monotonic", lambda: Clock.now)
    return Clock


def test_in_a_log_a_line_now_and_then_and_one_at_the_end(clock, capsys):
    with progress.bar(1000, "Training", "step") as bar:
        for number in range(1000):
            clock.now += 0.125  # exact, so that sums are
            bar.set_postfix_str(f"loss {number}")
            bar.update()
    log = capsys.readouterr().err
    lines = log.splitlines()
    assert lines == [
        "Training: 240 of 1000 steps (24 %), about 1.6 minutes left, loss 239",
        "Training: 480 of 1000 steps (48 %), about 65 seconds left, loss 479",
        "Training: 720 of 1000 steps (72 %), about 35 seconds left, loss 719",
        "Training: 960 of 1000 steps (96 %), about 5 seconds left, loss 959",
        "Training: 1000 of 1000 steps (100 %), after about 2.1 minutes, loss 999"]
    assert "\r" not in log


def test_a_resumed_work_counts_from_where_it_is_and_estimates_by_its_own_speed(clock, capsys):
    with progress.bar(100, "Training", "step", initial=80) as bar:
        for _ in range(10):
            clock.now += 4
            bar.update()
    assert capsys.readouterr().err.splitlines()[0] == "Training: 88 of 100 steps (88 %), about 48 seconds left"


def test_short_work_says_nothing_but_its_end_and_work_that_is_not_to_stay_not_even_that(clock, capsys):
    assert list(progress.over(range(3), "Evaluating", "batch", leave=False)) == [0, 1, 2]
    assert capsys.readouterr().err == ""
    assert list(progress.over(range(3), "Preparing", "image")) == [0, 1, 2]
    assert capsys.readouterr().err == "Preparing: 3 of 3 images (100 %), after about 0 seconds\n"


def test_work_that_ends_early_says_how_far_it_came(clock, capsys):
    with pytest.raises(KeyboardInterrupt), progress.bar(10, "Training", "step") as bar:
        bar.update()
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "Training: 1 of 10 steps (10 %), after about 0 seconds\n"


def test_on_a_terminal_it_is_a_bar(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    with progress.bar(5, "Training", "step") as bar:
        bar.update(5)
    assert "\r" in stream.getvalue() and "5/5" in stream.getvalue()


@pytest.mark.parametrize("terminal", [False, True])
def test_messages_between_go_to_standard_output(terminal, clock, monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr", Terminal() if terminal else io.StringIO())
    with progress.bar(5, "Training", "step") as bar:
        bar.write("P0-dice failed")
    assert capsys.readouterr().out == "P0-dice failed\n"


@pytest.mark.parametrize("make", [Full, lambda: type("FullTerminal", (Full,), {"isatty": lambda self: True})(),
                                  lambda: None, lambda: open(os.devnull, "w").close() or closed()])
def test_an_error_output_that_takes_nothing_does_not_end_the_work(make, clock, monkeypatch):
    monkeypatch.setattr("sys.stderr", make())
    done = []
    with progress.bar(3, "Training", "step") as bar:
        for number in range(3):
            clock.now += 100
            bar.update()
            bar.write("a message")
            done.append(number)
    assert done == [0, 1, 2]


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


def test_quiet_commands_show_no_progress_and_announce_nothing(clock, capsys, monkeypatch):
    monkeypatch.setattr(progress._Quiet, "quiet", False)
    for flags, shown in ([], True), (["--quiet"], False), ([], False):  # the last: a command that the second calls
        CommandParser("A command.").parse_args(flags)
        assert list(progress.over(range(3), "Preparing", "image")) == [0, 1, 2]
        progress.announce("Run folder: x")
        found = capsys.readouterr()
        assert (found.err != "", found.out == "Run folder: x\n") == (shown, shown)


COMMANDS = ("end2end", "roi_detection", "decomposition", "retraining", "reproduce", "predict", "audit", "convert_ddsm",
            "datasets.synthetic")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_knows_its_version_and_can_be_quiet(name, capsys):
    parser = importlib.import_module(f"experiments.{name}").parser()
    assert "--quiet" in parser.format_help()
    with pytest.raises(SystemExit) as stop:
        parser.parse_args(["--version"])
    assert stop.value.code == 0 and capsys.readouterr().out.split()[-1][0].isdigit()


@pytest.mark.parametrize(("name", "choices"), [
    ("end2end", ["--classes {2,3}", "--statistics {batch,moving}"]), ("roi_detection", ["--classes {2,3}"]),
    ("decomposition", ["--loss {dice,ss}"]), ("reproduce", ["--classes {2,3}", "--loss {dice,ss}"])])
def test_choices_are_shown_as_choices(name, choices):
    text = importlib.import_module(f"experiments.{name}").parser().format_help()
    assert all(each in text for each in choices)
