"""Whatever is wrong with what the user gives: one clear message, the right exit code, nothing lost."""
import errno
import json
import os
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from engine.checkpoint import load_checkpoint
from experiments import end2end
from experiments.runs import fitting


def first(data, label):
    """Path of the first image with this label."""
    row = next(line for line in (data / "labels.csv").read_text().splitlines() if f",{label}," in line)
    return data / row.split(",")[0], data / row.split(",")[1]


def truncated_pgm(data):
    first(data, "benign")[0].write_bytes(b"P5\n64 80\n255\n" + bytes(1000))


def zeros(data):
    Image.fromarray(np.zeros((80, 64), np.uint8)).save(first(data, "normal")[0])


def mask_of_another_size(data):
    Image.fromarray(np.full((40, 40), 255, np.uint8)).save(first(data, "cancer")[1])


def unknown_label(data):
    table = data / "labels.csv"
    table.write_text(table.read_text().replace(",benign,", ",harmless,", 1))


def one_patient(data):
    table = data / "labels.csv"
    lines = table.read_text().splitlines()
    benign = next(line for line in lines if ",benign," in line)
    table.write_text("\n".join([line for line in lines if ",benign," not in line] + [benign]))


def no_cancer(data):
    table = data / "labels.csv"
    table.write_text("\n".join(line for line in table.read_text().splitlines() if ",cancer," not in line))


def absent_image(data):
    first(data, "normal")[0].unlink()


def info_names_absent_files(data):
    shutil.rmtree(data)
    data.mkdir()
    (data / "Info.txt").write_text("mdb001 G CIRC B 20 20 5\nmdb002 G NORM\n")


@pytest.mark.parametrize(("spoil", "message"), [
    (truncated_pgm, "truncated|pixels"), (zeros, "all pixels are 0"), (mask_of_another_size, "40 x 40"),
    (unknown_label, "harmless"), (one_patient, "'benign' has images of 1 patient"), (no_cancer, "0 cancer"),
    (absent_image, "png"), (info_names_absent_files, "mdb001")])
def test_data_that_cannot_be_used_are_a_failure_that_names_them(spoil, message, data, tmp_path, command, tiny_flags):
    spoil(data)
    code, _, errors = command(end2end.main, *tiny_flags(data, tmp_path / "run"))
    assert code == 1
    assert errors.rpartition("error: ")[2].strip() and "Traceback" not in errors
    assert re.search(message, errors), errors
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("more", "message"), [
    (("--data", "/nowhere/at/all"), "no such folder"), (("--batch", "100"), "the training set has 24 images"),
    (("--side", "50"), "--side 50: expected a multiple of 32"), (("--preset", "slow"), "invalid choice"),
    (("--steps", "many"), "expected a whole number"), (("--unknown",), "unrecognized"),
    (("--workers", "0"), "--workers 0")])
def test_a_wrong_call_has_exit_code_2(more, message, drawn, tmp_path, command, tiny_flags):
    code, _, errors = command(end2end.main, *tiny_flags(drawn, tmp_path / "run"), *more)
    assert (code, message in errors) == (2, True), errors
    assert not (tmp_path / "run").exists()


def test_an_empty_folder_is_told_what_formats_there_are(tmp_path, command, tiny_flags):
    (tmp_path / "empty").mkdir()
    code, _, errors = command(end2end.main, *tiny_flags(tmp_path / "empty", tmp_path / "run"))
    assert code == 2 and "Info.txt" in errors and "CSV" in errors


def test_cuda_without_cupy_says_what_to_install(drawn, tmp_path, command, tiny_flags):
    try:
        import cupy  # noqa: F401
    except ImportError:
        code, _, errors = command(end2end.main, *tiny_flags(drawn, tmp_path / "run"), "--device", "cuda")
        assert code == 2 and ".[cuda12]" in errors and ".[cuda13]" in errors and "580 or later" in errors
    else:
        pytest.skip("CuPy is installed here")


def test_a_run_is_not_overwritten(finished, drawn, command, tiny_flags):
    before = (finished / "checkpoint.safetensors").read_bytes()
    code, _, errors = command(end2end.main, *tiny_flags(drawn, finished))
    assert code == 2 and "--resume" in errors
    assert (finished / "checkpoint.safetensors").read_bytes() == before


def test_resuming_with_other_flags(finished, drawn, command, tiny_flags):
    code, _, errors = command(end2end.main, *tiny_flags(drawn, finished), "--resume", "--width", 0.1)
    assert code == 2 and "width 0.05" in errors


def test_resuming_a_run_that_was_killed_before_it_wrote_anything_begins_it(drawn, tmp_path, command, tiny_flags):
    """All that it left is the lock on its folder, which nobody holds any more."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.lock").write_text("process 1 on a machine")
    code, output, _ = command(end2end.main, *tiny_flags(drawn, tmp_path / "run"), "--resume", "--steps", 2)
    assert code == 0 and "begins now" in output and (tmp_path / "run" / "results.json").exists()
    assert not (tmp_path / "run" / "run.lock").exists()


def test_resuming_a_mistyped_folder_begins_nothing(drawn, tmp_path, command, tiny_flags):
    code, _, errors = command(end2end.main, *tiny_flags(drawn, tmp_path / "rum"), "--resume")
    assert code == 2 and "holds no run to resume: there is no such folder" in errors and not (tmp_path / "rum").exists()
    (tmp_path / "rum").mkdir()
    code, _, errors = command(end2end.main, *tiny_flags(drawn, tmp_path / "rum"), "--resume")
    assert code == 2 and "there is no config.json in it" in errors and not list((tmp_path / "rum").iterdir())


def test_resuming_on_data_that_changed(finished, data, tmp_path, command, tiny_flags):
    output = shutil.copytree(finished, tmp_path / "run")
    config = json.loads((output / "config.json").read_text())
    config["configuration"]["data"] = str(data)
    (output / "config.json").write_text(json.dumps(config))
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (80, 64), np.uint8)).save(first(data, "normal")[0])
    code, _, errors = command(end2end.main, "--output", output, "--cache", tmp_path / "cache", "--resume")
    assert code == 1 and "fingerprint" in errors


def test_a_checkpoint_of_another_network(finished, drawn, tmp_path, command, tiny_flags):
    output = shutil.copytree(finished, tmp_path / "run")
    config = json.loads((output / "config.json").read_text())
    config["configuration"]["width"] = 0.1
    (output / "config.json").write_text(json.dumps(config))
    before = (output / "checkpoint.safetensors").read_bytes()
    code, _, errors = command(end2end.main, "--output", output, "--cache", tmp_path / "cache", "--resume")
    assert code == 1 and "is the checkpoint of another training: its width is 0.05, that of the run 0.1" in errors
    assert (output / "checkpoint.safetensors").read_bytes() == before


def test_a_damaged_checkpoint(finished, drawn, tmp_path, command, tiny_flags):
    output = shutil.copytree(finished, tmp_path / "run")
    whole = (output / "checkpoint.safetensors").read_bytes()
    (output / "checkpoint.safetensors").write_bytes(whole[:len(whole) // 2])
    code, _, errors = command(end2end.main, *tiny_flags(drawn, output), "--resume")
    assert code == 1 and "not a whole safetensors file" in errors


def test_a_loss_that_is_not_finite_names_step_and_layer_and_keeps_the_last_good_checkpoint(
        drawn, tmp_path, command, tiny_flags):
    output = tmp_path / "run"
    code, _, errors = command(end2end.main, *tiny_flags(drawn, output), "--learning-rate", 1e25,
                              "--checkpoint-every", 1)
    assert code == 1
    assert re.search(r"at step 2 layer 'stage_\d\.conv_\w' .*not finite.*last good checkpoint is kept", errors), errors
    assert "Warning" not in errors
    checkpoint = load_checkpoint(output / "checkpoint.safetensors")
    assert checkpoint.step == 1 and all(np.isfinite(array).all() for array in checkpoint.arrays.values())


def test_a_full_disk_keeps_the_checkpoint_before(drawn, tmp_path, command, tiny_flags, monkeypatch):
    save, calls = fitting.save_checkpoint, []

    def full(*arguments):
        calls.append(arguments)
        if len(calls) > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(*arguments)

    monkeypatch.setattr(fitting, "save_checkpoint", full)
    code, _, errors = command(end2end.main, *tiny_flags(drawn, tmp_path / "run"))
    assert code == 1 and "No space left on device" in errors and "--resume" in errors
    assert load_checkpoint(tmp_path / "run" / "checkpoint.safetensors").step == 4
