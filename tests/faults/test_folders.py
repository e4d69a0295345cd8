"""Run folders that cannot be written, fill up, vanish or are taken: one line, and nothing that was saved is lost."""

import os
import shutil
import signal
import subprocess

import pytest

from aurify.core.folder import RunFolder


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KB of its own; needs the right to mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "aurify-test", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a file system is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_folder_that_is_a_file_is_refused(aurify, short_fit, tmp_path):
    path = tmp_path / "file"
    path.write_text("mine")
    for words in (["--out", path], ["--out", path, "--force"], ["--out", path, "--resume"], ["--out", path / "run"]):
        aurify(*short_fit, *words).refused(str(path))
    assert path.read_text() == "mine"


def test_folder_that_cannot_be_made_is_refused(aurify, short_fit, tmp_path):
    for path in ("/proc/run", "/dev/null/run", "/sys/run", tmp_path / ("long" * 100)):
        aurify(*short_fit, "--out", path).refused(str(path))


@pytest.mark.parametrize("words", [[], ["--force"], ["--resume"]])
def test_folder_with_other_files_is_left_alone(words, aurify, short_fit, tmp_path):
    path = tmp_path / "mine"
    path.mkdir()
    (path / "thesis.txt").write_text("years of work")
    aurify(*short_fit, "--out", path, *words).refused(str(path))
    assert [file.name for file in path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("words", [[], ["--resume"]])
def test_files_named_like_a_runs_are_not_lost_without_force(words, aurify, short_fit, tmp_path):
    """Somebody else's ``scores.json`` and ``checkpoints``: no recipe of ours lies beside them."""
    path = tmp_path / "mine"
    (path / "checkpoints").mkdir(parents=True)
    (path / "checkpoints" / "best.pt").write_text("weeks of training")
    (path / "scores.json").write_text("[1, 2]")
    (path / "thesis.txt").write_text("years of work")
    aurify(*short_fit, "--out", path, *words).refused(str(path))
    assert (path / "scores.json").read_text() == "[1, 2]"
    assert (path / "checkpoints" / "best.pt").exists()


def test_force_removes_the_old_run_and_nothing_else(aurify, short_fit, short_run, tmp_path, same):
    folder = shutil.copytree(short_run, tmp_path / "run")
    (folder / "notes.txt").write_text("mine")
    (folder / "checkpoints" / "step-000000009.aurify").write_text("of the old run")
    assert aurify(*short_fit, "--out", folder, "--force").code == 0
    assert (folder / "notes.txt").read_text() == "mine"
    assert not (folder / "checkpoints" / "step-000000009.aurify").exists()
    same(folder, short_run)


@pytest.mark.parametrize("limit", [1_000, 3_000, 9_000, 20_000, 40_000])
def test_write_that_fails_is_one_line_and_loses_nothing(limit, aurify, short_fit, short_run, tmp_path, same, whole):
    """No file may pass ``limit`` bytes: what fails is the real write call, in the middle of a file."""
    folder = tmp_path / "run"
    ended = aurify(*short_fit, "--quiet", "--out", folder, file_limit=limit)
    if ended.code == 0:
        pytest.fail("the limit is too high to stop anything")
    ended.refused(str(folder))
    whole(folder)
    assert not list(tmp_path.rglob("*.tmp")), "a write that failed left its temporary file"
    assert aurify(*short_fit, "--resume", "--out", folder).code == 0
    same(folder, short_run)


@pytest.mark.slow
def test_full_disk_is_one_line_and_loses_nothing(aurify, long_fit, long_run, small_disk, tmp_path, same, whole):
    folder = small_disk / "run"
    aurify(*long_fit, "--quiet", "--out", folder).refused(str(folder), "space")
    whole(folder)
    moved = shutil.copytree(folder, tmp_path / "moved") if folder.exists() else tmp_path / "moved"
    assert aurify(*long_fit, "--resume", "--out", moved).code == 0
    same(moved, long_run[0])


@pytest.mark.slow
def test_disk_that_fills_up_in_training_loses_nothing(
    start, aurify, long_fit, long_run, small_disk, same, whole, saved
):
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    folder, filler = small_disk / "run", small_disk / "filler"
    command = start(*long_fit, "--quiet", "--out", folder).until(lambda: len(saved(folder)) > 1)
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=4k"], capture_output=True)
    command.wait().refused(str(folder), "space")
    whole(folder)
    assert saved(folder)
    filler.unlink()
    assert aurify(*long_fit, "--resume", "--out", folder).code == 0
    same(folder, long_run[0])


@pytest.mark.parametrize("name", ["store", "checkpoints", "recipe.yaml", "model.aurify"])
def test_name_that_is_taken_by_the_wrong_kind_is_one_line(name, aurify, long_fit, interrupted):
    path = interrupted / name
    if path.is_dir():
        shutil.rmtree(path)
        path.write_text("in the way")
    else:
        path.unlink(missing_ok=True)
        path.mkdir()
        (path / "in the way").touch()
    aurify(*long_fit, "--quiet", "--resume", "--out", interrupted).refused(str(interrupted))


def test_folder_moved_away_in_training_is_one_line(start, long_fit, tmp_path, saved):
    folder = tmp_path / "run"
    command = start(*long_fit, "--quiet", "--out", folder).until(lambda: saved(folder))
    folder.rename(tmp_path / "elsewhere")
    command.wait().refused(str(folder))


@pytest.mark.slow
@pytest.mark.parametrize("words", [[], ["--resume"], ["--force"]])
def test_second_process_on_a_run_is_refused_and_harms_nothing(words, start, long_fit, long_run, tmp_path, same, saved):
    folder = tmp_path / "run"
    first = start(*long_fit, "--quiet", "--out", folder).until(lambda: saved(folder))
    second = start(*long_fit, "--quiet", "--out", folder, *words)
    second.until(second.ended)
    assert not first.ended(), "the first was done before the second was refused: nothing is tested"
    line = second.wait().refused(str(folder))
    assert "another process" in line or not words
    assert first.wait().code == 0
    same(folder, long_run[0])


def test_two_processes_that_start_at_once_do_the_work_once(start, short_fit, short_run, tmp_path, same):
    folder = tmp_path / "run"
    both = [start(*short_fit, "--quiet", "--resume", "--out", folder) for _ in range(2)]
    ended = [command.wait() for command in both]
    assert 0 in [one.code for one in ended]
    for one in ended:
        if one.code:
            one.refused("another process")
    same(folder, short_run)


@pytest.mark.slow
def test_unnamed_runs_that_start_at_once_take_folders_of_their_own(start, short_fit, short_run, tmp_path, same):
    for command in [start(*short_fit, "--quiet") for _ in range(3)]:
        ended = command.wait()
        assert ended.code == 0, ended
    folders = [path for path in (tmp_path / "runs").iterdir() if not path.is_symlink()]
    assert len(folders) == 3
    for folder in folders:
        same(folder, short_run)


def test_lock_of_a_killed_process_is_free(start, aurify, long_fit, tmp_path, saved):
    folder = tmp_path / "run"
    start(*long_fit, "--out", folder).until(lambda: saved(folder)).kill()
    again = RunFolder(folder)
    again.hold()
    again.release()


@pytest.mark.slow
def test_stopped_process_keeps_its_lock(start, aurify, long_fit, tmp_path, saved):
    folder = tmp_path / "run"
    command = start(*long_fit, "--out", folder).until(lambda: saved(folder))
    command.send(signal.SIGSTOP)
    aurify(*long_fit, "--quiet", "--resume", "--out", folder).refused("another process")
    command.send(signal.SIGCONT)
    assert command.wait().code == 0


def test_predictions_never_replace_what_is_no_file(aurify, short_run, table, tmp_path):
    """``-o PIPE``, or as root ``-o /dev/null``: writing beside it and renaming would do away with the device."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    aurify("predict", short_run, table, "-o", pipe, "--quiet").refused(str(pipe))
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    ended = aurify("predict", short_run, table, "-o", pipe, "--force", "--quiet")
    os.close(reader)
    assert pipe.is_fifo(), ended
    assert ended.code in (0, 2, 141)


@pytest.mark.slow
def test_predictions_that_cannot_be_written_are_one_line(aurify, short_run, table, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for path in (tmp_path / "no" / "out.csv", tmp_path / "file" / "out.csv", tmp_path / "folder", "/proc/out.csv"):
        aurify("predict", short_run, table, "-o", path, "--quiet").refused(str(path))
        aurify("predict", short_run, table, "-o", path, "--force", "--quiet").refused(str(path))
    out = tmp_path / "out.csv"
    aurify("predict", short_run, table, "-o", out, "--quiet", file_limit=5_000).refused(str(out))
    assert not out.exists()
    assert not list(tmp_path.glob(".*.tmp"))


def test_half_written_predictions_do_not_replace_older_ones(aurify, short_run, table, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("older")
    for deadly in (False, True):
        ended = aurify("predict", short_run, table, "-o", out, "--force", file_limit=5_000, deadly=deadly)
        assert ended.code in (2, -signal.SIGXFSZ)
        assert out.read_text() == "older"
