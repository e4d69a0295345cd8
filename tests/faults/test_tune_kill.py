"""A search killed at any moment goes on where it was: the same trials, the same winner, nothing trained twice."""

import json
import os
import signal
from types import SimpleNamespace

import numpy as np
import pytest
from watched import wait_for, workers_of

RECIPE = """
network: {name: mlp, width: 16, depth: 1}
optimizer: {name: adamw, learning_rate: 0.01}
techniques: {scale_numbers: {}, dropout: {}}
budget: {epochs: 9, batch_size: 128}
"""
KNOBS = "network.width,dropout.rate,optimizer.learning_rate"
SIGNALS = {"SIGTERM": 143, "SIGINT": 130}


@pytest.fixture(scope="module")
def search(table, tmp_path_factory):
    """The words of a search of nine trials on three rungs."""
    recipe = tmp_path_factory.mktemp("search") / "recipe.yaml"
    recipe.write_text(RECIPE)
    words = ["tune", table, "--target", "label", "--recipe", recipe, "--method", "hyperband", "--trials", 9]
    return [*words, "--knobs", KNOBS, "--no-inspect", "--device", "cpu", "--json"]


def lines(folder):
    """Whole lines of the trainings that were kept."""
    path, found = folder / "search" / "trainings.jsonl", []
    for line in path.read_text().split("\n") if path.exists() else []:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def kept(folder):
    return [line["key"] for line in lines(folder)]


def trials(folder):
    """The trials without what clocks say of them."""
    found = json.loads((folder / "trials.json").read_text())
    names = ("number", "settings", "origin", "state", "reason", "score", "parts")
    return [{**{n: t[n] for n in names}, "rungs": [(r["share"], r["score"]) for r in t["rungs"]]} for t in found]


def told(folder):
    """What it found, without clocks."""
    plain = json.loads((folder / "tuning.json").read_text())
    return {name: plain[name] for name in ("best", "picked", "remeasured", "ensemble", "metric")}


def study_states(folder):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{folder}/search/study.db")
    return [(trial.number, trial.state.name) for trial in study.trials]


@pytest.fixture(scope="module")
def unbroken(zygote, search, tmp_path_factory):
    """What one process found that was never stopped."""
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    plain = {"cwd": str(folder.parent), "out": str(folder.with_name("out")), "err": str(folder.with_name("err"))}
    nothing = dict.fromkeys(("changes_in", "trace", "file_limit", "memory_limit", "kill_at"))
    words = [str(w) for w in [*search, "--workers", 1, "--out", folder]]
    assert zygote({"wait": zygote({"start": {"words": words, **plain, **nothing, "deadly": False}})}) == 0
    return SimpleNamespace(
        folder=folder,
        trials=trials(folder),
        told=told(folder),
        keys=kept(folder),
        model=(folder / "model.aurify").read_bytes(),
        printed=json.loads(folder.with_name("out").read_text()),
    )


def same(folder, unbroken):
    assert trials(folder) == unbroken.trials
    assert told(folder) == unbroken.told
    assert (folder / "model.aurify").read_bytes() == unbroken.model
    assert study_states(folder) == study_states(unbroken.folder)
    assert "RUNNING" not in dict(study_states(folder)).values()


def test_what_is_printed_is_what_was_asked_for(unbroken):
    printed = unbroken.printed
    assert {"run", "trials", "best", "picked", "remeasured", "seconds"} <= set(printed)
    assert printed["picked"] == unbroken.told["picked"]
    assert printed["remeasured"]["low"] < printed["remeasured"]["value"] < printed["remeasured"]["high"]
    assert {"complete", "pruned"} == {trial["state"] for trial in unbroken.trials}
    shares = sorted(round(trial["rungs"][-1][0], 2) for trial in unbroken.trials)
    assert shares == [0.11] * 6 + [0.33] * 2 + [1.0]


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_as_if_it_never_was(start, search, unbroken, tmp_path):
    random = np.random.default_rng(0)
    folder, seen = tmp_path / "run", 0
    for count in random.integers(1, 14, 3):
        command = start(*search, "--workers", 1, "--out", folder)
        command.until(lambda seen=seen, count=count: len(kept(folder)) >= seen + count).kill()
        now = kept(folder)
        assert len(now) == len(set(now)) >= seen
        seen = len(now)
    ended = start(*search, "--workers", 1, "--out", folder).wait()
    assert ended.code == 0, ended
    keys = kept(folder)
    assert len(keys) == len(set(keys)), "something was trained twice"
    assert sorted(keys) == sorted(unbroken.keys)
    same(folder, unbroken)


@pytest.mark.slow
def test_two_workers_one_of_them_killed_find_the_same(start, search, unbroken, tmp_path):
    folder = tmp_path / "run"
    command = start(*search, "--workers", 2, "--out", folder).until(lambda: len(kept(folder)) >= 5)
    workers = workers_of(folder)
    assert len(workers) == 2
    command.kill()
    wait_for(lambda: not workers_of(folder))
    command = start(*search, "--workers", 2, "--out", folder)
    command.until(lambda: len(kept(folder)) >= 12)
    os.kill(workers_of(folder)[0], signal.SIGKILL)
    ended = command.wait()
    assert ended.code == 0, ended
    assert len(kept(folder)) == len(set(kept(folder)))
    same(folder, unbroken)
    wait_for(lambda: not workers_of(folder))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "workers"), [("SIGINT", 1), ("SIGTERM", 2)])
def test_a_signal_ends_it_with_the_best_so_far_and_the_same_call_goes_on(
    name, workers, start, aurify, search, unbroken, table, tmp_path
):
    folder = tmp_path / "run"
    command = start(*search, "--workers", workers, "--out", folder).until(lambda: (folder / "trials.json").exists())
    command.send(getattr(signal, name))
    ended = command.wait()
    assert ended.code == SIGNALS[name], ended
    printed = json.loads(ended.out)
    done = trials(folder)
    assert printed["trials"] == len(done)
    first = [{k: v for k, v in t.items() if k not in ("state", "score", "rungs")} for t in unbroken.trials[: len(done)]]
    assert [{k: v for k, v in t.items() if k not in ("state", "score", "rungs")} for t in done] == first
    assert aurify("predict", folder, table).code == 0
    wait_for(lambda: not workers_of(folder))
    again = start(*search, "--resume", "--workers", 1, "--out", folder).wait()
    assert again.code == 0, again
    assert len(kept(folder)) == len(set(kept(folder)))
    same(folder, unbroken)


STOPPING = """
import os, signal
from aurify.study import worker

measure, made = worker.measure, []

def stopping(recipe, *given):
    made.append(recipe)
    if len(made) == 8:
        os.kill(os.getpid(), signal.SIGINT)
    return measure(recipe, *given)

worker.measure = stopping
"""


def test_a_signal_while_a_training_is_made_in_this_process_ends_it_with_the_best_so_far(
    start, aurify, search, table, tmp_path
):
    (tmp_path / "stopping.py").write_text(STOPPING)
    words = [*search, "--workers", 1, "--parts", tmp_path / "stopping.py", "--out", tmp_path / "run"]
    ended = start(*words).wait()
    assert ended.code == 130, ended
    assert json.loads(ended.out)["trials"] == len(trials(tmp_path / "run"))
    assert aurify("predict", tmp_path / "run", table).code == 0


def test_a_signal_before_anything_is_known_is_one_line(start, search, tmp_path):
    folder = tmp_path / "run"
    command = start(*search, "--workers", 1, "--out", folder).until(lambda: (folder / "store").exists())
    command.send(signal.SIGINT)
    ended = command.wait()
    assert ended.code == 130, ended
    ended.one_line("SIGINT")


def test_second_process_in_the_same_folder_is_refused(start, search, tmp_path):
    folder = tmp_path / "run"
    first = start(*search, "--workers", 1, "--out", folder).until(lambda: kept(folder))
    start(*search, "--workers", 1, "--out", folder).wait().refused("another process is working in", "--out")
    first.kill()
