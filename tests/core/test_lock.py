"""Folders that several processes want at once: each hole through which two could come to share one."""

import fcntl
import threading
from pathlib import Path

import pytest

from aurify.core import folder as folders
from aurify.core.errors import AurifyError
from aurify.core.folder import RunFolder, claim


@pytest.fixture
def before(monkeypatch):
    """Let something happen once, at the moment before the first call of a function."""

    def arrange(place, name, happening):
        real, left = getattr(place, name), [happening]

        def first_that(*args, **kwargs):
            if left:
                left.pop()()
            return real(*args, **kwargs)

        monkeypatch.setattr(place, name, first_that)

    return arrange


def test_processes_that_look_around_at_once_claim_folders_of_their_own(tmp_path, monkeypatch):
    """All four have seen that no name is taken before the first of them takes one."""
    looked, claimed = threading.Barrier(4), []
    real = folders.named

    def named(*args):
        found = real(*args)
        looked.wait(10)
        return found

    monkeypatch.setattr(folders, "named", named)
    threads = [threading.Thread(target=lambda: claimed.append(claim("churn.csv", tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(folder.path.name for folder in claimed) == ["churn", "churn-2", "churn-3", "churn-4"]
    for folder in claimed:
        with pytest.raises(AurifyError, match="another process"):
            RunFolder(folder.path).hold()
        folder.release()


def test_name_that_another_took_and_finished_meanwhile_is_passed_over(tmp_path, before):
    """It was made by this process, named with --out by another, and a whole run was written before it was locked."""
    other = RunFolder(tmp_path / "churn")

    def whole_run():
        other.hold()
        other.recipe.write_text("")
        other.release()

    before(fcntl, "flock", whole_run)
    mine = claim("churn", tmp_path)
    assert mine.path.name == "churn-2"
    assert other.recipe.exists()
    mine.release()


def test_name_that_another_is_at_work_in_is_passed_over(tmp_path, before):
    other = RunFolder(tmp_path / "churn")
    before(fcntl, "flock", other.hold)
    mine = claim("churn", tmp_path)
    assert mine.path.name == "churn-2"
    mine.release()
    other.release()
    assert not list(tmp_path.iterdir()), "nothing was begun"


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("nowhere")])
def test_name_that_is_taken_by_anything_at_all_is_passed_over(make, tmp_path):
    make(tmp_path / "churn")
    mine = claim("churn", tmp_path)
    assert mine.path.name == "churn-2"
    mine.release()


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("nowhere")])
def test_claim_where_no_folder_can_be_is_one_line(make, tmp_path):
    make(tmp_path / "runs")
    with pytest.raises(AurifyError, match="cannot be written"):
        claim("churn", tmp_path / "runs")


def test_process_that_is_refused_removes_nothing(tmp_path):
    """The folder is still empty: the other has just begun."""
    first, second = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "run")
    first.hold()
    with pytest.raises(AurifyError, match="another process is working"):
        second.hold()
    second.release()
    assert first.path.is_dir()
    with pytest.raises(AurifyError, match="another process is working"):
        second.hold()
    first.release()
    assert not first.path.exists()


def test_lock_file_that_was_removed_is_no_lock(tmp_path, before):
    """The late comer has opened it; it is removed with the folder, and a third process makes and locks a new one."""
    first, late, third = (RunFolder(tmp_path / "run") for _ in range(3))
    first.hold()

    def change_hands():
        first.release()
        third.hold()

    before(fcntl, "flock", change_hands)
    with pytest.raises(AurifyError, match="another process is working"):
        late.hold()
    third.recipe.write_text("")
    third.release()
    late.hold()
    late.release()
    assert third.recipe.exists()


def test_late_comer_of_a_folder_that_was_removed_makes_it_anew(tmp_path, before):
    first, late = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "run")
    first.hold()
    before(fcntl, "flock", first.release)
    late.hold()
    with pytest.raises(AurifyError, match="another process is working"):
        RunFolder(tmp_path / "run").hold()
    late.release()


def test_folder_removed_before_its_lock_is_opened_is_made_anew(tmp_path, before):
    first, late = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "run")
    first.hold()
    before(Path, "open", first.release)
    late.hold()
    assert late.path.is_dir()
    late.release()


def test_folder_removed_when_it_was_seen_to_be_there_is_made_anew(tmp_path, before):
    first, late = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "run")
    first.hold()
    before(Path, "is_dir", first.release)
    late.hold()
    assert late.path.is_dir()
    late.release()


def test_folder_that_took_the_place_of_ones_own_is_not_removed(tmp_path):
    first, second = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "run")
    first.hold()
    first.path.rename(tmp_path / "elsewhere")
    second.hold()
    first.release()
    assert second.path.is_dir()
    with pytest.raises(AurifyError, match="another process is working"):
        first.hold()
    second.release()


def test_lock_that_cannot_be_opened_is_one_line(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").symlink_to("no/such/place")
    with pytest.raises(AurifyError, match="cannot be written"):
        RunFolder(tmp_path / "run").hold()
    (tmp_path / "run" / ".lock").unlink()
    (tmp_path / "run" / ".lock").mkdir()
    with pytest.raises(AurifyError, match="cannot be written"):
        RunFolder(tmp_path / "run").hold()


def test_folder_that_vanishes_while_it_is_looked_at_is_nobody_elses(tmp_path):
    assert not RunFolder(tmp_path / "gone").foreign()


def test_what_is_in_a_folder_is_kept_when_nothing_was_begun(tmp_path):
    folder = RunFolder(tmp_path / "run")
    with folder.held():
        (folder.path / "notes.txt").write_text("mine")
    assert [path.name for path in folder.path.iterdir()] == ["notes.txt"]
