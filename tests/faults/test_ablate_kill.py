"""A study killed at any moment goes on where it was: nothing finished is trained twice, and the ledger is the same."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from watched import wait_for, workers_of

RECIPE = """
network: {name: mlp, width: 16, depth: 2}
optimizer: {name: adamw, learning_rate: 0.01}
techniques: {scale_numbers: {}, dropout: {}}
budget: {steps: 20, batch_size: 64}
"""
CLOCKED = ("seconds", "latency", "paces")
SIGNALS = {"SIGTERM": 143, "SIGINT": 130}


@pytest.fixture(scope="module")
def study(table, tmp_path_factory):
    """The words of a study of forty trainings."""
    recipe = tmp_path_factory.mktemp("study") / "recipe.yaml"
    recipe.write_text(RECIPE)
    words = ["ablate", table, "--target", "label", "--recipe", recipe, "--rows", 400, "--worth", 10, "--no-inspect"]
    return [*words, "--device", "cpu", "--json"]


def timeless(folder):
    """A ledger without what clocks say in it."""

    def drop(value):
        if isinstance(value, dict):
            return {k: drop(v) for k, v in value.items() if k not in CLOCKED}
        return [drop(v) for v in value] if isinstance(value, list) else value

    return drop(json.loads((folder / "ledger.json").read_text()))


def kept(folder):
    """Keys of all trainings that were finished."""
    path = folder / "ablation" / "trainings.jsonl"
    lines = path.read_text().split("\n") if path.exists() else []
    return [json.loads(line)["key"] for line in lines if whole(line)]


def whole(line):
    try:
        return bool(json.loads(line))
    except ValueError:
        return False


@pytest.fixture(scope="module")
def unbroken(zygote, study, tmp_path_factory):
    """The ledger of one process that was never stopped."""
    from types import SimpleNamespace

    folder = tmp_path_factory.mktemp("unbroken") / "run"
    plain = {"cwd": str(folder.parent), "out": str(folder.with_name("out")), "err": str(folder.with_name("err"))}
    nothing = dict.fromkeys(("changes_in", "trace", "file_limit", "memory_limit", "kill_at"))
    words = [str(w) for w in [*study, "--workers", 1, "--out", folder]]
    assert zygote({"wait": zygote({"start": {"words": words, **plain, **nothing, "deadly": False}})}) == 0
    return SimpleNamespace(folder=folder, ledger=timeless(folder), keys=kept(folder))


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_as_if_it_never_was(start, study, unbroken, tmp_path):
    random = np.random.default_rng(0)
    folder, seen = tmp_path / "run", 0
    for count in random.integers(1, 12, 3):
        command = start(*study, "--workers", 1, "--out", folder)
        command.until(lambda seen=seen, count=count: len(kept(folder)) >= seen + count).kill()
        now = kept(folder)
        assert len(now) == len(set(now)) >= seen
        seen = len(now)
    ended = start(*study, "--workers", 1, "--out", folder).wait()
    assert ended.code == 0, ended
    keys = kept(folder)
    assert len(keys) == len(set(keys)), "something was trained twice"
    assert set(keys) == set(unbroken.keys)
    assert timeless(folder) == unbroken.ledger
    assert json.loads(ended.out)["rows"]
    assert ended.err == ""


@pytest.mark.slow
def test_processes_side_by_side_end_with_the_one_that_gives_orders_and_with_the_same_ledger(
    start, study, unbroken, tmp_path
):
    folder = tmp_path / "run"
    command = start(*study, "--workers", 2, "--out", folder).until(lambda: len(kept(folder)) >= 5)
    workers = workers_of(folder)
    assert len(workers) == 2
    command.kill()
    wait_for(lambda: not workers_of(folder))
    before = len(kept(folder))
    command = start(*study, "--workers", 2, "--out", folder)
    command.until(lambda: len(kept(folder)) > before)  # at once: a group of trainings ends as one
    os.kill(workers_of(folder)[0], signal.SIGKILL)
    ended = command.wait()
    assert ended.code == 0, ended
    assert len(kept(folder)) == len(set(kept(folder)))
    assert timeless(folder) == unbroken.ledger
    wait_for(lambda: not workers_of(folder))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "workers"), [("SIGINT", 1), ("SIGTERM", 2)])
def test_signal_stops_it_in_a_line_and_loses_nothing(name, workers, start, study, unbroken, tmp_path):
    folder = tmp_path / "run"
    command = start(*study, "--workers", workers, "--out", folder).until(lambda: len(kept(folder)) >= 3)
    command.send(getattr(signal, name))
    ended = command.wait()
    assert ended.code == SIGNALS[name], ended
    assert ended.out == ""
    ended.one_line(name)
    done = kept(folder)
    wait_for(lambda: not workers_of(folder))
    again = start(*study, "--resume", "--workers", 1, "--out", folder).wait()
    assert again.code == 0, again
    assert kept(folder)[: len(done)] == done
    assert len(kept(folder)) == len(set(kept(folder)))
    assert timeless(folder) == unbroken.ledger


def test_second_process_in_the_same_folder_is_refused(start, study, tmp_path):
    folder = tmp_path / "run"
    first = start(*study, "--workers", 1, "--out", folder).until(lambda: kept(folder))
    start(*study, "--workers", 1, "--out", folder).wait().refused("another process is working in", "--out")
    assert not first.ended()


def test_finished_study_is_read_again_and_not_trained(start, study, unbroken):
    before = kept(unbroken.folder)
    ended = start(*study, "--workers", 1, "--out", unbroken.folder).wait()
    assert ended.code == 0, ended
    assert kept(unbroken.folder) == before
    assert timeless(unbroken.folder) == unbroken.ledger


@pytest.mark.parametrize("damage", ["{", "[]", '{"effects": 3}', "\x00"])
def test_damaged_ledger_is_said_in_a_line(damage, start, short_run, tmp_path):
    import shutil

    folder = Path(shutil.copytree(short_run, tmp_path / "run"))
    (folder / "ledger.json").write_text(damage)
    ended = start("report", folder).wait()
    assert ended.code == 2, ended
    ended.one_line(str(folder))
