"""Checkpoints: a run restored bit for bit, the same bytes for the same state, and files that are whole or refused."""
import errno
import io
import json
import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import array_api_strict
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from engine.checkpoint import Checkpoint, CheckpointError, load_checkpoint, restore, save_checkpoint, to_numpy
from engine.combinators import Chain
from engine.files import PARTIAL
from engine.layers import BatchNorm, Dense, Dropout, ReLU
from engine.losses import least_squares
from engine.optimizers import SGD, Adam, Momentum
from engine.training import train

CONFIGURATION = {"learning_rate": 5e-5, "classes": ["cancer", "normal", "benign"], "seed": 3, "name": "Ä"}


def network(seed=0, features=5, dtype="float32"):
    rng = np.random.default_rng(seed)
    return Chain(dense=Dense(4, features, ReLU(), rng=rng, dtype=dtype), norm=BatchNorm(features, dtype=dtype),
                 dropout=Dropout(0.5), out=Dense(features, 2, rng=rng, dtype=dtype))


def run(net, optimizer, start, stop):
    def batches():
        for number in range(start, stop):
            rng = np.random.default_rng((1, number))
            yield number, (rng.standard_normal((6, 4)).astype("float32"), rng.uniform(size=(6, 2)))

    return list(train(net, least_squares, optimizer, batches(), lambda number: 0.01, seed=2))


def trained(kind=Adam, steps=3):
    net = network()
    optimizer = kind(net.parameters())
    run(net, optimizer, 0, steps)
    return net, optimizer


def everything(net, optimizer):
    return {name: np.array(array) for part in (net.parameters(), net.moving_averages(), optimizer.state())
            for name, array in part.items()}


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, *trained(), 3, CONFIGURATION)
    return path


@pytest.mark.parametrize("kind", [SGD, Momentum, Adam])
def test_a_run_restored_from_a_file_continues_bit_for_bit(kind, tmp_path):
    whole, whole_optimizer = trained(kind, 6)
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, *trained(kind, 3), 3, CONFIGURATION)

    net = network(seed=8)
    optimizer = kind(net.parameters())
    checkpoint = load_checkpoint(path)
    restore(checkpoint, net, optimizer)
    run(net, optimizer, checkpoint.step, 6)
    assert checkpoint.step == 3 and checkpoint.configuration == CONFIGURATION
    assert same(everything(net, optimizer), everything(whole, whole_optimizer))


def test_the_same_state_gives_the_same_bytes(saved, tmp_path):
    again = tmp_path / "again.safetensors"
    net = network(seed=5)
    optimizer = Adam(net.parameters())
    restore(load_checkpoint(saved), net, optimizer)
    save_checkpoint(again, net, optimizer, 3, dict(reversed(CONFIGURATION.items())))
    assert again.read_bytes() == saved.read_bytes()
    save_checkpoint(again, net, optimizer, 4, CONFIGURATION)
    assert again.read_bytes() != saved.read_bytes()


def test_any_safetensors_reader_reads_it(saved):
    tensors = load_file(saved)
    net, optimizer = trained()
    assert set(tensors) == ({f"parameters/{path}" for path in net.parameters()}
                            | {f"moving_averages/{path}" for path in net.moving_averages()}
                            | {f"optimizer/{name}" for name in optimizer.state()})
    assert np.array_equal(tensors["parameters/dense.W"], net.parameters()["dense.W"])
    assert tensors["optimizer/steps"].shape == () and tensors["optimizer/steps"] == 3


def test_a_network_without_its_optimizer(saved):
    net = network(seed=8)
    restore(load_checkpoint(saved), net)
    assert same(net.parameters(), trained()[0].parameters())
    assert same(net.moving_averages(), trained()[0].moving_averages())


def test_arrays_of_another_library_and_in_another_order(saved, tmp_path):
    net, optimizer = trained()
    net.convert(np.asfortranarray)
    again = tmp_path / "again.safetensors"
    save_checkpoint(again, net, optimizer, 3, CONFIGURATION)
    assert again.read_bytes() == saved.read_bytes()

    strict = network(seed=8)
    strict.convert(array_api_strict.asarray)
    optimizer = Adam(strict.parameters())
    restore(load_checkpoint(saved), strict, optimizer)
    save_checkpoint(again, strict, optimizer, 3, CONFIGURATION)
    assert again.read_bytes() == saved.read_bytes()


def test_to_numpy_does_not_copy_what_is_there_already():
    x = np.ones(3)
    assert to_numpy(x) is x


@pytest.mark.parametrize("damage", [
    lambda data: b"", lambda data: data[:5], lambda data: data[:100], lambda data: data[:-1], lambda data: data + b"0",
    lambda data: b"P5 4 4 255 " + bytes(16), lambda data: b'{"step": 3}', lambda data: b"\xff" * len(data),
    lambda data: data.replace(b'"F32"', b'"F99"'), lambda data: data.replace(b'"shape":[4,5]', b'"shape":[4,6]'),
])
def test_a_damaged_or_foreign_file_is_refused(saved, damage):
    saved.write_bytes(damage(saved.read_bytes()))
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        load_checkpoint(saved)


@pytest.mark.parametrize("metadata", [
    None, {"format": "pt"}, {"checkpoint": "not JSON"}, {"checkpoint": "3"}, {"checkpoint": json.dumps({"step": 3})},
    {"checkpoint": json.dumps({"configuration": {}})}, {"checkpoint": json.dumps({"step": "x", "configuration": {}})},
    {"checkpoint": json.dumps({"step": 1, "configuration": 5})},
    {"checkpoint": json.dumps({"step": 1, "configuration": {}, "trained_on": 5})},
    {"checkpoint": '{"step": 1, "configuration": {"rate": NaN}}'}, {"checkpoint": "[" * 100000},
    *({"checkpoint": json.dumps({"step": step, "configuration": {}})} for step in (-1, 1.5, "1", True, None, 10**20)),
    {"checkpoint": '{"step": %s, "configuration": {}}' % ("9" * 5000)},
])
def test_another_safetensors_file_is_refused(tmp_path, metadata):
    path = tmp_path / "other.safetensors"
    save_file({"W": np.ones(3)}, path, metadata)
    with pytest.raises(CheckpointError, match="not written as a checkpoint"):
        load_checkpoint(path)


def test_every_changed_bit_is_found(tmp_path):
    """One of each byte: of the header, of the names, shapes and places in it, of the text, the digest, the numbers."""
    saved, net = tmp_path / "checkpoint.safetensors", Dense(2, 1, rng=np.random.default_rng(0))
    save_checkpoint(saved, net, SGD(net.parameters()), 3, {"seed": 0})
    whole = saved.read_bytes()
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        saved.write_bytes(changed)
        with pytest.raises(CheckpointError):
            load_checkpoint(saved)
    saved.write_bytes(whole)
    assert load_checkpoint(saved).step == 3


@pytest.mark.parametrize("change", [
    lambda content: content["configuration"].update(seed=4), lambda content: content.update(step=4),
    lambda content: content["trained_on"].update(fingerprint="b"), lambda content: content.update(digest="0" * 64),
    lambda content: content.pop("digest"), lambda content: content.pop("format"), lambda content: content.update(x=1)])
def test_an_edited_text_is_found(tmp_path, change):
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, *trained(), 3, CONFIGURATION, {"fingerprint": "a"})
    assert load_checkpoint(path).trained_on == {"fingerprint": "a"}
    with safe_open(path, "numpy") as file:
        content = json.loads(file.metadata()["checkpoint"])
    change(content)
    save_file(load_file(path), path, {"checkpoint": json.dumps(content, sort_keys=True)})
    with pytest.raises(CheckpointError, match=r"is damaged.*another digest"):
        load_checkpoint(path)


def test_another_format_is_refused_by_name(saved):
    """Of the first there is nothing to verify, the second names other parameters; a later one is for that to read."""
    remedy = "reads 3. Train again, or use the version of this project that wrote it"
    for content, message in (({"configuration": {}, "step": 3}, f"format 1, which holds no digest.* {remedy}"),
                             ({"configuration": {}, "step": 3, "format": 2, "digest": "", "trained_on": {}},
                              f"format 2, in which the networks' parameters have other names.* {remedy}"),
                             ({"configuration": {}, "step": 3, "format": 4, "digest": ""},
                              "has the format 4, this version reads 3. Use the version of this project that wrote it")):
        save_file(load_file(saved), saved, {"checkpoint": json.dumps(content, sort_keys=True)})
        with pytest.raises(CheckpointError, match=message):
            load_checkpoint(saved)


def header(path, dtype, shape, size):
    """A safetensors file of one tensor, as large as its header says, but empty: a sparse file."""
    text = json.dumps({"parameters/W": {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}}).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + size)


@pytest.mark.parametrize(("dtype", "size"), [("F16", 8), ("BF16", 8), ("F8_E4M3", 4), ("BOOL", 4), ("C64", 32)])
def test_tensors_of_other_dtypes_are_refused_by_name(tmp_path, dtype, size):
    header(tmp_path / "x", dtype, [4], size)
    with pytest.raises(CheckpointError, match=f"'parameters/W' is {dtype}, expected one of F32"):
        load_checkpoint(tmp_path / "x")


def test_a_header_that_claims_terabytes_allocates_nothing(tmp_path):
    header(tmp_path / "small", "F32", [10**12], 4 * 10**12)
    os.truncate(tmp_path / "small", 200)
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        load_checkpoint(tmp_path / "small")
    header(tmp_path / "sparse", "F32", [10**12], 4 * 10**12)
    with pytest.raises(CheckpointError, match=r"claims 4000000000\d+ bytes, this machine has \d+ of memory"):
        load_checkpoint(tmp_path / "sparse")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["parameters/out.W", "moving_averages/norm.mean", "optimizer/m2.dense.b"])
def test_numbers_that_are_not_finite_are_refused_before_anything_changes(saved, name, value):
    checkpoint = load_checkpoint(saved)
    checkpoint.arrays[name].flat[-1] = value
    net = network(seed=8)
    optimizer = Adam(net.parameters())
    before = everything(net, optimizer)
    with pytest.raises(CheckpointError, match=f"'{name}' holds numbers that are not finite"):
        restore(checkpoint, net, optimizer)
    assert same(everything(net, optimizer), before)


def test_one_parameter_with_the_axes_that_it_must_have(saved):
    checkpoint = load_checkpoint(saved)
    assert np.array_equal(checkpoint.parameter("dense.W", 2), checkpoint.arrays["parameters/dense.W"])
    with pytest.raises(CheckpointError, match=r"'dense.W' is of the shape \(4, 5\), expected are 4 axes"):
        checkpoint.parameter("dense.W", 4)
    with pytest.raises(CheckpointError, match=r"'conv.W' is absent"):
        checkpoint.parameter("conv.W", 4)


def test_a_checkpoint_is_written_as_it_was_read(saved, tmp_path):
    checkpoint = load_checkpoint(saved)
    checkpoint.write(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == saved.read_bytes()
    Checkpoint(3, {}, checkpoint.arrays, {"data": "x"}).write(tmp_path / "again")
    assert load_checkpoint(tmp_path / "again").trained_on == {"data": "x"}


def test_a_missing_file_is_an_oserror(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "absent.safetensors")
    with pytest.raises(IsADirectoryError):
        load_checkpoint(tmp_path)


def test_devices_and_pipes_are_no_checkpoints(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", "/dev/null"):
        with pytest.raises(CheckpointError, match="a device or a pipe"):
            load_checkpoint(path)


@pytest.mark.parametrize(("net", "kind", "message"), [
    (network(features=6), Adam, r"'parameters/dense.W' is float32 \(4, 5\) in the file and float32 \(4, 6\) here"),
    (network(dtype="float64"), Adam, r"'parameters/dense.W' is float32 \(4, 5\) in the file and float64 \(4, 5\) here"),
    (Chain(network(), Dropout()), Adam, r"'parameters/0.dense.W' is absent in the file and float32 \(4, 5\) here"),
    (Chain(dense=network().children["dense"]), Adam, r"is float32 .* in the file and absent here"),
    (network(), Momentum, r"'optimizer/velocity.dense.W' is absent in the file and float32 \(4, 5\) here"),
    (network(), SGD, r"'optimizer/m1.dense.W' is float32 \(4, 5\) in the file and absent here"),
])
def test_a_checkpoint_of_another_run_is_refused_before_anything_changes(saved, net, kind, message):
    optimizer = kind(net.parameters())
    before = everything(net, optimizer)
    with pytest.raises(CheckpointError, match=message):
        restore(load_checkpoint(saved), net, optimizer)
    assert same(everything(net, optimizer), before)


@pytest.mark.parametrize("configuration", [{"path": Path("x")}, {"rate": float("nan")}])
def test_a_configuration_that_is_not_json_is_refused(saved, configuration):
    before = saved.read_bytes()
    with pytest.raises((TypeError, ValueError)):
        save_checkpoint(saved, *trained(), 4, configuration)
    assert saved.read_bytes() == before and os.listdir(saved.parent) == [saved.name]


@pytest.mark.parametrize("failing", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_no_other(saved, monkeypatch, failing):
    before = saved.read_bytes()
    full = OSError(errno.ENOSPC, "No space left on device")

    def fail(*arguments):
        raise full

    if failing == "write":
        class Full(io.FileIO):
            def write(self, data):
                super().write(data[:len(data) // 2])
                raise full

        monkeypatch.setattr("engine.files.open", Full, raising=False)
    else:
        monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError) as caught:
        save_checkpoint(saved, *trained(steps=5), 5, CONFIGURATION)
    assert caught.value.errno == errno.ENOSPC
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]


WRITER = """
import sys
import numpy as np
from engine.checkpoint import save_checkpoint
from engine.layers import Dense
from engine.optimizers import SGD

network = Dense(1500, 1000, rng=np.random.default_rng(0))
optimizer = SGD(network.parameters())
for step in range(10**6):
    network.params["W"][...] = step
    save_checkpoint(sys.argv[1], network, optimizer, step, {})
    print(step, flush=True)
"""


@pytest.mark.parametrize("delay", [0.0, 0.007, 0.023])
def test_a_run_killed_while_it_writes_leaves_a_whole_checkpoint(tmp_path, delay):
    path = tmp_path / "checkpoint.safetensors"
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", WRITER, path], cwd=root, stdout=subprocess.PIPE, text=True) as process:
        for _ in range(3):
            last = int(process.stdout.readline())
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
    checkpoint = load_checkpoint(path)
    assert checkpoint.step >= last
    assert np.all(checkpoint.arrays["parameters/W"] == checkpoint.step)  # one state, not two mixed
    assert all(name.endswith(PARTIAL) for name in os.listdir(tmp_path) if name != path.name)
