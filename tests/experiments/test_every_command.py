"""Each command, given what the system refuses and numbers that cannot be meant: one message, no traceback."""
import argparse
import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import experiments
from experiments import (
    audit,
    convert_ddsm,
    decomposition,
    end2end,
    evaluate,
    export,
    predict,
    reproduce,
    retraining,
    roi_detection,
)
from experiments.datasets import synthetic
from experiments.system.argument_types import number, whole_number

PARSERS = {module.__name__.rpartition(".")[2]: module for module in (
    audit, convert_ddsm, decomposition, end2end, evaluate, export, predict, reproduce, retraining, roi_detection)}
COMMANDS = PARSERS | {"synthetic": synthetic}
LONG, FOREIGN = "n" * 300, "caf\udce9"  # a name of 300 characters; one in Latin-1
CAPABILITIES = 0x20080522  # the version of the structures of capget and capset, capabilities(7)


@pytest.fixture
def permissions():
    """Even root meets permissions: the calling thread gives up the capabilities that override them."""
    if os.geteuid() != 0:
        yield
        return
    try:
        system = ctypes.CDLL(None, use_errno=True)
        header, before = (ctypes.c_uint32 * 2)(CAPABILITIES, 0), (ctypes.c_uint32 * 6)()
        assert system.capget(header, before) == 0
        reduced = (ctypes.c_uint32 * 6)(*before)
        reduced[0] &= ~0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, of those in effect
        assert system.capset(header, reduced) == 0
    except (AttributeError, AssertionError, OSError):
        pytest.skip("root's permissions cannot be reduced on this system")
    yield
    assert system.capset(header, before) == 0


@pytest.fixture
def closed(tmp_path):
    """A folder in which nothing can be seen, and one in which nothing can be written."""
    unseen, unwritten = tmp_path / "unseen", tmp_path / "unwritten"
    for folder in (unseen, unwritten):
        folder.mkdir()
    (unseen / "labels.csv").write_text("image,label,patient\n")
    unseen.chmod(0)
    unwritten.chmod(0o500)
    yield unseen, unwritten
    for folder in (unseen, unwritten):
        folder.chmod(0o700)


@pytest.fixture
def given(drawn, elsewhere, decomposed, detectors, finished, tiny_flags, tmp_path, monkeypatch):
    """given(command, data=..., output=...) -> the flags of a call that would begin its work."""
    image, case = next((drawn / "images").iterdir()), tmp_path / "case"
    case.mkdir()
    (case / "A-0002-1.ics").write_text("")
    monkeypatch.setattr(convert_ddsm.ddsm, "open_films", lambda data: ([], []))

    def flags(name, data=drawn, output=tmp_path / "run", cache=tmp_path / "cache"):
        roi = ("--data", data, "--output", output, "--cache", cache, "--workers", 1, "--side", 32, "--working-side", 64,
               "--channels", 2, "--depth", 1, "--batch", 4)
        training = (*tiny_flags(data, output), "--cache", cache)
        return {
            "audit": ("--output", output),
            "convert_ddsm": ("--data", case if data == drawn else data, "--output", output),
            "end2end": training,
            "evaluate": (finished, "--data", elsewhere if data == drawn else data, "--output", output, "--cache", cache,
                         "--workers", 1),
            "export": (finished, "--hub", output),
            "roi_detection": (*roi, "--steps", 2),
            "decomposition": (*training, "--detectors", detectors, "--end2end", finished),
            "retraining": (*training, "--decomposition", decomposed),
            "reproduce": (*roi, "--detector-batch", 4, "--steps", 2, "--detector-steps", 2, "--width", 0.05),
            "predict": (finished / "checkpoint.safetensors", image if data == drawn else data, "--json",
                        output, "--saliency", cache),
            "synthetic": (output, "--images", 2, "--height", 32)}[name]

    return flags


READING = [name for name in COMMANDS if name not in ("audit", "export", "synthetic")]
CACHING = [name for name in READING if name not in ("convert_ddsm", "predict")]


def ends_in_one_message(ended, about):
    """With exit code 1 or 2, and the name of the place that it is about."""
    code, _, errors = ended
    assert code in (1, 2) and "Traceback" not in errors
    assert errors.rpartition("error: ")[2].strip() and about.name[:20] in errors, errors


def place(kind, closed):
    """Below what a data set, a run or a cache is to be read or made."""
    unseen, unwritten = closed
    return {"unseen": unseen / "below", "unwritten": unwritten / "below", "long": unwritten.parent / LONG,
            "below a file": Path("/dev/null") / "below"}[kind]


@pytest.mark.parametrize("kind", ["unseen", "long", "below a file"])
@pytest.mark.parametrize("name", READING)
def test_data_that_the_system_does_not_show(name, kind, given, closed, permissions, command):
    refused = place(kind, closed)
    ends_in_one_message(command(COMMANDS[name].main, *given(name, data=refused)), refused)


@pytest.mark.parametrize("name", READING)
def test_a_folder_of_data_that_cannot_be_read(name, given, closed, permissions, command):
    ends_in_one_message(command(COMMANDS[name].main, *given(name, data=closed[0])), closed[0])


@pytest.mark.parametrize("kind", ["unseen", "unwritten", "long", "below a file"])
@pytest.mark.parametrize("name", COMMANDS)
def test_an_output_that_the_system_refuses(name, kind, given, closed, permissions, command):
    refused = place(kind, closed)
    ends_in_one_message(command(COMMANDS[name].main, *given(name, output=refused)), refused)


@pytest.mark.parametrize("kind", ["unseen", "unwritten", "long", "below a file"])
@pytest.mark.parametrize("name", CACHING)
def test_a_cache_that_the_system_refuses(name, kind, given, closed, permissions, command):
    refused = place(kind, closed)
    ends_in_one_message(command(COMMANDS[name].main, *given(name, cache=refused)), refused)


@pytest.mark.parametrize("name", READING)
def test_a_name_that_is_not_utf_8(name, given, drawn, tmp_path, command):
    data = Path(shutil.copytree(drawn, tmp_path / FOREIGN))
    code, _, errors = command(COMMANDS[name].main, *given(name, data=data))
    assert code in (0, 1, 2) and "Traceback" not in errors, errors


WRONG = ("nan", "inf", "-inf", "1e999", "9" * 5000, "²", "٣", "one", "")


@pytest.mark.parametrize("name", PARSERS)
def test_numbers_that_cannot_be_meant_are_refused_by_every_flag(name, command):
    for action in PARSERS[name].parser()._actions:
        assert action.type not in (int, float), f"{action.option_strings}: see experiments/argument_types.py"
        if action.metavar in ("INT", "FLOAT", "N"):
            for text in WRONG:
                with pytest.raises(argparse.ArgumentTypeError, match=r"^'.{0,25}': expected a"):
                    action.type(text)
            code, _, errors = command(PARSERS[name].main, f"{action.option_strings[0]}=nan")
            assert code == 2 and f"error: argument {action.option_strings[0]}: 'nan': expected a" in errors


@pytest.mark.parametrize("flag", ["--images", "--seed", "--height"])
def test_numbers_of_the_synthetic_set(flag, tmp_path, command):
    code, _, errors = command(synthetic.main, tmp_path / "new", flag, "9" * 5000)
    assert code == 2 and "expected a whole number" in errors


def test_numbers_that_are_meant():
    assert [whole_number(text) for text in ("0", "-3", "+7", str(2**63 - 1))] == [0, -3, 7, 2**63 - 1]
    assert [number(text) for text in ("0.5", "-2e-3", "1", ".25")] == [0.5, -0.002, 1.0, 0.25]
    for text in (str(2**63), "1.0", "1e3", "0x10", " "):
        with pytest.raises(argparse.ArgumentTypeError):
            whole_number(text)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full on this system")
def test_a_full_standard_error_does_not_end_a_training(drawn, tiny_flags, tmp_path):
    root = Path(experiments.__file__).parents[1]
    flags = [str(flag) for flag in (*tiny_flags(drawn, tmp_path / "run"), "--steps", 2)]
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, root / "experiments" / "end2end.py", *flags], stderr=full,
                              stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(root)})
    assert done.returncode == 0 and b"Report: " in done.stdout and (tmp_path / "run" / "report.html").exists()
