"""What predict.py makes of files, folders and patterns."""
import pytest

from experiments.prediction.images import find_images
from experiments.system.errors import UsageError


@pytest.fixture
def folder(tmp_path):
    for name in ("b.png", "a.DCM", "c.txt", ".hidden.png", "d[1].png", "below/e.jpeg", "below/deeper/f.tif"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize(("given", "expected"), [
    ("", ["a.DCM", "b.png", "d[1].png"]), ("below", ["below/e.jpeg"]), ("c.txt", ["c.txt"]), ("none.png", ["none.png"]),
    ("*.png", [".hidden.png", "b.png", "d[1].png"]), ("[ab].*", ["a.DCM", "b.png"]), ("d[1].png", ["d[1].png"]),
    ("**/*.?i?", ["below/deeper/f.tif"]), ("*/*/f.tif", ["below/deeper/f.tif"]),
    ("l" * 5000, ["l" * 5000])])
def test_files_folders_and_patterns(given, expected, folder):
    assert find_images([f"{folder}/{given}"]) == [folder / name for name in expected]


def test_several_in_the_order_given(folder):
    assert [path.name for path in find_images([f"{folder}/c.txt", f"{folder}/below", f"{folder}/b*"])] == [
        "c.txt", "e.jpeg", "b.png"]


def test_a_pattern_relative_to_here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert [str(path) for path in find_images(["b*.png", "be*/*.jpeg"])] == ["b.png", "below/e.jpeg"]


@pytest.mark.parametrize(("given", "message"), [
    ("empty", r"no images in this folder itself .*/\*\*/\*.png"), ("x*.png", "as a pattern it fits none"),
    ("a**b/c", "cannot be followed|fits none")])
def test_a_folder_without_images_and_a_pattern_without_files_are_wrong_calls(given, message, folder):
    (folder / "empty").mkdir()
    with pytest.raises(UsageError, match=message):
        find_images([f"{folder}/{given}"])


def test_folders_that_link_to_themselves_end(folder):
    for number in range(4):
        (folder / "below" / f"again{number}").symlink_to(folder)
    assert find_images([f"{folder}/**/f.tif"]) == [folder / "below/deeper/f.tif"]
