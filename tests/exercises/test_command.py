"""The command: list, start, check, report, and a message for every mistake of a user."""
import json
from dataclasses import replace

import pytest

from exercises import command
from exercises.catalogue import ORDER, exercise
from exercises.folder import digest
from exercises.source import solved, template
from exercises.verdict import Check, Verdict


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """run(*arguments) -> (exit code, what was printed), in a folder of its own, judging in this process."""
    monkeypatch.chdir(tmp_path)

    def judged(name, file, seed):
        passed = file.read_text("utf-8") == solved(exercise(name))
        return Verdict(name, seed, "", [Check("runs", passed)], []), ""

    monkeypatch.setattr(command, "judged", judged)
    monkeypatch.setattr("exercises.report.judged", judged)

    def running(*arguments):
        try:
            code = command.main(list(arguments))
        except SystemExit as ended:
            code = ended.code
        return code, "".join(capsys.readouterr())
    return running


def test_from_start_to_report(run, tmp_path):
    file = tmp_path / "my_exercises" / "dense_forward.py"
    assert run("start", "dense_forward")[0] == 0
    assert file.read_text("utf-8") == template(exercise("dense_forward"))
    assert list(file.parent.iterdir()) == [file]
    assert "started" in run("list")[1]
    code, text = run("check", "dense_forward", "--seed", "7")
    assert code == 1 and "not yet" in text and "--seed 7" in text
    file.write_text(solved(exercise("dense_forward")), "utf-8")
    assert run("check", "dense_forward")[0] == 0
    assert " passed " in run("list")[1]
    code, text = run("report", "--output", "report.json", "--seed", "5")
    assert code == 0 and f"passed 1 of {len(ORDER)}" in text
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert report["files"] == {"dense_forward": {"passed": True, "sha256": digest(file)}} and report["seed"] == 5
    assert report["digest"] in text
    file.write_text(file.read_text("utf-8") + "\n", "utf-8")
    assert "changed since it passed" in run("list")[1]
    assert run("check", "dense_forward")[0] == 1
    assert "changed" not in run("list")[1]


def test_a_file_that_exists_is_never_overwritten(run, tmp_path):
    file = tmp_path / "my_exercises" / "dense_forward.py"
    run("start", "dense_forward")
    file.write_text("mine", "utf-8")
    code, text = run("start", "dense_forward")
    assert code == 2 and "exists and stays as it is" in text and file.read_text("utf-8") == "mine"


def test_verify_judges_again_and_finds_every_change(run, tmp_path):
    run("start", "dense_forward")
    file = tmp_path / "my_exercises" / "dense_forward.py"
    file.write_text(solved(exercise("dense_forward")), "utf-8")
    run("report", "--output", "report.json")
    assert run("report", "--verify", "report.json")[0] == 0
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    report["seed"] += 1
    (tmp_path / "changed.json").write_text(json.dumps(report), "utf-8")
    code, text = run("report", "--verify", "changed.json")
    assert code == 1 and "changed after it was made" in text
    file.write_text(file.read_text("utf-8") + "# more\n", "utf-8")
    code, text = run("report", "--verify", "report.json")
    assert code == 1 and "another file than the one reported" in text
    file.unlink()
    code, text = run("report", "--verify", "report.json")
    assert code == 1 and "not there" in text


@pytest.mark.parametrize(("arguments", "message"), [
    ([], "COMMAND"),
    (["start"], "NAME"),
    (["start", "dance"], "there is no exercise 'dance'; expected one of dense_forward"),
    (["check", "dense_forward"], "there is no my_exercises/dense_forward.py: `python -m exercises start"),
    (["check", "dense_forward", "--seed", "-1"], "expected a whole number of at least 0"),
    (["report"], "no exercise was started in my_exercises"),
    (["report", "--verify", "nowhere.json"], "nowhere.json is no report: No such file"),
    (["report", "--verify", "other.json"], "other.json is no report; expected a file that"),
    (["start", "dense_forward", "--folder", "other.json"], "cannot be written: "),
])
def test_a_user_s_mistake_gets_a_message_and_exit_code_2(arguments, message, run, tmp_path):
    (tmp_path / "other.json").write_text("{}", "utf-8")
    code, text = run(*arguments)
    assert code == 2 and message in text and "Traceback" not in text, text


@pytest.mark.parametrize("arguments", [["--help"], ["report", "--help"]])
def test_help_has_examples(arguments, run):
    code, text = run(*arguments)
    assert code == 0 and "python -m exercises check dense_backward" in text
    assert ("does not prove" in text) == (arguments[0] == "report")


def test_what_an_exercise_needs_must_have_passed(run, tmp_path, monkeypatch):
    needing = replace(exercise("dense_backward"), needs=("dense_forward",))
    monkeypatch.setattr(command, "exercise", lambda name: needing if name == "dense_backward" else exercise(name))
    code, text = run("start", "dense_backward")
    assert code == 2 and "goes on with your own files: first pass dense_forward" in text
    monkeypatch.setattr(command, "all_exercises", lambda: [needing])
    assert "Goes on with your own dense_forward." in run("list")[1]
    run("start", "dense_forward")
    (tmp_path / "my_exercises" / "dense_forward.py").write_text(solved(exercise("dense_forward")), "utf-8")
    assert run("check", "dense_backward")[0] == 2
    assert run("check", "dense_forward")[0] == 0
    assert run("start", "dense_backward")[0] == 0


def test_a_verdict_is_printed_also_where_it_cannot_be_kept(run, tmp_path):
    run("start", "dense_forward")
    (tmp_path / "my_exercises" / "passed.json").mkdir()
    code, text = run("check", "dense_forward")
    assert code == 2 and "dense_forward: not yet" in text and "passed.json: Is a directory" in text
