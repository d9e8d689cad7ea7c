"""What memory is there: as Linux says it, within a container's limit."""
from pathlib import Path

import pytest

from experiments.system import free_memory
from experiments.system.free_memory import free_bytes, in_bytes, resident_bytes


@pytest.fixture
def told(tmp_path, monkeypatch):
    """told(name, text): a file of /proc or /sys with that text; those that are not told are absent."""
    files = {name: tmp_path / name for name in ("meminfo", "status", "max", "current")}
    monkeypatch.setattr(free_memory, "MEMINFO", files["meminfo"])
    monkeypatch.setattr(free_memory, "STATUS", files["status"])
    monkeypatch.setattr(free_memory, "LIMITS", ((files["max"], files["current"]),))
    return lambda name, text: files[name].write_text(text)


def test_free_memory_is_the_machine_s_within_a_container_s_limit(told):
    assert free_bytes() is None
    told("meminfo", "MemTotal:  9000 kB\nMemFree: 10 kB\nMemAvailable:    5000 kB\n")
    assert free_bytes() == 5_120_000
    told("max", "max\n")
    told("current", "400\n")
    assert free_bytes() == 5_120_000
    told("max", "1000\n")
    assert free_bytes() == 600
    told("current", "1200\n")
    assert free_bytes() == 0


def test_what_this_process_has(told):
    assert resident_bytes() == 0
    told("status", "Name: python\nVmRSS:\t  12 kB\n")
    assert resident_bytes() == 12 * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc on this system")
def test_the_system_s_own_files():
    assert 1e6 < resident_bytes() < 1e12 and (free_bytes() or 0) > 1e6


def test_bytes_in_words():
    assert [in_bytes(number) for number in (0, 12_600_000, 999_000_000, 1_340_000_000)] == [
        "0 MB", "13 MB", "999 MB", "1.3 GB"]
