"""Run folders: names, locks, openings of the test part, and what clearing leaves alone."""

import json

import pytest

from aurify.core import folder as folders
from aurify.core.errors import AurifyError
from aurify.core.folder import RunFolder


def claimed(source, root):
    folder = folders.claim(source, root)
    folder.recipe.touch()
    folder.release()
    return folder.path


def test_names_are_the_source_then_numbered(tmp_path):
    assert claimed("data/churn.csv", tmp_path) == tmp_path / "churn"
    assert claimed("churn.csv", tmp_path) == tmp_path / "churn-2"
    (tmp_path / "churn-old").mkdir()
    (tmp_path / "churn-10").mkdir()
    assert claimed("churn.csv", tmp_path) == tmp_path / "churn-11"
    assert [p.name for p in folders.named("churn.csv", tmp_path)] == ["churn", "churn-2", "churn-10", "churn-11"]


def test_freed_name_is_not_given_to_a_later_run(tmp_path):
    """Numbers only rise, so that 'the newest' stays the highest."""
    (tmp_path / "churn-2").mkdir()
    assert claimed("churn", tmp_path) == tmp_path / "churn-3"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("a b/ä ö.csv", "ä_ö"),
        (".csv", "run"),
        ("...", "run"),
        ("x" * 300 + ".csv", "x" * 80),
        ("data.tar.gz", "data"),
        ("-rf.csv", "rf"),
        ("", "run"),
    ],
)
def test_folder_names_are_safe(source, name):
    assert folders.folder_name(source) == name


def test_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AurifyError, match="cannot be written"):
        RunFolder(tmp_path / "file" / "run").hold()


def test_openings_count_work_not_attempts(folder):
    assert folder.record_opening("fit", "the end of fit", "part") == 1
    assert folder.record_opening("fit", "the end of fit", "part") == 1
    assert folder.record_opening("evaluate", "evaluate 17", "part") == 2
    assert folder.record_opening("fit", "the end of fit", "another part") == 1
    assert [o["verb"] for o in folder.read_openings()] == ["fit", "evaluate", "fit"]


def test_choices_are_kept_together(folder):
    folder.choose("steps", 7)
    folder.choose("micro_batches", [[0, 4]])
    assert folder.choices_made() == {"steps": 7, "micro_batches": [[0, 4]]}


def test_clearing_removes_a_run_and_nothing_else(folder):
    folder.checkpoints.mkdir()
    (folder.store).mkdir()
    for path in (folder.recipe, folder.scores, folder.progress, folder.choices, folder.openings, folder.bundle):
        path.write_text("{}")
    (folder.path / "training.json").write_text("{}")
    (folder.path / "diverged.json").write_text("{}")
    (folder.path / "notes of mine.txt").write_text("keep")
    folder.clear()
    left = {p.name for p in folder.path.iterdir()}
    assert left == {"notes of mine.txt", "openings.jsonl"}, "looks at the test part outlive --force"


def test_clearing_removes_folds_and_leaves_what_is_not_theirs(folder):
    for number in (1, 2):
        fold = folder.fold(number)
        fold.checkpoints.mkdir(parents=True)
        for path in (fold.parts, fold.bundle, fold.training, fold.choices, fold.checkpoints / "step-000000001.aurify"):
            path.write_text("{}")
    (folder.folds / "2" / "notes of mine.txt").write_text("keep")
    assert folder.exists()
    folder.clear()
    assert [p.relative_to(folder.folds).as_posix() for p in folder.folds.rglob("*")] == ["2", "2/notes of mine.txt"]


def test_latest_points_at_the_run_marked_last(tmp_path):
    for name in ("churn", "churn-2"):
        (tmp_path / name).mkdir()
        RunFolder(tmp_path / name).mark_latest()
    assert (tmp_path / "latest").resolve() == tmp_path / "churn-2"
    assert (tmp_path / "latest").readlink().as_posix() == "churn-2", "relative, so that runs/ may be moved"


def test_latest_that_is_a_real_folder_is_left_alone(tmp_path):
    (tmp_path / "latest").mkdir()
    (tmp_path / "latest" / "mine.txt").write_text("")
    (tmp_path / "churn").mkdir()
    RunFolder(tmp_path / "churn").mark_latest()
    assert (tmp_path / "latest" / "mine.txt").exists()


def test_damaged_choices_are_an_error_in_one_line(folder):
    folder.choices.write_text("{")
    with pytest.raises(AurifyError):
        folder.choices_made()


def test_opening_cut_short_by_a_kill_is_passed_over(folder):
    folder.record_opening("fit", "x", "part")
    with folder.openings.open("a") as file:
        file.write('{"at": "2025", "ver')
    assert [o["purpose"] for o in folder.read_openings()] == ["x"]


def test_opening_after_one_that_was_cut_short_is_counted(folder):
    folder.openings.write_text('{"at": "2025", "ver')
    assert folder.record_opening("fit", "x", "part") == 1
    assert [o["purpose"] for o in folder.read_openings()] == ["x"]


def test_looks_at_one_test_part_are_counted_over_the_runs_beside(tmp_path):
    for at, name in enumerate(("churn", "churn-2", "churn-3"), 1):
        (tmp_path / name).mkdir()
        assert RunFolder(tmp_path / name).record_opening("fit", "fit", "the part") == at
        RunFolder(tmp_path / name).mark_latest()
    assert RunFolder(tmp_path / "churn").record_opening("fit", "fit", "the part") == 3


def test_files_are_plain_json(folder):
    folder.choose("steps", 7)
    folder.record_opening("fit", "x", "part")
    assert json.loads(folder.choices.read_text()) == {"steps": 7}
    assert set(json.loads(folder.openings.read_text())) == {"at", "verb", "purpose", "part"}
