"""SIGKILL at any moment loses nothing: a run that goes on ends bit-equal to one that was never stopped."""

import os
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest

KILLS = 5
MARKS = {  # a run has come this far once this exists
    "reading": ".lock",
    "preparing": "recipe.yaml",
    "training": "checkpoints",
    "after training": "training.json",
    "baselines": "openings.jsonl",
    "the end": "predictions.parquet",
}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_run_killed_at_random_moments_equals_an_unbroken_one(seed, start, long_fit, long_run, tmp_path, same, whole):
    random = np.random.default_rng(seed)
    unbroken, seconds = long_run
    folder = tmp_path / "run"
    for _ in range(KILLS):
        command = start(*long_fit, "--resume", "--out", folder)
        time.sleep(random.uniform(0, 0.7) * seconds)
        command.kill()
        whole(folder)
    ended = start(*long_fit, "--resume", "--out", folder).wait()
    assert ended.code == 0, ended
    same(folder, unbroken)


@pytest.mark.slow
@pytest.mark.parametrize("phase", MARKS)
def test_run_killed_in_each_phase_equals_an_unbroken_one(phase, start, long_fit, long_run, tmp_path, same, whole):
    """The first two with a look at the data, which takes its time; what it finds is found again."""
    random, looked = np.random.default_rng(list(MARKS).index(phase)), phase in ("reading", "preparing")
    long_fit = [word for word in long_fit if not looked or word != "--no-inspect"]
    folder = tmp_path / "run"
    command = start(*long_fit, "--resume", "--out", folder).until((folder / MARKS[phase]).exists)
    time.sleep(random.uniform(0, 0.1))
    command.kill()
    whole(folder)
    ended = start(*long_fit, "--resume", "--out", folder).wait()
    assert ended.code == 0, ended
    same(folder, long_run[0], but={"findings"} if looked else ())


def test_resumed_training_goes_on_from_its_last_checkpoint(start, long_fit, interrupted, saved):
    oldest, newest = saved(interrupted)
    seen = set()

    def moved():
        seen.update(path.name for path in saved(interrupted))
        return max(seen) > newest.name

    start(*long_fit, "--resume", "--out", interrupted).until(moved).kill()
    assert min(seen) == oldest.name
    assert not any(oldest.name < name < newest.name for name in seen), "steps already taken were taken again"


@pytest.mark.slow
def test_kill_before_any_change_of_a_file_leaves_whole_files_and_loses_nothing(
    start, short_fit, short_run, tmp_path, same, whole
):
    """Every rename, removal, new folder and opened file of a run is in turn the first thing it does not do."""
    folder, trace = tmp_path / "run", tmp_path / "trace"
    assert start(*short_fit, "--out", folder, changes_in=folder, trace=trace).wait().code == 0
    states = trace.read_text().splitlines()
    assert len(states) > 40, "fewer changes than a run makes: the hook missed some"
    # what changes only temporary files leaves the same state as the change before it
    moments = [at for at, state in enumerate(states, start=1) if state not in states[: at - 1]]
    assert len(moments) > 15
    for at in moments:
        shutil.rmtree(folder)
        ended = start(*short_fit, "--out", folder, changes_in=folder, kill_at=at).wait()
        assert ended.code == -signal.SIGKILL, (at, ended)
        whole(folder)
        ended = start(*short_fit, "--resume", "--out", folder).wait()
        assert ended.code == 0, (at, states[at - 1], ended)
        same(folder, short_run)


@pytest.mark.slow
@pytest.mark.parametrize("limit", [0, 10, 1_000, 10_000, 20_000, 30_000])
def test_kill_in_the_middle_of_a_write_leaves_whole_files(limit, start, short_fit, short_run, tmp_path, same, whole):
    """The kernel kills the process at the first file to pass ``limit`` bytes, so that file is half-written."""
    folder = tmp_path / "run"
    ended = start(*short_fit, "--quiet", "--out", folder, file_limit=limit, deadly=True).wait()
    assert ended.code == -signal.SIGXFSZ, ended
    whole(folder)
    again = start(*short_fit, "--resume", "--out", folder).wait()
    assert again.code == 0, again
    same(folder, short_run)


@pytest.mark.slow
def test_finished_run_keeps_no_rubbish_of_killed_sittings(start, long_fit, tmp_path):
    folder, left = tmp_path / "run", set()
    for limit in (10_000, 70_000):
        start(*long_fit, "--resume", "--out", folder, file_limit=limit, deadly=True).wait()
        left |= {path.parent.name for path in folder.rglob(".*.tmp")}
    assert left >= {"run", "checkpoints"}, "no kill left temporary files: nothing is tested here"
    assert start(*long_fit, "--resume", "--out", folder).wait().code == 0
    assert not list(folder.rglob(".*.tmp"))


@pytest.mark.slow
def test_kill_while_force_clears_a_run_neither_brings_it_back_nor_ends_in_a_dead_end(
    start, short_fit, short_run, tmp_path, same
):
    old, folder, trace = tmp_path / "old", tmp_path / "run", tmp_path / "trace"
    assert start(*short_fit, "--seed", "7", "--out", old).wait().code == 0
    shutil.copytree(old, folder)
    assert start(*short_fit, "--force", "--out", folder, changes_in=folder, trace=trace).wait().code == 0
    states = trace.read_text().splitlines()
    moments = [at for at, state in enumerate(states, start=1) if state not in states[: at - 1]]
    read = next(at for at in moments if "store/" in states[at - 1] and "scores.json" not in states[at - 1])
    cleared = next(at for at in moments if "recipe.yaml" not in states[at - 1])  # before it is the old run, whole
    for at in (m for m in moments if cleared <= m <= read):
        shutil.rmtree(folder)
        shutil.copytree(old, folder)
        assert start(*short_fit, "--force", "--out", folder, changes_in=folder, kill_at=at).wait().code < 0
        ended = start(*short_fit, "--resume", "--out", folder).wait()
        assert ended.code == 0, (at, states[at - 1], ended)
        same(folder, short_run)


@pytest.mark.slow
def test_resume_without_a_folder_finds_the_killed_run(start, long_fit, long_run, tmp_path, same, saved):
    folder = tmp_path / "runs" / "table"
    start(*long_fit).until(lambda: saved(folder)).kill()
    for _ in range(2):
        known = saved(folder)
        start(*long_fit, "--resume").until(lambda known=known: saved(folder)[-1] > known[-1]).kill()
    assert start(*long_fit, "--resume").wait().code == 0
    assert sorted(p.name for p in folder.parent.iterdir()) == ["latest", "table"]
    same(folder, long_run[0])


@pytest.mark.slow
def test_resume_without_any_words_goes_on_with_the_run_begun_last(start, long_fit, long_run, tmp_path, same, saved):
    folder = tmp_path / "runs" / "table"
    start(*long_fit).until(lambda: saved(folder)).kill()
    ended = start("fit", "--resume", "--checkpoint-every", "0.03s").wait()
    assert ended.code == 0, ended
    same(folder, long_run[0])


def test_begun_folder_is_not_taken_over_without_resume(start, short_fit, interrupted):
    start(*short_fit, "--quiet", "--out", interrupted).wait().refused("--resume", "--force")
    start(*short_fit, "--quiet", "--resume", "--out", interrupted).wait().refused("--resume", "--out")


def test_finished_run_is_not_done_again(start, short_fit, short_run, tmp_path, same):
    folder = shutil.copytree(short_run, tmp_path / "run")
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.name != ".lock"}
    ended = start(*short_fit, "--resume", "--out", folder).wait()
    assert ended.code == 0
    assert "finished already" in ended.err
    assert times == {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.name != ".lock"}


@pytest.mark.slow
def test_installed_command_survives_a_kill_of_its_whole_group(cold, long_fit, long_run, tmp_path, same, saved):
    folder = tmp_path / "run"
    process = cold(*long_fit, "--resume", "--out", folder, start_new_session=True)
    while process.poll() is None and len(saved(folder)) < 2:
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    process = cold(*long_fit, "--resume", "--out", folder, "--quiet", stderr=subprocess.STDOUT)
    out = process.communicate()[0]
    assert process.returncode == 0, out
    same(folder, long_run[0])
