"""write_whole: a regular file is replaced in one step, whatever links lead to it; anything else is written into."""
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.files import write_whole

ROOT = Path(__file__).parents[2]


def test_a_link_stays_and_its_target_is_replaced_in_its_own_folder(tmp_path):
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "file", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to("there/file")
    write_whole(link, b"new")
    assert link.is_symlink() and os.readlink(link) == "there/file"
    assert target.read_bytes() == b"new" and not target.is_symlink()
    assert os.listdir(target.parent) == ["file"] and sorted(os.listdir(tmp_path)) == ["link", "there"]


def test_a_dangling_link_leads_to_a_new_file(tmp_path):
    (tmp_path / "link").symlink_to("between")
    (tmp_path / "between").symlink_to("target")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "target").read_bytes() == b"new" and (tmp_path / "link").is_symlink()
    (tmp_path / "nowhere").symlink_to("no_folder/file")
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "nowhere", b"new")


def test_links_in_a_circle_are_an_oserror(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        write_whole(tmp_path / "a", b"new")
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_a_folder_is_an_oserror_and_nothing_is_left_in_it(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "folder", b"new")
    assert os.listdir(tmp_path) == ["folder"] and os.listdir(tmp_path / "folder") == []


def test_a_device_stays_a_device(tmp_path):
    before = os.stat("/dev/null")
    (tmp_path / "link").symlink_to("/dev/null")
    for path in (Path("/dev/null"), tmp_path / "link"):
        write_whole(path, b"gone")
    after = os.stat("/dev/null")
    assert stat.S_ISCHR(after.st_mode) and (after.st_dev, after.st_ino) == (before.st_dev, before.st_ino)
    with pytest.raises(OSError, match="No space left"):
        write_whole(Path("/dev/full"), b"new")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_a_pipe_is_written_into(tmp_path):
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_whole(pipe, b"x" * 200_000)
    reader.join()
    assert read == [b"x" * 200_000] and stat.S_ISFIFO(os.stat(pipe).st_mode) and os.listdir(tmp_path) == ["pipe"]


STANDARD_OUTPUT = """
from pathlib import Path
from engine.files import write_whole
print("before")
write_whole(Path({path!r}), b"between\\n")
print("after")
"""


def printed(path, **where):
    return subprocess.run([sys.executable, "-c", STANDARD_OUTPUT.format(path=str(path))], cwd=ROOT, check=True, **where)


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_standard_output_goes_on_whatever_it_is(tmp_path, path):
    if path == "link":
        path = tmp_path / "link"
        path.symlink_to("/dev/stdout")
    text = b"before\nbetween\nafter\n"
    assert printed(path, stdout=subprocess.PIPE).stdout == text
    with open(tmp_path / "file", "wb") as file:
        printed(path, stdout=file)
        inode = os.fstat(file.fileno()).st_ino
    assert (tmp_path / "file").read_bytes() == text and os.stat(tmp_path / "file").st_ino == inode
    assert set(os.listdir(tmp_path)) <= {"file", "link"}


def test_the_new_file_has_the_permissions_of_the_old_one(tmp_path):
    path = tmp_path / "file"
    write_whole(path, b"old")
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask()
    path.chmod(0o640)
    write_whole(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640 and path.read_bytes() == b"new"


def umask():
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def test_a_name_as_long_as_names_may_be(tmp_path):
    path = tmp_path / ("n" * 255)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
