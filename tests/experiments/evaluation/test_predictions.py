"""predictions.csv: an exact round trip, and messages that name file and line."""
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from experiments.evaluation.predictions import ImagePredictions, read_predictions, write_predictions
from experiments.system.errors import Failure

HEADER = "split,name,patient,label,cancer,normal,benign\n"
ROW = "test,a.png,p1,benign,0.25,0.5,1.0\n"


def split_of(outputs, start=0, classes=("cancer", "normal", "benign")):
    n = len(outputs)
    names = np.array([f"{start + i}.png" for i in range(n)])
    return ImagePredictions(names, np.array([f"p{i // 2}" for i in range(n)]), np.arange(n) % len(classes),
                            outputs, classes)


def same(one, other):
    assert one.classes == other.classes
    for field in ("names", "patients", "labels", "probabilities"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))


@settings(max_examples=100, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hnp.arrays(np.float32, (4, 3), elements=st.floats(0, 1, width=32, allow_subnormal=True)))
def test_the_same_bits_come_back(tmp_path, outputs):
    write_predictions(tmp_path / "predictions.csv", {"test": split_of(outputs)})
    back = read_predictions(tmp_path / "predictions.csv")["test"]
    assert back.probabilities.dtype == np.float32
    np.testing.assert_array_equal(back.probabilities.view(np.int32), outputs.view(np.int32))


def test_splits_classes_and_awkward_names_come_back(tmp_path):
    generator = np.random.default_rng(0)
    test = split_of(generator.random((5, 2), dtype=np.float32), 9, ("cancer", "benign"))
    test.names[:2] = 'a, "b"', "two\nlines"
    given = {"train": split_of(generator.random((3, 2), dtype=np.float32), 0, ("cancer", "benign")), "test": test}
    write_predictions(tmp_path / "predictions.csv", given)
    back = read_predictions(tmp_path / "predictions.csv")
    assert list(back) == ["train", "test"] and len(back["test"]) == 5
    for name, expected in given.items():
        same(back[name], expected)


def test_the_file_reads_like_a_table(tmp_path):
    write_predictions(tmp_path / "predictions.csv", {"test": split_of(np.array([[0.25, 0.5, 1]], np.float32))})
    assert (tmp_path / "predictions.csv").read_text() == HEADER + "test,0.png,p0,cancer,0.25,0.5,1.0\n"


@pytest.mark.parametrize(("text", "message"), [
    ("", r"line 1: expected the columns split,name,patient,label .* found nothing"),
    ("a,b\n1,2\n", "line 1: expected the columns"),
    ("split,name,patient,label,cancer\n", "at least two classes"),
    ("split,name,patient,label,cancer,cancer\n", "line 1"),
    (HEADER, "lists no images"),
    (HEADER + ROW + "test,b.png,p1,benign,0.25,0.5\n", "line 3: has 6 cells, expected 7"),
    (HEADER + "\n", "line 2: has 0 cells"),
    (HEADER + ROW + "test,b.png,p1,hybrid,0.25,0.5,1\n", "line 3: unknown label 'hybrid'"),
    (HEADER + ROW.replace("p1", ""), "line 2: the patient is empty"),
    (HEADER + ROW.replace("0.25", "nan"), "line 2: 'nan' is not a number from 0 to 1"),
    (HEADER + ROW.replace("0.25", "1.5"), "line 2: '1.5' is not"),
    (HEADER + ROW.replace("0.25", "much"), "line 2: 'much' is not"),
    (HEADER + ROW + ROW, r"line 3: image 'a\.png' of split 'test' is listed already"),
    (HEADER + 'test,"a', "cannot be read as a CSV file"),
    (HEADER + "\xff", "cannot be read as a CSV file"),
])
def test_malformed_files_are_named_with_their_line(tmp_path, text, message):
    (tmp_path / "predictions.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(Failure, match=message) as raised:
        read_predictions(tmp_path / "predictions.csv")
    assert str(raised.value).startswith(str(tmp_path / "predictions.csv"))


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(Failure, match=r"predictions\.csv: there is no such file"):
        read_predictions(tmp_path / "predictions.csv")
    with pytest.raises(Failure, match="cannot be read"):
        read_predictions(tmp_path)
